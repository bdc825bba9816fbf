package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/backend"
)

const pluginFile = "pjrt_c_api_cpu_plugin.so"

// A source fetches the CPU plugin into the folder dir, which is removed
// afterwards, and returns the file's path.
type source func(ctx context.Context, w io.Writer, dir string) (string, error)

var sources = map[string]source{"github": fromGitHub, "pip": fromPip}

// installCPU installs the CPU plugin into go-xla's folder, unless one that
// can be used is there already, and proves that it works.
func installCPU(ctx context.Context, w io.Writer, from string) error {
	for _, p := range backend.Plugins() {
		if p.Name == "cpu" && p.Err == nil {
			_, err := fmt.Fprintf(w, "Already installed: %s\n", p.Path)
			return err
		}
	}
	order := []string{from}
	if from == "auto" {
		order = []string{"github", "pip"}
	}
	path, err := install(ctx, w, order)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Installed %s\n", path)
	return prove(w, path)
}

// install tries the sources in order. The plugin is fetched into a folder
// beside its place and renamed, so that what is found there is always whole.
func install(ctx context.Context, w io.Writer, order []string) (string, error) {
	dir, err := backend.InstallDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("install: %w", err)
	}
	staging, err := os.MkdirTemp(dir, ".install-")
	if err != nil {
		return "", fmt.Errorf("install: %w", err)
	}
	defer os.RemoveAll(staging)

	var failed []error
	for i, name := range order {
		file, err := sources[name](ctx, w, staging)
		if err == nil {
			path := filepath.Join(dir, pluginFile)
			return path, place(file, path)
		}
		if ctx.Err() != nil {
			return "", errors.New("install: interrupted; nothing was changed")
		}
		failed = append(failed, fmt.Errorf("from %s: %w", name, err))
		if i+1 < len(order) {
			fmt.Fprintf(w, "Not from %s: %v\nTrying %s.\n", name, err, order[i+1])
		}
	}
	return "", fmt.Errorf("install: %w\nNothing was changed. The plugin can also be copied to %s by hand",
		errors.Join(failed...), filepath.Join(dir, pluginFile))
}

// place moves the finished file to its path in one step.
func place(file, path string) error {
	if err := os.Chmod(file, 0o755); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := os.Rename(file, path); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	return nil
}

// searched reports whether programs will find a plugin in the folder of path.
func searched(path string) bool {
	for _, dir := range backend.SearchPath() {
		if dir == filepath.Dir(path) {
			return true
		}
	}
	return false
}

// warnUnsearched tells the user of a variable that hides the new plugin.
func warnUnsearched(w io.Writer, path string) {
	if !searched(path) {
		fmt.Fprintf(w, "Note: %s=%s hides it; unset the variable or add %s\n", backend.PathVariable,
			strings.TrimSpace(os.Getenv(backend.PathVariable)), filepath.Dir(path))
	}
}
