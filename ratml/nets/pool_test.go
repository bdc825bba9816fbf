package nets_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// maxPool is the definition of max pooling in torch.nn.MaxPool2d's documentation, and its gradient of the sum of outputs
// times r: of equal values the first has it.
func maxPool(x array, size, stride, pad int) (y array, gradient func(r []float64) []float64) {
	n, h, w, c := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
	oh, ow := (h+2*pad-size)/stride+1, (w+2*pad-size)/stride+1
	y.shape = []int{n, oh, ow, c}
	var from []int
	for i := range n * oh * ow * c {
		b, row, column, channel := i/(oh*ow*c), i/(ow*c)%oh*stride-pad, i/c%ow*stride-pad, i%c
		best, largest := -1, math.Inf(-1)
		for p := max(0, row); p < min(h, row+size); p++ {
			for q := max(0, column); q < min(w, column+size); q++ {
				if at := ((b*h+p)*w+q)*c + channel; best < 0 || x.data[at] > largest {
					best, largest = at, x.data[at]
				}
			}
		}
		y.data, from = append(y.data, largest), append(from, best)
	}
	return y, func(r []float64) []float64 {
		g := make([]float64, len(x.data))
		for i, at := range from {
			g[at] += r[i]
		}
		return g
	}
}

func TestMaxPool2D(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, c := range []struct{ h, w, size, stride, pad int }{
			{7, 8, 3, 2, 1}, {6, 5, 3, 2, 1}, {6, 7, 2, 2, 0}, {5, 5, 3, 1, 1}, {4, 4, 1, 1, 0}, {2, 2, 3, 2, 1}, {3, 3, 3, 3, 0},
		} {
			x := normal(1, 2, c.h, c.w, 3)
			for i := range x.data {
				x.data[i] = math.Round(x.data[i]) // most windows have ties
			}
			want, gradient := maxPool(x, c.size, c.stride, c.pad)
			r := normal(2, want.shape...)
			got := run(t, be, func(in []*graph.Node) []*graph.Node {
				y := nets.MaxPool2D(in[0], c.size, c.stride, c.pad)
				return append(graph.Gradient(weigh(y, r), in[0]), y)
			}, x.float32())
			near(t, fmt.Sprintf("%+v: gradient", c), got[0], gradient(r.data), 1e-6)
			near(t, fmt.Sprintf("%+v: value", c), got[1], want.data, 0)
		}
	})
}

func TestMeanPool2D(t *testing.T) {
	x := normal(1, 2, 5, 7, 3)
	want := make([]float64, 2*2*3*3)
	slope := make([]float64, len(x.data))
	r := normal(2, 2, 2, 3, 3)
	for i, v := range x.data {
		b, row, column, c := i/105, i/21%5/2, i/3%7/2, i%3
		if row < 2 && column < 3 {
			at := ((b*2+row)*3+column)*3 + c
			want[at] += v / 4
			slope[i] = r.data[at] / 4
		}
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			y := nets.MeanPool2D(in[0], 2)
			return append(graph.Gradient(weigh(y, r), in[0]), y)
		}, x.float32())
		near(t, "gradient", got[0], slope, 1e-6)
		near(t, "value", got[1], want, 1e-6)
	})
}

// TestAdaptiveMean2D has as few parts as pixels, fewer and more.
func TestAdaptiveMean2D(t *testing.T) {
	const parts = 4
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, size := range [][2]int{{4, 4}, {7, 4}, {10, 9}, {1, 2}, {8, 3}} {
			h, w := size[0], size[1]
			x := normal(1, 2, h, w, 2)
			mean := func() []float64 {
				var y []float64
				for i := range 2 * parts * parts * 2 {
					b, row, column, c := i/(parts*parts*2), i/(parts*2)%parts, i/2%parts, i%2
					sum, n := 0.0, 0.0
					for p := row * h / parts; p < (row*h+h+parts-1)/parts; p++ {
						for q := column * w / parts; q < (column*w+w+parts-1)/parts; q++ {
							sum, n = sum+x.data[((b*h+p)*w+q)*2+c], n+1
						}
					}
					y = append(y, sum/n)
				}
				return y
			}
			r := normal(2, 2, parts, parts, 2)
			got := run(t, be, func(in []*graph.Node) []*graph.Node {
				y := nets.AdaptiveMean2D(in[0], parts)
				return append(graph.Gradient(weigh(y, r), in[0]), y)
			}, x.float32())
			near(t, fmt.Sprint(size, " gradient"), got[0], numeric(x.data, 1, func() float64 { return dot(mean(), r.data) }), 1e-6)
			near(t, fmt.Sprint(size, " value"), got[1], mean(), 1e-6)
		}
	})
}
