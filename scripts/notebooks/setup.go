package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// What is installed, every version pinned: Jupyter and what drives a browser from PyPI, the kernel and goimports as Go
// modules with their checksums.
var (
	//go:embed requirements.txt
	jupyterPins string
	//go:embed browser.txt
	browserPins string
	//go:embed tools.mod
	toolsMod string
	//go:embed tools.sum
	toolsSum string
)

// leastPython is the oldest Python 3 that the pinned versions run on.
const leastPython = 11

// tools is the private folder, ready for use.
type tools struct{ dir string }

func (t tools) python() string { return filepath.Join(t.dir, "venv", "bin", "python") }

// jupyter is where the kernel is described, for JUPYTER_PATH.
func (t tools) jupyter() string { return filepath.Join(t.dir, "jupyter") }

// setUp installs what is missing in dir.
func setUp(ctx context.Context, dir string, browser bool, w io.Writer) (tools, error) {
	if runtime.GOOS == "windows" {
		return tools{}, errors.New("the Go kernel runs on Linux and macOS only; on Windows use WSL")
	}
	t := tools{dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return t, fmt.Errorf("--dir: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if ok, err := lock.TryLockContext(ctx, time.Second); err != nil || !ok {
		return t, fmt.Errorf("--dir: locking %s: %w", dir, err)
	}
	defer lock.Unlock()
	steps := []func(context.Context, io.Writer) error{t.makeVenv, t.buildTools, t.writeKernel}
	if browser {
		steps = append(steps, t.addBrowser)
	}
	for _, step := range steps {
		if err := step(ctx, w); err != nil {
			return t, err
		}
	}
	return t, nil
}

// makeVenv makes the virtual environment with Jupyter.
func (t tools) makeVenv(ctx context.Context, w io.Writer) error {
	venv := filepath.Join(t.dir, "venv")
	version, err := pythonVersion(ctx)
	if err != nil {
		return err
	}
	stamp := stampOf(version, jupyterPins)
	if stamped(venv, "jupyter", stamp) {
		return nil
	}
	fmt.Fprintf(w, "Installing JupyterLab for Python %s (about 250 MB)\n", version)
	if err := os.RemoveAll(venv); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	if out, err := program(ctx, "python3", "-m", "venv", venv).CombinedOutput(); err != nil {
		return fmt.Errorf("python3 -m venv failed: %s (on Debian it needs the package python3-venv)", reason(out, err))
	}
	if err := t.pip(ctx, jupyterPins); err != nil {
		return err
	}
	return putStamp(venv, "jupyter", stamp)
}

// addBrowser adds what drives a browser, though no browser.
func (t tools) addBrowser(ctx context.Context, w io.Writer) error {
	venv := filepath.Join(t.dir, "venv")
	stamp := stampOf(browserPins)
	if stamped(venv, "browser", stamp) {
		return nil
	}
	fmt.Fprintln(w, "Installing Playwright (about 170 MB)")
	if err := t.pip(ctx, browserPins); err != nil {
		return err
	}
	return putStamp(venv, "browser", stamp)
}

// pip installs pinned packages in the virtual environment.
func (t tools) pip(ctx context.Context, pins string) error {
	list := filepath.Join(t.dir, "venv", "requirements.txt")
	if err := os.WriteFile(list, []byte(pins), 0o644); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	cmd := program(ctx, t.python(), "-m", "pip", "--disable-pip-version-check", "--no-input", "install",
		"--quiet", "--retries", "2", "--timeout", "20", "--only-binary=:all:", "-r", list)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pip could not install what JupyterLab needs; is the package index of pip within reach? %s", reason(out, err))
	}
	return nil
}

// buildTools builds the kernel and goimports, without which it runs no cell.
func (t tools) buildTools(ctx context.Context, w io.Writer) error {
	bin, src := filepath.Join(t.dir, "bin"), filepath.Join(t.dir, "src")
	stamp := stampOf(runtime.Version(), toolsMod, toolsSum)
	if stamped(bin, "tools", stamp) {
		return nil
	}
	fmt.Fprintln(w, "Building the Go kernel (GoNB) and goimports")
	for _, dir := range []string{bin, src} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
	}
	for name, content := range map[string]string{"go.mod": toolsMod, "go.sum": toolsSum} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
	}
	cmd := program(ctx, "go", "build", "-mod=readonly", "-trimpath", "-o", bin+string(filepath.Separator), "tool")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build of GoNB failed; is the module proxy within reach? %s", reason(out, err))
	}
	return putStamp(bin, "tools", stamp)
}

// writeKernel describes the kernel for Jupyter. It finds go and goimports whatever PATH Jupyter is started with.
func (t tools) writeKernel(context.Context, io.Writer) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("go is not on PATH, which the kernel needs")
	}
	if goTool, err = filepath.Abs(goTool); err != nil {
		return err
	}
	spec := map[string]any{
		"argv":           []string{filepath.Join(t.dir, "bin", "gonb"), "--kernel", "{connection_file}"},
		"display_name":   "Go (gonb)",
		"language":       "go",
		"interrupt_mode": "message",
		"env": map[string]string{
			"PATH": filepath.Join(t.dir, "bin") + ":" + filepath.Dir(goTool) + ":${PATH}",
		},
	}
	data, err := json.MarshalIndent(spec, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(t.jupyter(), "kernels", "gonb", "kernel.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	if err := renameio.WriteFile(path, append(data, '\n'), 0o644, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	return nil
}

// pythonVersion returns the version of python3, such as 3.11.2.
func pythonVersion(ctx context.Context) (string, error) {
	const why = "which Jupyter needs; nothing else here does"
	out, err := exec.CommandContext(ctx, "python3", "-c", "import platform; print(platform.python_version())").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("there is no python3 on PATH, %s", why)
	}
	if err != nil {
		return "", fmt.Errorf("python3 does not run, %s: %w", why, err)
	}
	version := strings.TrimSpace(string(out))
	if parts := strings.Split(version, "."); len(parts) >= 2 && parts[0] == "3" {
		if minor, err := strconv.Atoi(parts[1]); err == nil && minor >= leastPython {
			return version, nil
		}
	}
	return "", fmt.Errorf("python3 is %s; JupyterLab's pinned version needs 3.%d or later", version, leastPython)
}

// A stamp is written when a part is complete: what was broken off has none and is made anew.

func stampOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

func stamped(dir, part, stamp string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "."+part+".stamp"))
	return err == nil && string(data) == stamp
}

func putStamp(dir, part, stamp string) error {
	err := os.WriteFile(filepath.Join(dir, "."+part+".stamp"), []byte(stamp), 0o644)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("--dir: %w", err)
	}
	return err
}

// reason returns the line of a failed program's output that says most: its first error, or its last line.
func reason(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(bytes.ToValidUTF8(out, nil))), "\n")
	for _, line := range lines {
		if strings.Contains(line, "ERROR: ") || strings.Contains(line, "Error: ") {
			return strings.TrimSpace(line)
		}
	}
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}
