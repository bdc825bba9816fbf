package corrupt

import (
	"math"

	"gonum.org/v1/gonum/blas/gonum"
)

// A frame is an image: values in the order height, width, channel, bytes divided by 255.
type frame struct {
	h, w, c int
	v       []float64
}

func newFrame(h, w, c int) *frame { return &frame{h, w, c, make([]float64, h*w*c)} }

func (f *frame) fromBytes(pixels []uint8) {
	for i, p := range pixels {
		f.v[i] = float64(p) / 255
	}
}

// toBytes rounds down, as the original does. The margin leaves values alone that are whole but for rounding.
func (f *frame) toBytes(pixels []uint8) {
	for i, v := range f.v {
		pixels[i] = uint8(unit(v)*255 + 1e-4)
	}
}

// bytes returns the values as the nearest bytes.
func (f *frame) bytes() []uint8 {
	pixels := make([]uint8, len(f.v))
	for i, v := range f.v {
		pixels[i] = uint8(math.Round(unit(v) * 255))
	}
	return pixels
}

// row returns row y.
func (f *frame) row(y int) []float64 { return f.v[y*f.w*f.c:][:f.w*f.c] }

// grey returns the luma of pixel i, by the weights of ITU-R BT.601.
func (f *frame) grey(i int) float64 {
	if f.c == 1 {
		return f.v[i]
	}
	return 0.299*f.v[3*i] + 0.587*f.v[3*i+1] + 0.114*f.v[3*i+2]
}

// add adds weight times g, moved so that value (y,x) comes from (y+dy, x+dx) of g. Pixels outside are those at the edge.
func (f *frame) add(weight float64, g *frame, dy, dx int) {
	// The columns that do not come from outside.
	from := min(max(-dx, 0), f.w)
	to := max(min(f.w-dx, f.w), from)
	for y := range f.h {
		dst, src := f.row(y), g.row(nearest(y+dy, g.h))
		edge := func(first, last, at int) {
			for x := first; x < last; x++ {
				axpy(weight, src[at*f.c:(at+1)*f.c], dst[x*f.c:])
			}
		}
		edge(0, from, 0)
		if from < to {
			axpy(weight, src[(from+dx)*f.c:(to+dx)*f.c], dst[from*f.c:])
		}
		edge(to, f.w, f.w-1)
	}
}

// axpy adds a*x to y.
func axpy(a float64, x, y []float64) {
	gonum.Implementation{}.Daxpy(len(x), a, x, 1, y, 1)
}

// unit cuts v off at 0 and 1.
func unit(v float64) float64 { return min(max(v, 0), 1) }

// The ways to go on beyond the ends of n values: the index that stands for index i.

// nearest repeats the value at the end.
func nearest(i, n int) int { return min(max(i, 0), n-1) }

// reflect mirrors at the outer border of the value at the end: c b a | a b c.
func reflect(i, n int) int {
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// reflect101 mirrors at the value at the end: c b | a b c.
func reflect101(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2*n - 2
	i = ((i % period) + period) % period
	return min(i, period-i)
}
