package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// version returns the folder of the module that brings MNIST and the path that -trimpath gives its files.
func version(t *testing.T) (dir, trimmed string) {
	t.Helper()
	data, err := moduleData()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Dir(data)
	_, v, ok := strings.Cut(filepath.Base(dir), "@")
	if !ok {
		t.Fatalf("the module was found outside the module cache, in %s", dir)
	}
	return dir, modulePath + "@" + v + "/util.go"
}

func TestModuleInCache(t *testing.T) {
	dir, trimmed := version(t)
	if got := cachedModule(trimmed); got != dir {
		t.Errorf("from the go command: %s, want %s", got, dir)
	}
	cache, err := filepath.Abs(filepath.Join(dir, "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", cache)
	t.Setenv("PATH", "") // no go command
	if got := cachedModule(trimmed); got != dir {
		t.Errorf("from GOMODCACHE: %s, want %s", got, dir)
	}
	for _, file := range []string{dir + "/util.go", "", "?", "github.com/other/module@v1.0.0/util.go"} {
		if got := cachedModule(file); got != "" {
			t.Errorf("cachedModule(%q) = %q, want none", file, got)
		}
	}
}

func TestModuleDataOf(t *testing.T) {
	dir, trimmed := version(t)
	cache, err := filepath.Abs(filepath.Join(dir, "..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "util.go"), trimmed, "elsewhere.go"} { // the last by the go command
		if got, err := moduleDataOf(file); err != nil || got != filepath.Join(dir, "data") {
			t.Errorf("from %s: %s, %v", file, got, err)
		}
	}
	here := t.TempDir()
	t.Chdir(here)
	t.Setenv("PATH", "")
	t.Setenv("GOMODCACHE", cache)
	if got, err := moduleDataOf(trimmed); err != nil || got != filepath.Join(dir, "data") {
		t.Errorf("without a go command: %s, %v", got, err)
	}
	// A folder "data" where the program happens to run is not the module's.
	folder{"data/" + idxNames[2] + ".gz": {1}}.write(t, here)
	if got, err := moduleDataOf("elsewhere.go"); err == nil || !strings.Contains(err.Error(), "go mod download "+modulePath) {
		t.Errorf("found %s, error %v", got, err)
	}
}

func TestModuleListed(t *testing.T) {
	dir, _ := version(t)
	if got := listedModule(); got != dir {
		t.Errorf("%s, want %s", got, dir)
	}
	t.Chdir(t.TempDir()) // outside any module
	if got := listedModule(); got != "" {
		t.Errorf("%s outside a module, want none", got)
	}
}

func TestModuleCacheWithoutGo(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("GOMODCACHE", "")
	t.Setenv("GOPATH", strings.Join([]string{"/first", "/second"}, string(os.PathListSeparator)))
	if got, want := moduleCache(), filepath.Join("/first", "pkg", "mod"); got != want {
		t.Errorf("from GOPATH: %s, want %s", got, want)
	}
	t.Setenv("GOPATH", "")
	t.Setenv("HOME", "/home/gopher")
	t.Setenv("USERPROFILE", "/home/gopher")
	if got, want := moduleCache(), filepath.Join("/home/gopher", "go", "pkg", "mod"); got != want {
		t.Errorf("from the home folder: %s, want %s", got, want)
	}
}
