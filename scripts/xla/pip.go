package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ratml/rat/scripts/internal/progress"
)

// The wheel with XLA's CPU plugin, as jaxlib of the same version has it.
// It is pinned by content, so it does not matter where pip gets it from.
const (
	wheelPackage = "lammps-jax-pjrt-cpu"
	wheelVersion = "0.11.2"
	wheelSHA256  = "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1"
	wheelMember  = "lammps_jax_pjrt_cpu/" + pluginFile
	wheelSize    = "63 MB"
)

// fromPip downloads the wheel with the user's pip, which knows the user's
// package index, and unpacks the plugin.
func fromPip(ctx context.Context, w io.Writer, dir string) (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("the wheel is for linux/amd64, this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	fmt.Fprintf(w, "Fetching %s %s (%s) with pip\n", wheelPackage, wheelVersion, wheelSize)
	if err := pipDownload(ctx, dir); err != nil {
		return "", err
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip left %d wheels where one was expected", len(wheels))
	}
	if err := verify(wheels[0], wheelSHA256); err != nil {
		return "", err
	}
	file := filepath.Join(dir, pluginFile)
	return file, unpack(ctx, wheels[0], wheelMember, file)
}

func pipDownload(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "--disable-pip-version-check", "download",
		"--no-deps", "--only-binary=:all:", "--no-input", "-d", dir, wheelPackage+"=="+wheelVersion)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("python3 is not installed; pip comes with it")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("pip did not finish within %v", fetchTimeout)
	}
	return fmt.Errorf("python3 -m pip download: %w", err)
}

// verify compares a file's SHA-256 with the one that is wanted.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-256 %s, not %s: not the file that was tested, so it is not installed",
			filepath.Base(path), got, want)
	}
	return nil
}

// unpack writes one member of a zip archive to path.
func unpack(ctx context.Context, archive, member, path string) (err error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(member)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	const mega = 1 << 20
	bar := progress.New("unpack (MB)", int(info.Size()/mega))
	defer bar.Finish()
	for done := int64(0); ; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := io.CopyN(out, in, 4*mega)
		done += n
		bar.Set(int(done/mega), "")
		if err == io.EOF {
			return out.Sync()
		} else if err != nil {
			return fmt.Errorf("%s: %w", member, err)
		}
	}
}
