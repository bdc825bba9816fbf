package backend_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

func TestCompute(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		exec, err := graph.NewExec(be.Backend, func(x *graph.Node) *graph.Node { return graph.Add(x, x) })
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Call(tensors.FromValue([]float32{1, 2}))
		if err != nil {
			t.Fatal(err)
		}
		if got := tensors.MustCopyFlatData[float32](out[0]); got[0] != 2 || got[1] != 4 {
			t.Errorf("x+x = %v", got)
		}
	})
}
