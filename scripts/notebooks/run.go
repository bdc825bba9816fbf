package main

import (
	"bufio"
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
	"time"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/scripts/internal/progress"
)

//go:embed execute.py
var executor string

// run executes notebooks one after the other and checks each.
func run(ctx context.Context, t tools, root string, o runCommand, w io.Writer) error {
	paths := o.Notebooks
	if len(paths) == 0 {
		var err error
		if paths, err = filepath.Glob(filepath.Join(root, "notebooks", "*.ipynb")); err != nil || len(paths) == 0 {
			return fmt.Errorf("there are no notebooks in %s", filepath.Join(root, "notebooks"))
		}
	}
	if o.Timeout <= 0 {
		return fmt.Errorf("--timeout %d: want a number of seconds above 0", o.Timeout)
	}
	if o.Out != "" {
		if err := os.MkdirAll(o.Out, 0o777); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if err := warm(ctx, root); err != nil {
		return err
	}
	failed := 0
	for _, path := range paths {
		start := time.Now()
		nb, problems, err := runOne(ctx, t, path, o)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		state := "ok  "
		if len(problems) > 0 {
			state = "FAIL"
			failed++
		}
		figures, tables := 0, 0
		for _, c := range nb.Cells {
			figures += len(c.figures())
			tables += len(c.tables())
		}
		fmt.Fprintf(w, "%s  %s  %.1f s, %d cells, %d figures, %d tables\n", state, filepath.Base(path),
			time.Since(start).Seconds(), nb.code(), figures, tables)
		for _, p := range problems {
			fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(p.String(), "\n", "\n      "))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d notebooks failed", failed, len(paths))
	}
	return nil
}

// warm builds what cells link, once and with a message of the compiler that can be read.
func warm(ctx context.Context, root string) error {
	cmd := program(ctx, "go", "build", "./ratml/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./ratml/...: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// runOne executes a notebook and puts the result where it is wanted.
func runOne(ctx context.Context, t tools, path string, o runCommand) (*notebook, []problem, error) {
	before, err := readNotebook(path)
	if err != nil {
		return nil, nil, err
	}
	scratch, err := os.MkdirTemp("", "notebook")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(scratch)
	result, page := filepath.Join(scratch, "result.ipynb"), ""
	if o.Out != "" {
		page = filepath.Join(o.Out, strings.TrimSuffix(filepath.Base(path), ".ipynb")+".html")
	}
	wrong, err := execute(ctx, t, path, result, page, len(before.Cells), o.Timeout)
	if err != nil {
		return nil, nil, err
	}
	now, err := readNotebook(result)
	if err != nil {
		return nil, nil, err
	}
	if o.Write {
		before = nil
	}
	problems := check(before, now)
	if wrong != "" {
		problems = append([]problem{{what: wrong}}, problems...)
	}
	data, err := os.ReadFile(result)
	if err != nil {
		return nil, nil, err
	}
	if o.Out != "" {
		if err := os.WriteFile(filepath.Join(o.Out, filepath.Base(path)), data, 0o666); err != nil {
			return nil, nil, fmt.Errorf("--out: %w", err)
		}
	}
	if o.Write && len(problems) == 0 {
		if err := renameio.WriteFile(path, data, 0o644, renameio.WithTempDir(filepath.Dir(path))); err != nil {
			return nil, nil, fmt.Errorf("--write: %w", err)
		}
	}
	return now, problems, nil
}

// execute runs all cells of a notebook in a kernel of its own. It returns what went wrong beside cells that fail.
func execute(ctx context.Context, t tools, path, result, page string, cells, timeout int) (wrong string, err error) {
	cmd := program(ctx, t.python(), "-I", "-", path, result, page, fmt.Sprint(timeout))
	cmd.Stdin = strings.NewReader(executor)
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+t.jupyter())
	var chatter bytes.Buffer // of the kernel
	cmd.Stderr = &chatter
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	bar := progress.New(filepath.Base(path), cells)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var told struct {
			Done  int
			Error string
		}
		if json.Unmarshal(lines.Bytes(), &told) != nil {
			continue
		}
		if told.Error != "" {
			wrong = told.Error
			continue
		}
		bar.Set(told.Done, "")
	}
	bar.Finish()
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &exit):
		return "", fmt.Errorf("the notebook could not be executed: %s", reason(chatter.Bytes(), err))
	}
	return wrong, err
}
