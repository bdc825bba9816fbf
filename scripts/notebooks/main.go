// Command notebooks runs the notebooks of this module.
//
//	go run ./scripts/notebooks           set up what they need: JupyterLab and the Go kernel, in a private folder
//	go run ./scripts/notebooks run       execute all and compare with what is committed: figures and tables
//	go run ./scripts/notebooks lab       open JupyterLab on 127.0.0.1
//	go run ./scripts/notebooks browser   run one in JupyterLab in Chromium and watch it
//
// Python is needed for Jupyter only. Nothing is installed outside the private folder, a part of the user's cache.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alexflint/go-arg"
)

type runCommand struct {
	Notebooks []string `arg:"positional" placeholder:"NOTEBOOK" help:"files to execute [default: all in notebooks]"`
	Write     bool     `arg:"--write" help:"replace the outputs of the notebooks by the new ones, whether or not they differ"`
	Out       string   `arg:"--out" placeholder:"DIR" help:"write the executed notebooks, and pages of them, into this folder"`
	Timeout   int      `arg:"--timeout" default:"300" placeholder:"SECONDS" help:"longest time of a cell"`
}

type labCommand struct {
	Port int  `arg:"--port" default:"0" help:"port on 127.0.0.1; 0 is any that is free"`
	Quit bool `arg:"--no-browser" help:"do not open a browser"`
}

type browserCommand struct {
	Notebook   string `arg:"positional" placeholder:"NOTEBOOK" help:"file to run [default: notebooks/1_training.ipynb]"`
	Chromium   string `arg:"--chromium" placeholder:"PATH" help:"the browser [default: chromium or chrome on PATH]"`
	Screenshot string `arg:"--screenshot" default:"notebook.png" placeholder:"FILE" help:"where the picture of the page goes"`
	Timeout    int    `arg:"--timeout" default:"400" placeholder:"SECONDS" help:"longest time of the notebook"`
}

type command struct {
	Dir     string          `arg:"--dir" placeholder:"DIR" help:"private folder of the tools [default: ratml/notebooks in the user's cache]"`
	Run     *runCommand     `arg:"subcommand:run" help:"execute notebooks; fail on errors, missing figures and changed tables"`
	Lab     *labCommand     `arg:"subcommand:lab" help:"open JupyterLab"`
	Browser *browserCommand `arg:"subcommand:browser" help:"run a notebook in JupyterLab in Chromium and watch it"`
}

func (command) Description() string {
	return "Sets up JupyterLab and the Go kernel, and runs the notebooks of this module."
}

func main() {
	var c command
	arg.MustParse(&c)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := c.do(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err != nil && interrupted:
		fmt.Fprintln(os.Stderr, "notebooks: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "notebooks:", err)
		os.Exit(1)
	}
}

func (c command) do(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if c.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no place for the tools, name one with --dir: %w", err)
		}
		c.Dir = filepath.Join(cache, "ratml", "notebooks")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	var chromium string
	if c.Browser != nil { // what is missing shows before anything is installed
		if chromium, err = findChromium(c.Browser.Chromium); err != nil {
			return err
		}
	}
	t, err := setUp(ctx, dir, c.Browser != nil, os.Stdout)
	if err != nil {
		return err
	}
	switch {
	case c.Run != nil:
		return run(ctx, t, root, *c.Run, os.Stdout)
	case c.Lab != nil:
		return lab(ctx, t, root, *c.Lab, os.Stdout)
	case c.Browser != nil:
		return browse(ctx, t, root, chromium, *c.Browser, os.Stdout)
	}
	fmt.Printf("Ready, in %s\n", dir)
	return nil
}

// moduleRoot returns the folder of this module, of which the working directory must be a part.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\n{{.Dir}}").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("go is not on PATH, which the kernel needs")
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || path != "github.com/ratml/rat" {
		return "", errors.New("the working directory is not within a checkout of github.com/ratml/rat")
	}
	return dir, nil
}
