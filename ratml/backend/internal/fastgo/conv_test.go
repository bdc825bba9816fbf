package fastgo

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Axes of the layouts in use: ours, GoMLX's two, and batch last.
var layouts = map[string]compute.ConvolveAxesConfig{
	"NHWC OIHW": {
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	},
	"NHWC HWIO": {
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	},
	"NCHW OIHW": {
		InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
		KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
	},
	"CHWN to HNWC": {
		InputChannels: 0, InputSpatial: []int{1, 2}, InputBatch: 3,
		KernelOutputChannels: 1, KernelSpatial: []int{0, 3}, KernelInputChannels: 2,
		OutputSpatial: []int{0, 2}, OutputBatch: 1, OutputChannels: 3,
	},
}

// geometry is a convolution over images of two axes.
type geometry struct {
	layout                        string
	batch, in, out                int
	size, kernel, stride, dilated [2]int
	grown                         [2]int // dilation of the input
	pad                           [2][2]int
	groups                        int
}

func (g geometry) inputs(rng *rand.Rand) []array {
	a := layouts[g.layout]
	x, k := make([]int, 4), make([]int, 4)
	x[a.InputBatch], x[a.InputChannels] = g.batch, g.in*max(g.groups, 1)
	k[a.KernelInputChannels], k[a.KernelOutputChannels] = g.in, g.out*max(g.groups, 1)
	for i := range 2 {
		x[a.InputSpatial[i]], k[a.KernelSpatial[i]] = g.size[i], g.kernel[i]
	}
	return []array{floats(rng, x...), floats(rng, k...)}
}

func (g geometry) build(f compute.Function, in []compute.Value) ([]compute.Value, error) {
	v, err := f.ConvGeneral(in[0], in[1], layouts[g.layout], g.stride[:], g.pad[:], g.grown[:], g.dilated[:], max(g.groups, 1), 1)
	return []compute.Value{v}, err
}

// valid reports whether the kernel fits into the padded input.
func (g geometry) valid() bool {
	for i := range 2 {
		if (g.size[i]-1)*g.grown[i]+1+g.pad[i][0]+g.pad[i][1] < (g.kernel[i]-1)*g.dilated[i]+1 {
			return false
		}
	}
	return true
}

// randomGeometry draws shapes on both sides of every block size.
func randomGeometry(rng *rand.Rand) geometry {
	two := func(n int) [2]int { return [2]int{1 + rng.IntN(n), 1 + rng.IntN(n)} }
	names := []string{"NHWC OIHW", "NHWC HWIO", "NCHW OIHW", "CHWN to HNWC"}
	for {
		g := geometry{
			layout: names[rng.IntN(len(names))], batch: 1 + rng.IntN(4), in: 1 + rng.IntN(20), out: 1 + rng.IntN(40),
			size: two(12), kernel: two(5), stride: two(3), dilated: two(2), grown: two(3),
			pad: [2][2]int{two(4), two(4)},
		}
		for i := range g.pad {
			g.pad[i][0]--
			g.pad[i][1]--
		}
		if rng.IntN(3) > 0 {
			g.grown = [2]int{1, 1}
		}
		if g.valid() {
			return g
		}
	}
}

func TestConvRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		g := randomGeometry(rng)
		in := g.inputs(rng)
		compare(t, in, 1e-5, g.build)
		if t.Failed() {
			t.Fatalf("%+v", g)
		}
	}
}

// The kernel of every part of a convolution has to be ours, or the tests here
// compare the wrapped backend with itself.
func TestConvIsOurs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		g := randomGeometry(rng)
		if n := steps(t, g.inputs(rng), g.build); n["kernel"] != 1 || n["foreign"] != 0 {
			t.Fatalf("%+v: steps %v, want one kernel", g, n)
		}
	}
	g := geometry{layout: "NHWC OIHW", batch: 2, in: 2, out: 3, size: [2]int{4, 4}, kernel: [2]int{3, 3},
		stride: [2]int{1, 1}, dilated: [2]int{1, 1}, grown: [2]int{1, 1}, groups: 2}
	if n := steps(t, g.inputs(rng), g.build); n["foreign"] != 1 {
		t.Errorf("grouped convolution: steps %v, want the wrapped backend's", n)
	}
	compare(t, g.inputs(rng), 0, g.build)
}

// steps compiles a computation and counts its steps.
func steps(tb testing.TB, in []array, f build) map[string]int {
	tb.Helper()
	e, err := compile(New(plain(tb)), in, f)
	if err != nil {
		tb.Fatal(err)
	}
	n := map[string]int{}
	p := e.(*executable).prog
	if p == nil {
		return map[string]int{"whole": 1}
	}
	for _, s := range p.steps {
		switch s.(type) {
		case *kernelStep:
			n["kernel"]++
		case *foreignStep:
			n["foreign"]++
		case loopStep:
			n["loop"]++
		}
	}
	return n
}

// Gradients of graph.Convolve for the shapes of our nets and some odd ones.
func TestConvolveGradients(t *testing.T) {
	p := plain(t)
	fast := New(p)
	for _, c := range []struct{ batch, size, in, out, kernel, stride, pad, dilation int }{
		{3, 28, 1, 16, 3, 2, 1, 1}, {2, 14, 16, 32, 3, 2, 1, 1}, {2, 7, 32, 64, 3, 1, 1, 1}, {5, 9, 3, 5, 1, 1, 0, 1},
		{2, 8, 4, 16, 1, 2, 0, 1}, {2, 11, 5, 7, 5, 1, 2, 1}, {2, 11, 3, 4, 7, 2, 3, 1}, {2, 9, 2, 3, 3, 1, 2, 2},
		{2, 10, 3, 2, 3, 3, 1, 1}, {1, 5, 17, 33, 3, 1, 0, 1},
	} {
		rng := rand.New(rand.NewPCG(5, 6))
		g := geometry{layout: "NHWC OIHW", batch: c.batch, in: c.in, out: c.out, size: [2]int{c.size, c.size + 1}, kernel: [2]int{c.kernel, c.kernel}}
		in := g.inputs(rng)
		f := func(x, k *graph.Node) []*graph.Node {
			y := graph.Convolve(x, k).AxesConfig(layouts[g.layout]).Strides(c.stride).DilationPerAxis(c.dilation, c.dilation).
				PaddingPerDim([][2]int{{c.pad, c.pad}, {c.pad, c.pad}}).Done()
			return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllSum(graph.Mul(graph.Square(y), graph.AddScalar(y, 1))), x, k)...)
		}
		if err := same(graphOn(t, fast, in, f), graphOn(t, p, in, f), 2e-6); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// graphOn runs a function of GoMLX graphs.
func graphOn[F graph.ExecGraphFn](t *testing.T, be compute.Backend, in []array, f F) []array {
	t.Helper()
	exec, err := graph.NewExec(be, f)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	var args []any
	for _, a := range in {
		args = append(args, tensors.FromFlatDataAndDimensions(a.flat.([]float32), a.shape.Dimensions...))
	}
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	var results []array
	for _, o := range out {
		results = append(results, array{o.Shape(), tensors.MustCopyFlatData[float32](o)})
	}
	return results
}

func FuzzConv(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 7))
		g := randomGeometry(rng)
		compare(t, g.inputs(rng), 1e-5, g.build)
		if t.Failed() {
			t.Logf("%+v", g)
		}
	})
}
