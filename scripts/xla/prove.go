package main

import (
	"fmt"
	"io"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
)

// prove opens the plugin and computes a sum of squares on it.
func prove(w io.Writer, path string) error {
	warnUnsearched(w, path)
	start := time.Now()
	be, err := backend.OpenConfig(backend.Config{Name: "xla:" + path, Quiet: true})
	if err != nil {
		return fmt.Errorf("installed, but it cannot be opened: %w", err)
	}
	got, err := sumOfSquares(be, []float32{1, 2, 3, 4})
	if err != nil {
		return fmt.Errorf("installed, but it does not compute: %w", err)
	}
	if got != 30 {
		return fmt.Errorf("installed, but it computes 1²+2²+3²+4² = %v", got)
	}
	_, err = fmt.Fprintf(w, "It works: %s on %s computes 1²+2²+3²+4² = %v (%.1f s)\n",
		be.Version(), be.Kind(), got, time.Since(start).Seconds())
	return err
}

func sumOfSquares(be *backend.Backend, x []float32) (sum float32, err error) {
	exec, err := graph.NewExec(be.Backend, func(x *graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Square(x))
	})
	if err != nil {
		return 0, err
	}
	out, err := exec.Call(tensors.FromValue(x))
	if err != nil {
		return 0, err
	}
	return tensors.ToScalar[float32](out[0]), nil
}
