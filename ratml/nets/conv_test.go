package nets_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// conv is the definition of a convolution of x [n, h, w, in] with k [out, in, kh, kw].
func conv(x, k array, stride, pad int) array {
	n, h, w, in := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
	out, kh, kw := k.shape[0], k.shape[2], k.shape[3]
	oh, ow := (h+2*pad-kh)/stride+1, (w+2*pad-kw)/stride+1
	y := array{[]int{n, oh, ow, out}, make([]float64, n*oh*ow*out)}
	i := 0
	for b := range n {
		for r := range oh {
			for c := range ow {
				for o := range out {
					y.data[i] = window(x, k, b, r*stride-pad, c*stride-pad, o, h, w, in, kh, kw)
					i++
				}
			}
		}
	}
	return y
}

// window is one element of a convolution, whose window begins at row r and column c.
func window(x, k array, b, r, c, o, h, w, in, kh, kw int) float64 {
	sum := 0.0
	for i := range in {
		for p := range kh {
			for q := range kw {
				if y, z := r+p, c+q; y >= 0 && y < h && z >= 0 && z < w {
					sum += x.data[((b*h+y)*w+z)*in+i] * k.data[((o*in+i)*kh+p)*kw+q]
				}
			}
		}
	}
	return sum
}

// TestConv2D compares values with the definition and gradients with finite differences of it, which for a bilinear
// function have no error but rounding.
func TestConv2D(t *testing.T) {
	kernels := [][2]int{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {2, 3}, {3, 2}, {1, 4}}
	sizes := [][2]int{{7, 6}, {8, 8}, {5, 9}}
	type layer struct{ size, stride, pad int }
	var layers []layer
	for size := range sizes {
		for stride := 1; stride <= 4; stride++ {
			for pad := range 3 {
				if (size == 0 || stride == 2) && (stride < 4 || pad == 0) {
					layers = append(layers, layer{size, stride, pad})
				}
			}
		}
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, kernel := range kernels {
			t.Run(fmt.Sprintf("%dx%d", kernel[0], kernel[1]), func(t *testing.T) {
				k := normal(1, 3, 2, kernel[0], kernel[1])
				var xs []array
				for _, s := range sizes {
					xs = append(xs, normal(2, 2, s[0], s[1], 2))
				}
				var r []array // the gradient of the loss at the output of each layer
				for i, l := range layers {
					r = append(r, normal(uint64(3+i), conv(xs[l.size], k, l.stride, l.pad).shape...))
				}
				got := run(t, be, func(in []*graph.Node) (out []*graph.Node) {
					for i, l := range layers {
						y := nets.Conv2D(in[1+l.size], in[0], l.stride, l.pad)
						loss := graph.ReduceAllSum(graph.Mul(y, graph.Const(y.Graph(), r[i].float32())))
						out = append(append(out, y), graph.Gradient(loss, in[1+l.size], in[0])...)
					}
					return out
				}, k.float32(), xs[0].float32(), xs[1].float32(), xs[2].float32())
				for i, l := range layers {
					x := xs[l.size]
					loss := func() float64 { return dot(conv(x, k, l.stride, l.pad).data, r[i].data) }
					name := fmt.Sprintf("image %v, stride %d, pad %d", sizes[l.size], l.stride, l.pad)
					near(t, name+": output", got[3*i], conv(x, k, l.stride, l.pad).data, 1e-6)
					near(t, name+": gradient of x", got[3*i+1], numeric(x.data, 1, loss), 1e-6)
					near(t, name+": gradient of the kernel", got[3*i+2], numeric(k.data, 1, loss), 1e-6)
				}
			})
		}
	})
}

// TestEvenKernelsInGoMLX shows why Conv2D makes even kernels odd. When it fails, GoMLX has been mended and Conv2D can
// be a plain Convolve.
func TestEvenKernelsInGoMLX(t *testing.T) {
	// Convolve wants kernels as [kh, kw, in, out].
	x, k := normal(1, 1, 4, 4, 1), normal(2, 2, 2, 1, 1)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := graph.Convolve(in[0], in[1]).NoPadding().Done()
			return append(graph.Gradient(graph.ReduceAllSum(y), in[0], in[1]), y)
		}, x.float32(), k.float32())
		oihw := array{[]int{1, 1, 2, 2}, k.data}
		sum := func() float64 {
			s := 0.0
			for _, v := range conv(x, oihw, 1, 0).data {
				s += v
			}
			return s
		}
		near(t, "output", got[2], conv(x, oihw, 1, 0).data, 1e-6)
		near(t, "gradient of the kernel", got[1], numeric(k.data, 1, sum), 1e-6)
		if err := compare(got[0], numeric(x.data, 1, sum), 1e-3); err == nil {
			t.Error("the gradient of an even kernel's input is right")
		}
	})
}
