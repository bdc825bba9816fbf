package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed browser.py
var driver string

// quiet keeps JupyterLab from asking about news, from writing the notebook, and from taking cells that are out of
// sight off the page.
var quiet = map[string]string{
	"@jupyterlab/apputils-extension/notification.jupyterlab-settings": `{"fetchNews": "false", "checkForUpdates": false}`,
	"@jupyterlab/docmanager-extension/plugin.jupyterlab-settings":     `{"autosave": false}`,
	"@jupyterlab/notebook-extension/tracker.jupyterlab-settings":      `{"windowingMode": "none"}`,
}

// findChromium returns the path of the browser.
func findChromium(name string) (string, error) {
	if name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("--chromium: %w", err)
		}
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium on PATH: install it (on Debian the package chromium) or name it with --chromium")
}

// sight is what was seen in the browser.
type sight struct {
	Failure  string    // why nothing was
	Seconds  float64   // from the start of the first cell
	Done     bool      // all cells have run
	Prompts  []string  // of the cells
	Bar      []float64 // values of the progress bar that moved most
	Redrawn  int       // versions of the picture that changed most
	Figures  int
	Broken   int // figures that are not shown
	Tables   int
	Errors   []string
	Requests []string // to the server that failed
}

// faults returns what is wrong with the notebook as it was seen, compared with its outputs in the file.
func (s sight) faults(nb *notebook) []string {
	if s.Failure != "" {
		return []string{s.Failure}
	}
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if !s.Done {
		add("not all cells have run: %s", strings.Join(s.Prompts, " "))
	}
	for _, e := range s.Errors {
		add("a cell failed: %s", e)
	}
	figures, tables, bars := 0, 0, false
	for _, c := range nb.Cells {
		figures += len(c.figures())
		tables += len(c.tables())
		for _, o := range c.Outputs {
			bars = bars || strings.Contains(o.data("text/html"), "<progress")
		}
	}
	if s.Figures != figures || s.Broken > 0 {
		add("%d figures are seen, %d of them broken, where the file has %d", s.Figures, s.Broken, figures)
	}
	if s.Tables != tables {
		add("%d tables are seen where the file has %d", s.Tables, tables)
	}
	if bars && !moved(s.Bar) {
		add("the progress bar did not move: %v", s.Bar)
	}
	for _, r := range s.Requests {
		add("the request of %s failed", r)
	}
	return out
}

// moved tells whether a bar went up in several steps.
func moved(values []float64) bool {
	for i := 1; i < len(values); i++ {
		if values[i] < values[i-1] {
			return false
		}
	}
	return len(values) >= 3
}

// browse runs a notebook in JupyterLab in Chromium. Once in a while JupyterLab never starts the first cell, so a
// notebook that was not done is tried once more.
func browse(ctx context.Context, t tools, root, chromium string, o browserCommand, w io.Writer) error {
	if o.Notebook == "" {
		o.Notebook = filepath.Join(root, "notebooks", "1_training.ipynb")
	}
	nb, err := readNotebook(o.Notebook)
	if err != nil {
		return err
	}
	if o.Timeout <= 0 {
		return fmt.Errorf("--timeout %d: want a number of seconds above 0", o.Timeout)
	}
	if err := warm(ctx, root); err != nil {
		return err
	}
	var faults []string
	for range 2 {
		s, err := visit(ctx, t, root, chromium, o)
		if err != nil {
			return err
		}
		faults = s.faults(nb)
		fmt.Fprintf(w, "%s in Chromium: %.1f s, %d figures, %d tables, progress %v, a picture drawn %d times in place\n",
			filepath.Base(o.Notebook), s.Seconds, s.Figures, s.Tables, s.Bar, s.Redrawn)
		if s.Done || len(s.Errors) > 0 {
			break
		}
		fmt.Fprintf(w, "%s\n", strings.Join(faults, "\n"))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s: %s", filepath.Base(o.Notebook), strings.Join(faults, "; "))
	}
	fmt.Fprintf(w, "ok, the page is in %s\n", o.Screenshot)
	return nil
}

// visit runs a notebook in a JupyterLab and a browser of its own.
func visit(ctx context.Context, t tools, root, chromium string, o browserCommand) (*sight, error) {
	settings, err := os.MkdirTemp("", "notebook")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(settings)
	for name, content := range quiet {
		path := filepath.Join(settings, "settings", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	file, err := filepath.Abs(o.Notebook)
	if err != nil {
		return nil, err
	}
	inside, err := filepath.Rel(root, file)
	if err != nil || !filepath.IsLocal(inside) {
		return nil, fmt.Errorf("%s is not within %s", o.Notebook, root)
	}
	var log bytes.Buffer
	s, err := serve(ctx, t, root, settings, 0, &log)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	page := s.address + "/lab/tree/" + filepath.ToSlash(inside) + "?reset&token=" + s.token
	user := ""
	if os.Geteuid() == 0 {
		user = "root" // whom Chromium's sandbox does not serve
	}
	cmd := program(ctx, t.python(), "-I", "-", page, chromium, o.Screenshot, fmt.Sprint(o.Timeout), user)
	cmd.Stdin = strings.NewReader(driver)
	var chatter bytes.Buffer
	cmd.Stderr = &chatter
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("the browser could not be driven: %s", reason(chatter.Bytes(), err))
	}
	var seen sight
	if err := json.Unmarshal(out, &seen); err != nil {
		return nil, fmt.Errorf("the browser told %q: %w", out, err)
	}
	return &seen, nil
}
