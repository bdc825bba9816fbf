package backend_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/ratml/rat/ratml/backend"
)

// noPlugins hides every installed plugin from the test.
func noPlugins(t *testing.T) {
	t.Helper()
	t.Setenv(backend.PathVariable, t.TempDir())
	t.Setenv(compute.ConfigEnvVar, "")
}

// stdout returns what f writes to standard output.
func stdout(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stdout
	os.Stdout = file
	f()
	os.Stdout = old
	out, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAutoWithoutPlugin(t *testing.T) {
	noPlugins(t)
	for _, name := range []string{"", "auto"} {
		var log bytes.Buffer
		be, err := backend.OpenConfig(backend.Config{Name: name, Log: &log})
		if err != nil {
			t.Fatal(err)
		}
		if be.Kind() != backend.KindGo || be.Devices() != 1 {
			t.Errorf("%q: opened %v", name, be)
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || backend.HasXLA() && !strings.Contains(got, backend.Install) {
			t.Errorf("%q: log %q is not one line that tells how to install XLA", name, got)
		}
	}
}

func TestAutoPastBrokenPlugin(t *testing.T) {
	noPlugins(t)
	file := filepath.Join(os.Getenv(backend.PathVariable), "pjrt_c_api_cpu_plugin.so")
	if err := os.WriteFile(file, []byte("\x7fELF and no more"), 0o755); err != nil {
		t.Fatal(err)
	}
	be, err := backend.OpenConfig(backend.Config{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	if be.Kind() != backend.KindGo || backend.HasXLA() && !strings.Contains(be.Reason(), file) {
		t.Errorf("opened %v, want go and the broken file in the reason", be)
	}
	if _, err := backend.Open("xla"); err == nil || backend.HasXLA() && !strings.Contains(err.Error(), file) {
		t.Errorf(`Open("xla") = %v, want an error that names the broken file`, err)
	}
}

func TestOpenGo(t *testing.T) {
	for config, want := range map[string]string{
		"go":                            "parallelism=-1",
		"go:":                           "parallelism=-1",
		"go:plain":                      "parallelism=-1",
		"go:plain,ops_sequential":       "parallelism=-1",
		"go:parallelism=3":              "parallelism=3",
		"go:parallelism=3,plain":        "parallelism=3",
		"go:ops_parallel,parallelism=2": "parallelism=2",
	} {
		var be *backend.Backend
		var err error
		if out := stdout(t, func() { be, err = backend.OpenConfig(backend.Config{Name: config, Quiet: true}) }); out != "" {
			t.Errorf("%s: wrote %q to standard output", config, out)
		}
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		if got := be.Description(); be.Kind() != backend.KindGo || !strings.Contains(got, want) {
			t.Errorf("%s: opened %v, %s; want %s", config, be, got, want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	noPlugins(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	type expectation struct{ config, want string }
	table := []expectation{
		{"nope", "unknown backend"},
		{"nope:cpu", "unknown backend"},
		{"auto:x", "unknown backend"},
		{"go:bogus", "bogus"},
		{"go:parallelism=many", "parallelism=many"},
	}
	if backend.HasXLA() {
		table = append(table,
			expectation{"xla", backend.Install},
			expectation{"xla:cpu", backend.Install},
			expectation{"xla:cuda", backend.Install + " --cuda"},
			expectation{"xla:tpu", `"tpu"`},
			expectation{"xla:" + filepath.Join(dir, "none.so"), "no such file"},
			expectation{"xla:" + dir, "not a file"},
			expectation{"xla:./plugin.so", "absolute"},
			expectation{"xla:" + text, "not a complete shared library"},
			expectation{"xla:" + self, "shared library"},
		)
	} else {
		table = append(table, expectation{"xla", "no XLA"}, expectation{"xla:" + text, "no XLA"})
	}
	for _, e := range table {
		be, err := backend.Open(e.config)
		if err == nil || be != nil {
			t.Errorf("%s: opened %v, want an error", e.config, be)
			continue
		}
		if !strings.Contains(err.Error(), e.want) || !strings.Contains(err.Error(), e.config) {
			t.Errorf("%s: error %q does not say %q", e.config, err, e.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error of several lines: %q", e.config, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	noPlugins(t)
	t.Setenv(compute.ConfigEnvVar, "go:plain")
	be, err := backend.OpenConfig(backend.Config{Quiet: true})
	if err != nil || be.Kind() != backend.KindGo || !strings.Contains(be.Reason(), compute.ConfigEnvVar) {
		t.Errorf("opened %v, %v", be, err)
	}
	t.Setenv(compute.ConfigEnvVar, "nope")
	if _, err := backend.Open(""); err == nil || !strings.Contains(err.Error(), compute.ConfigEnvVar) {
		t.Errorf("error %v does not name the variable", err)
	}
	if _, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true}); err != nil {
		t.Errorf("the variable overrides a configuration: %v", err)
	}
}

func TestReportFailure(t *testing.T) {
	if _, err := backend.OpenConfig(backend.Config{Name: "go", Log: failing{}}); err != nil {
		t.Errorf("a log that cannot be written keeps the backend from opening: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestOpenConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			be, err := backend.OpenConfig(backend.Config{Name: "auto", Quiet: true})
			if err != nil {
				t.Error(err)
				return
			}
			if err := be.Finalize(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A *Backend must not pass for a compute.Backend: GoMLX would take it for
// another backend than its field.
func TestNotItselfAComputeBackend(t *testing.T) {
	if _, ok := any(new(backend.Backend)).(compute.Backend); ok {
		t.Error("*backend.Backend is a compute.Backend")
	}
}
