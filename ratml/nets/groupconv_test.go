package nets_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// groupConv is the definition of a convolution in groups of x [n, h, w, in] with k [out, in/groups, kh, kw].
func groupConv(x, k array, stride, pad, groups int) array {
	in, out := x.shape[3]/groups, k.shape[0]/groups
	size := in * k.shape[2] * k.shape[3] * out
	var parts []array
	for g := range groups {
		part := array{[]int{x.shape[0], x.shape[1], x.shape[2], in}, nil}
		for i := 0; i < len(x.data); i += x.shape[3] {
			part.data = append(part.data, x.data[i+g*in:i+(g+1)*in]...)
		}
		kernel := array{[]int{out, in, k.shape[2], k.shape[3]}, k.data[g*size : (g+1)*size]}
		parts = append(parts, conv(part, kernel, stride, pad))
	}
	y := array{append(parts[0].shape[:3:3], k.shape[0]), nil}
	for i := 0; i < len(parts[0].data); i += out {
		for _, p := range parts {
			y.data = append(y.data, p.data[i:i+out]...)
		}
	}
	return y
}

var groupLayers = []struct{ h, w, in, out, groups, kh, kw, stride, pad int }{
	{7, 6, 4, 4, 4, 3, 3, 1, 1},
	{7, 6, 4, 4, 4, 3, 3, 2, 1},
	{8, 8, 3, 3, 3, 3, 3, 2, 1},
	{8, 9, 3, 3, 3, 5, 5, 2, 2},
	{9, 8, 3, 3, 3, 2, 2, 1, 0},
	{9, 8, 3, 3, 3, 4, 4, 3, 1},
	{7, 8, 3, 3, 3, 2, 3, 2, 1},
	{7, 8, 3, 3, 3, 3, 2, 3, 0},
	{6, 6, 3, 3, 3, 1, 1, 2, 0},
	{5, 6, 3, 3, 3, 2, 2, 1, 2},
	{5, 6, 3, 3, 3, 1, 3, 2, 2},
	{6, 7, 4, 8, 4, 3, 3, 1, 1}, // two outputs a channel
	{6, 7, 6, 6, 3, 3, 3, 2, 1}, // all groups in one block
	{6, 7, 4, 2, 2, 2, 2, 2, 0},
	{3, 3, 66, 4, 2, 3, 3, 1, 1},  // each group alone
	{3, 3, 66, 12, 6, 1, 1, 1, 0}, // several blocks of several groups
	{5, 5, 4, 6, 1, 3, 3, 1, 1},
}

// TestGroupConv2D compares values with the definition and gradients with finite differences of it.
func TestGroupConv2D(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, l := range groupLayers {
			t.Run(fmt.Sprintf("%+v", l), func(t *testing.T) {
				x, k := normal(1, 2, l.h, l.w, l.in), normal(2, l.out, l.in/l.groups, l.kh, l.kw)
				want := groupConv(x, k, l.stride, l.pad, l.groups)
				r := normal(3, want.shape...)
				got := run(t, be, func(in []*graph.Node) []*graph.Node {
					y := nets.GroupConv2D(in[0], in[1], l.stride, l.pad, l.groups)
					return append(graph.Gradient(weigh(y, r), in...), y)
				}, x.float32(), k.float32())
				loss := func() float64 { return dot(groupConv(x, k, l.stride, l.pad, l.groups).data, r.data) }
				near(t, "gradient of x", got[0], numeric(x.data, 1, loss), 1e-6)
				near(t, "gradient of the kernel", got[1], numeric(k.data, 1, loss), 1e-6)
				near(t, "output", got[2], want.data, 1e-6)
			})
		}
	})
}

// TestDepthwiseGradients takes several gradients in one graph, gradients of gradients, and gradients of one input only.
func TestDepthwiseGradients(t *testing.T) {
	const stride, pad = 2, 1
	x, k := normal(1, 1, 5, 6, 3), normal(2, 3, 1, 3, 3)
	y := groupConv(x, k, stride, pad, 3)
	r, s := normal(3, y.shape...), normal(4, x.shape...)
	gradientOfX := func() []float64 {
		return numeric(x.data, 1, func() float64 { return dot(groupConv(x, k, stride, pad, 3).data, r.data) })
	}
	inner := func() float64 { return dot(gradientOfX(), s.data) }
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			first := nets.GroupConv2D(in[0], in[1], stride, pad, 3)
			second := nets.GroupConv2D(in[0], in[1], stride, pad, 3)
			dx := graph.Gradient(weigh(first, r), in[0])[0]
			dk := graph.Gradient(weigh(second, r), in[1])[0]
			twice := graph.Gradient(graph.Add(weigh(first, r), weigh(second, r)), in[0])[0]
			again := graph.Gradient(graph.MulScalar(weigh(first, r), 3), in[0])[0]
			mixed := graph.Gradient(weigh(dx, s), in[0], in[1])
			return append([]*graph.Node{dx, dk, twice, again}, mixed...)
		}, x.float32(), k.float32())
		dx := gradientOfX()
		near(t, "x", got[0], dx, 1e-6)
		near(t, "kernel", got[1], numeric(k.data, 1, func() float64 { return dot(groupConv(x, k, stride, pad, 3).data, r.data) }), 1e-6)
		for i := range dx {
			dx[i] *= 2
		}
		near(t, "x through two", got[2], dx, 1e-6)
		for i := range dx {
			dx[i] *= 1.5
		}
		near(t, "x again", got[3], dx, 1e-6)
		near(t, "x of that of x", got[4], make([]float64, len(x.data)), 0)
		near(t, "kernel of that of x", got[5], numeric(k.data, 1, inner), 1e-5)
	})
}

// TestDepthwiseInShortNumbers sees that sums are not rounded at each term.
func TestDepthwiseInShortNumbers(t *testing.T) {
	x, k := normal(1, 4, 16, 16, 2), normal(2, 2, 1, 7, 7)
	short := func(v *graph.Node) *graph.Node { return graph.ConvertDType(v, dtypes.BFloat16) }
	long := func(v *graph.Node) *graph.Node { return graph.ConvertDType(v, dtypes.Float32) }
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := nets.GroupConv2D(short(in[0]), short(in[1]), 1, 3, 2)
			if y.DType() != dtypes.BFloat16 {
				t.Errorf("the output is %s", y.DType())
			}
			exact := nets.GroupConv2D(long(short(in[0])), long(short(in[1])), 1, 3, 2)
			out := append(graph.Gradient(graph.ReduceAllSum(long(y)), in...), graph.Gradient(graph.ReduceAllSum(exact), in...)...)
			return append(out, long(y), exact)
		}, x.float32(), k.float32())
		for i, name := range []string{"gradient of x", "gradient of the kernel"} {
			if d := distance(got[i], got[2+i]); !(d < 3e-3) {
				t.Errorf("%s is off by %g", name, d)
			}
		}
		if d := distance(got[4], got[5]); !(d < 3e-3) {
			t.Errorf("output is off by %g", d)
		}
	})
}

func TestGroupConv2DRefuses(t *testing.T) {
	for _, groups := range []int{0, 3, 4} {
		_, err := nets.NewArch("net", nets.Input{Height: 4, Width: 4, Channels: 4}, 4, make([]float32, 4), []float32{1, 1, 1, 1},
			func(p *nets.Pass, x *graph.Node) *graph.Node {
				return nets.GlobalMean(nets.GroupConv2D(x, p.Param("k", nets.ConvWeight, 4, 2, 3, 3), 1, 1, groups))
			})
		if err == nil {
			t.Errorf("%d groups fit a kernel of 2 of 4 channels", groups)
		}
	}
}
