package backend_test

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

func TestCompute(t *testing.T) { backendtest.Each(t, double) }

// double computes x+x on be.
func double(t *testing.T, be *backend.Backend) {
	t.Helper()
	exec, err := graph.NewExec(be.Backend, func(x *graph.Node) *graph.Node { return graph.Add(x, x) })
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(tensors.FromValue([]float32{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	if got := tensors.MustCopyFlatData[float32](out[0]); !slices.Equal(got, []float32{2, 4}) {
		t.Errorf("%v: x+x = %v", be, got)
	}
}
