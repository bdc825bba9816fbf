package nets_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// layer returns an architecture that is one layer on images [h, w, c] without normalisation. Its logits are all values
// that the layer puts out.
func layer(t testing.TB, h, w, c int, f nets.Forward) *nets.Arch {
	t.Helper()
	ones := make([]float32, c)
	for i := range ones {
		ones[i] = 1
	}
	flat := func(p *nets.Pass, x *graph.Node) *graph.Node {
		y := f(p, x)
		n := x.Shape().Dimensions[0]
		return graph.Reshape(y, n, y.Shape().Size()/n)
	}
	// The layers of these tests keep the number of values, or say so by a Linear.
	a, err := nets.NewArch("layer", nets.Input{Height: h, Width: w, Channels: c}, h*w*c, make([]float32, c), ones, flat)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// weigh returns the sum of y's elements, each times that of r.
func weigh(y *graph.Node, r array) *graph.Node {
	return graph.ReduceAllSum(graph.Mul(y, graph.Reshape(graph.ConvertDType(graph.Const(y.Graph(), r.data), y.DType()), y.Shape().Dimensions...)))
}

func TestReLU(t *testing.T) {
	x := array{[]int{5}, []float64{-2, -1e-30, 0, 1e-30, 3}}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := nets.ReLU(in[0])
			return append(graph.Gradient(graph.ReduceAllSum(y), in[0]), y)
		}, x.float32())
		near(t, "derivative", got[0], []float64{0, 0, 0, 1, 1}, 0)
		near(t, "value", got[1], []float64{0, 0, 0, float64(float32(1e-30)), 3}, 0)
	})
}

func TestGlobalMean(t *testing.T) {
	x := normal(1, 2, 3, 5, 4)
	want := make([]float64, 2*4)
	for i, v := range x.data {
		want[i/60*4+i%4] += v / 15
	}
	r := normal(2, 2, 4)
	slope := make([]float64, len(x.data))
	for i := range slope {
		slope[i] = r.data[i/60*4+i%4] / 15
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := nets.GlobalMean(in[0])
			return append(graph.Gradient(weigh(y, r), in[0]), y)
		}, x.float32())
		near(t, "gradient", got[0], slope, 1e-6)
		near(t, "value", got[1], want, 1e-6)
	})
}

func TestLinear(t *testing.T) {
	const n, in, out = 3, 6, 6
	a := layer(t, 1, 1, in, func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.Linear("fc", nets.GlobalMean(x), out)
	})
	x, w, b, r := normal(1, n, 1, 1, in), normal(2, out, in), normal(3, out), normal(4, n, out)
	linear := func() []float64 {
		y := make([]float64, n*out)
		for i := range y {
			y[i] = b.data[i%out] + dot(x.data[i/out*in:][:in], w.data[i%out*in:][:in])
		}
		return y
	}
	loss := func() float64 { return dot(linear(), r.data) }
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, mode := range map[string]nets.Mode{"eval": nets.Eval, "train": nets.Train, "folded": nets.Folded} {
			t.Run(name, func(t *testing.T) {
				got := run(t, be, func(in []*graph.Node) []*graph.Node {
					vars := map[string]*graph.Node{"fc.weight": in[1], "fc.bias": in[2]}
					y := a.Apply(vars, mode, in[0])
					return append(graph.Gradient(weigh(y, r), in[:3]...), y)
				}, x.float32(), w.float32(), b.float32())
				near(t, "gradient of x", got[0], numeric(x.data, 1, loss), 1e-6)
				near(t, "gradient of the weight", got[1], numeric(w.data, 1, loss), 1e-6)
				near(t, "gradient of the bias", got[2], numeric(b.data, 1, loss), 1e-6)
				near(t, "output", got[3], linear(), 1e-6)
			})
		}
	})
}

func TestNormalisation(t *testing.T) {
	mean, std := []float32{.5, -1}, []float32{.25, 4}
	a, err := nets.NewArch("plain", nets.Input{Height: 1, Width: 1, Channels: 2}, 2, mean, std,
		func(_ *nets.Pass, x *graph.Node) *graph.Node { return nets.GlobalMean(x) })
	if err != nil {
		t.Fatal(err)
	}
	mean[0], std[0] = 9, 9 // the architecture has its own
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := a.Apply(nil, nets.Eval, in[0])
			return append(graph.Gradient(graph.ReduceAllSum(y), in[0]), y)
		}, tensors.FromFlatDataAndDimensions([]float32{1, 1, 0, 3}, 2, 1, 1, 2))
		near(t, "gradient", got[0], []float64{4, .25, 4, .25}, 0)
		near(t, "value", got[1], []float64{2, .5, -2, 1}, 0)
	})
}
