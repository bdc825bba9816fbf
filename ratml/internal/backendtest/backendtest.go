// Package backendtest opens backends for tests: each once in a test process,
// shared by all its tests.
package backendtest

import (
	"sync"
	"testing"

	"github.com/ratml/rat/ratml/backend"
)

// Each runs f on XLA and on the Go backend as subtests "xla" and "go". A
// machine without the plugin fails the first; a build without XLA runs the
// second only.
func Each(t *testing.T, f func(t *testing.T, be *backend.Backend)) {
	t.Helper()
	if backend.HasXLA() {
		t.Run("xla", func(t *testing.T) { f(t, XLA(t)) })
	}
	t.Run("go", func(t *testing.T) { f(t, Go(t)) })
}

// XLA returns the CPU plugin's backend. It fails the test if there is none.
func XLA(tb testing.TB) *backend.Backend {
	tb.Helper()
	return use(tb, xla)
}

// Go returns the Go backend.
func Go(tb testing.TB) *backend.Backend {
	tb.Helper()
	return use(tb, fast)
}

var (
	xla  = opener("xla:cpu")
	fast = opener("go")
)

func opener(name string) func() (*backend.Backend, error) {
	return sync.OnceValues(func() (*backend.Backend, error) {
		return backend.OpenConfig(backend.Config{Name: name, Quiet: true})
	})
}

func use(tb testing.TB, open func() (*backend.Backend, error)) *backend.Backend {
	tb.Helper()
	be, err := open()
	if err != nil {
		tb.Fatalf("%v\nThe tests need the XLA CPU plugin; install it with: %s", err, backend.Install)
	}
	return be
}
