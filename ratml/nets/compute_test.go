package nets_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// array is a row-major array of test values.
type array struct {
	shape []int
	data  []float64
}

// normal returns an array of standard normal values.
func normal(seed uint64, shape ...int) array {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := 1
	for _, d := range shape {
		n *= d
	}
	a := array{shape, make([]float64, n)}
	for i := range a.data {
		a.data[i] = float64(float32(rng.NormFloat64()))
	}
	return a
}

func (a array) float32s() []float32 {
	v := make([]float32, len(a.data))
	for i, x := range a.data {
		v[i] = float32(x)
	}
	return v
}

func (a array) float32() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(a.float32s(), a.shape...)
}

func (a array) float64() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(a.data, a.shape...)
}

type graphFunc = func(in []*graph.Node) []*graph.Node

// run compiles f, runs it once and returns its outputs, which are float32 or float64.
func run(t testing.TB, be *backend.Backend, f graphFunc, in ...*tensors.Tensor) [][]float64 {
	t.Helper()
	return compile(t, be, f)(in...)
}

// compile prepares f to be run for the rest of the test.
func compile(t testing.TB, be *backend.Backend, f graphFunc) func(in ...*tensors.Tensor) [][]float64 {
	t.Helper()
	exec, err := graph.NewExec(be.Backend, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(exec.Finalize)
	return func(in ...*tensors.Tensor) [][]float64 {
		t.Helper()
		args := make([]any, len(in))
		for i, x := range in {
			args[i] = x
		}
		out, err := exec.Call(args...)
		if err != nil {
			t.Fatal(err)
		}
		host := make([][]float64, len(out))
		for i, o := range out {
			if host[i], err = float64s(o); err != nil {
				t.Fatal(err)
			}
			if err := o.FinalizeAll(); err != nil {
				t.Fatal(err)
			}
		}
		return host
	}
}

func float64s(o *tensors.Tensor) ([]float64, error) {
	if v, err := tensors.CopyFlatData[float64](o); err == nil {
		return v, nil
	}
	v, err := tensors.CopyFlatData[float32](o)
	if err != nil {
		return nil, err
	}
	return widen(v), nil
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// network runs f on a network in the given mode, in float32 or float64; f is given the images.
func network(t testing.TB, be *backend.Backend, a *nets.Arch, w nets.Weights, mode nets.Mode, double bool, images array,
	f func(net nets.Network, x *graph.Node) []*graph.Node) [][]float64 {
	t.Helper()
	if mode == nets.Folded {
		var err error
		if w, err = a.Fold(w); err != nil {
			t.Fatal(err)
		}
	}
	convert := array.float32
	if double {
		convert = array.float64
	}
	in := []*tensors.Tensor{convert(images)}
	names := w.Names()
	for _, name := range names {
		in = append(in, convert(array{w[name].Shape, widen(w[name].Data)}))
	}
	return run(t, be, func(in []*graph.Node) []*graph.Node {
		vars := map[string]*graph.Node{}
		for i, name := range names {
			vars[name] = in[1+i]
		}
		return f(func(x *graph.Node) *graph.Node { return a.Apply(vars, mode, x) }, in[0])
	}, in...)
}

// logits is a function for network.
func logits(net nets.Network, x *graph.Node) []*graph.Node { return []*graph.Node{net(x)} }

// gradient is a function for network: the gradient of the sum of log max softmax with respect to the images.
func gradient(net nets.Network, x *graph.Node) []*graph.Node {
	confidence := graph.ReduceAllSum(graph.ReduceMax(graph.LogSoftmax(net(x)), -1))
	return graph.Gradient(confidence, x)
}

// numeric returns the central difference quotients of f with respect to every element of x, which it leaves unchanged.
func numeric(x []float64, h float64, f func() float64) []float64 {
	g := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := f()
		x[i] = v - h
		g[i] = (up - f()) / (2 * h)
		x[i] = v
	}
	return g
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// near fails the test where got differs from want by more than tol times the larger of 1 and the largest |want|.
func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if err := compare(got, want, tol); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func compare(got, want []float64, tol float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d values, want %d", len(got), len(want))
	}
	scale := 1.0
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tol*scale) {
			return fmt.Errorf("element %d is %v, want %v (tolerance %g)", i, got[i], w, tol*scale)
		}
	}
	return nil
}

// logitsAndGradient is a function for network: the logits, and the gradient of their sum with generated weights.
func logitsAndGradient(net nets.Network, x *graph.Node) []*graph.Node {
	z := net(x)
	r := array{z.Shape().Dimensions, generated("logits", z.Shape().Size())}
	return []*graph.Node{z, graph.Gradient(weigh(z, r), x)[0]}
}
