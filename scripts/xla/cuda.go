package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gomlx/go-xla/installer"
	"github.com/ratml/rat/ratml/backend"
)

// installCUDA runs go-xla's installer of the CUDA plugin: JAX's plugin and
// NVIDIA's libraries from PyPI, several GB, into go-xla's folder. The plugin
// file comes last, so that a run that is cut off leaves none.
func installCUDA(ctx context.Context, w io.Writer) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("install: the CUDA plugin exists for linux/amd64 only, this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	for _, p := range backend.Plugins() {
		if p.Name == "cuda" && p.Err == nil {
			_, err := fmt.Fprintf(w, "Already installed: %s\n", p.Path)
			return err
		}
	}
	if !installer.HasNvidiaGPU() {
		return errors.New("install: no NVIDIA GPU found (no /dev/nvidia*, no working nvidia-smi); the CUDA plugin would be of no use")
	}
	dir, err := backend.InstallDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	staging, err := os.MkdirTemp(dir, ".install-")
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	defer os.RemoveAll(staging)

	fmt.Fprintln(w, "Fetching the CUDA plugin and NVIDIA's libraries from PyPI")
	libraries := filepath.Join(dir, "nvidia")
	err = bounded(ctx, staging, func() error {
		return installer.AutoInstallPlugin("cuda", filepath.Dir(dir), false, installer.Normal)
	})
	if err != nil {
		os.RemoveAll(libraries)
		if ctx.Err() != nil {
			return errors.New("install: interrupted; what was fetched has been removed")
		}
		return fmt.Errorf("install: cuda: %w; what was fetched has been removed", err)
	}
	for _, p := range backend.Plugins() {
		if p.Name == "cuda" {
			fmt.Fprintf(w, "Installed %s\n", p.Path)
			return prove(w, p.Path)
		}
	}
	return fmt.Errorf("install: cuda: go-xla's installer left no plugin in %s", libraries)
}
