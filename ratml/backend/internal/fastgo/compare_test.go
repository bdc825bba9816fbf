package fastgo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// A build adds operations to f and returns its outputs.
type build func(f compute.Function, in []compute.Value) ([]compute.Value, error)

// An array is an input of a computation, or one of its results.
type array struct {
	shape shapes.Shape
	flat  any
}

func floats(rng *rand.Rand, dims ...int) array {
	s := shapes.Make(dtypes.Float32, dims...)
	flat := make([]float32, s.Size())
	for i := range flat {
		flat[i] = 2*rng.Float32() - 1
	}
	return array{s, flat}
}

// compile builds a computation on be.
func compile(be compute.Backend, in []array, f build) (compute.Executable, error) {
	b := be.Builder("test")
	g := b.Main()
	var values []compute.Value
	for i, a := range in {
		v, err := g.Parameter(fmt.Sprint("p", i), a.shape, nil)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	out, err := f(g, values)
	if err != nil {
		return nil, err
	}
	if err := g.Return(out, nil); err != nil {
		return nil, err
	}
	return b.Compile()
}

// execute runs e and returns copies of its outputs, which it finalizes.
func execute(be compute.Backend, e compute.Executable, in []array, donate []bool) ([]array, error) {
	var buffers []compute.Buffer
	for _, a := range in {
		b, err := be.BufferFromFlatData(0, a.flat, a.shape)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, b)
	}
	out, err := e.Execute(buffers, donate, 0)
	if err != nil {
		return nil, err
	}
	var results []array
	for _, b := range out {
		s, err := b.Shape()
		if err != nil {
			return nil, err
		}
		flat := dtypes.MakeAnySlice(s.DType, s.Size())
		if err := b.ToFlatData(flat); err != nil {
			return nil, err
		}
		if err := b.Finalize(); err != nil {
			return nil, err
		}
		results = append(results, array{s, flat})
	}
	return results, nil
}

// run compiles and executes.
func run(tb testing.TB, be compute.Backend, in []array, f build) []array {
	tb.Helper()
	e, err := compile(be, in, f)
	if err != nil {
		tb.Fatal(err)
	}
	defer e.Finalize()
	out, err := execute(be, e, in, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// same compares results, float32 within tolerance relative to the largest.
func same(got, want []array, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d outputs, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if !g.shape.Equal(w.shape) {
			return fmt.Errorf("output %d has shape %s, want %s", i, g.shape, w.shape)
		}
		wf, ok := w.flat.([]float32)
		if !ok {
			if fmt.Sprint(g.flat) != fmt.Sprint(w.flat) {
				return fmt.Errorf("output %d is %v, want %v", i, g.flat, w.flat)
			}
			continue
		}
		gf, top := g.flat.([]float32), 1.0
		for _, v := range wf {
			if a := math.Abs(float64(v)); !math.IsInf(a, 0) && !math.IsNaN(a) {
				top = max(top, a)
			}
		}
		for j, v := range wf {
			x, y := float64(gf[j]), float64(v)
			if x == y || math.IsNaN(x) && math.IsNaN(y) {
				continue
			}
			if d := math.Abs(x - y); !(d <= tolerance*top) {
				return fmt.Errorf("output %d: element %d of %s is %v, want %v", i, j, w.shape, x, y)
			}
		}
	}
	return nil
}

// compare runs f on both backends.
func compare(tb testing.TB, in []array, tolerance float64, f build) {
	tb.Helper()
	p := plain(tb)
	want := run(tb, p, in, f)
	got := run(tb, New(p), in, f)
	if err := same(got, want, tolerance); err != nil {
		tb.Error(err)
	}
}
