//go:build cgo && linux && !noxla

package backend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// library compiles C code into a shared library at path.
func library(t *testing.T, path, code string) {
	t.Helper()
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
		if _, err := exec.LookPath(cc); err != nil {
			cc = "gcc"
		}
	}
	cmd := exec.Command(cc, "-shared", "-fPIC", "-nostdlib", "-x", "c", "-o", path, "-")
	cmd.Stdin = strings.NewReader(code)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

func TestLibrariesThatAreNoPlugins(t *testing.T) {
	for name, c := range map[string]struct{ code, want string }{
		"other":     {"int other(void) { return 0; }", "GetPjrtApi"},
		"undefined": {"void *GetPjrtApi(void); void *other(void) { return GetPjrtApi(); }", "GetPjrtApi"},
		"null":      {"void *GetPjrtApi(void) { return 0; }", "go-xla failed"},
	} {
		path := filepath.Join(t.TempDir(), name+".so")
		library(t, path, c.code)
		be, err := backend.Open("xla:" + path)
		if err == nil || be != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, %v; want an error with %q", name, be, err, c.want)
		}
	}
}

// Every truncation of a library must be refused: the loader would die on it.
func TestTruncatedPlugin(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.so")
	library(t, whole, "void *GetPjrtApi(void) { return 0; }")
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(data); n += 1 + n/64 {
		path := filepath.Join(dir, "cut.so")
		if err := os.WriteFile(path, data[:n], 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := backend.Open("xla:" + path); err == nil || !strings.Contains(err.Error(), "install the plugin again") {
			t.Errorf("%d of %d bytes: error %v", n, len(data), err)
		}
	}
}

func TestPlugins(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	t.Setenv(backend.PathVariable, dir+":relative::"+other)
	files := []string{
		dir + "/pjrt_c_api_cpu_v0.114.0_plugin.so",
		dir + "/pjrt_c_api_cuda_plugin.so",
		dir + "/pjrt-plugin-tpu.so",
		other + "/pjrt_c_api_cpu_plugin.so",
		other + "/libother.so",
	}
	for _, f := range files {
		library(t, f, "void *GetPjrtApi(void) { return 0; }")
	}
	if err := os.Symlink(files[0], dir+"/pjrt_c_api_cpu_plugin.so"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range backend.Plugins() {
		names = append(names, p.Name)
		if p.Err != nil && p.Name != "cuda" {
			t.Errorf("%s: %v", p.Path, p.Err)
		}
	}
	if want := []string{"cuda", "cpu", "cpu", "tpu"}; !slices.Equal(names, want) {
		t.Errorf("Plugins() = %v, want %v", names, want)
	}
}

// installed returns the path of the CPU plugin on this machine.
func installed(t *testing.T) string {
	t.Helper()
	backendtest.XLA(t)
	for _, p := range backend.Plugins() {
		if p.Name == "cpu" && p.Err == nil {
			return p.Path
		}
	}
	t.Fatal("no CPU plugin found")
	return ""
}

func TestOpenXLA(t *testing.T) {
	path := installed(t)
	cuda := filepath.Join(t.TempDir(), "nvidia", "cuda")
	if err := os.MkdirAll(cuda, 0o755); err != nil {
		t.Fatal(err)
	}
	named, renamed := filepath.Join(cuda, "pjrt_c_api_cpu_plugin.so"), filepath.Join(t.TempDir(), "renamed.so")
	for _, link := range []string{named, renamed} {
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, config := range []string{"auto", "xla", "xla:cpu", "xla:cpu,noshared_buffers", "xla:" + path, "xla:" + named, "xla:" + renamed} {
		be, err := backend.OpenConfig(backend.Config{Name: config, Quiet: true})
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		if config != "auto" && be.Kind() != backend.KindCPU || be.Devices() < 1 || !strings.HasPrefix(be.Version(), "PJRT ") {
			t.Errorf("%s: opened %v, %s", config, be, be.Version())
		}
		double(t, be)
		if err := be.Finalize(); err != nil {
			t.Errorf("%s: %v", config, err)
		}
	}
	if _, err := backend.Open("xla:cpu,bogus=1"); err == nil || !strings.Contains(err.Error(), "bogus") {
		t.Errorf("unknown option: error %v", err)
	}
}
