package fastgo

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/support/backendtest"
)

// plain opens the wrapped backend. One operation at a time, it has no pool of
// workers that could deadlock.
func plain(tb testing.TB) compute.Backend {
	tb.Helper()
	be, err := gobackend.New("ops_sequential")
	if err != nil {
		tb.Fatal(err)
	}
	return be
}

// GoMLX's own tests of a backend.
func TestConformance(t *testing.T) { backendtest.RunAll(t, New(plain(t)), nil) }
