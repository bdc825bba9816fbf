package dataset

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Interpolation is how pixels between pixels are made.
type Interpolation int

const (
	Bilinear Interpolation = iota // a triangle, one pixel to either side
	Bicubic                       // Keys's cubic with a = -1/2, two pixels to either side
)

// String returns the name, as in "bilinear".
func (m Interpolation) String() string {
	switch m {
	case Bilinear:
		return "bilinear"
	case Bicubic:
		return "bicubic"
	}
	return fmt.Sprintf("Interpolation(%d)", int(m))
}

// kernel returns how far the kernel reaches and its weight at x. The conversions keep processors from fusing
// operations: weights are Pillow's to the last bit.
func (m Interpolation) kernel() (support float64, weight func(x float64) float64) {
	if m == Bilinear {
		return 1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }
	}
	return 2, func(x float64) float64 {
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64((float64((a+2)*x)-(a+3))*x*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	}
}

// Resize returns the image, of which pixels holds the bytes in the order height, width, channel, resampled to the given
// height and width. Where an image shrinks the kernel widens with it, so that every pixel counts (antialiasing). The
// bytes are those of Pillow's Image.resize, which torchvision's transforms call: widths first, then heights, each with
// weights in fixed point and rounded to bytes. It is an error if the pixels do not fit the shape or a side is not
// positive.
//
// Source: Pillow, src/libImaging/Resample.c.
func Resize(pixels []uint8, from Shape, height, width int, how Interpolation) ([]uint8, error) {
	if len(pixels) != from.Size() {
		return nil, fmt.Errorf("dataset: resizing %d values as an image of %v", len(pixels), from)
	}
	whole := func(b box) ([]uint8, error) { return cut(pixels, from, b), nil }
	return resample(whole, from, height, width, box{0, 0, height, width}, how)
}

// cut returns the pixels in a part of an image, which are not copied where it is as wide as the image.
func cut(pixels []uint8, from Shape, b box) []uint8 {
	c := from.Channels
	if b.width == from.Width {
		return pixels[b.top*b.width*c:][:b.height*b.width*c]
	}
	part := make([]uint8, 0, b.height*b.width*c)
	for y := range b.height {
		part = append(part, pixels[((b.top+y)*from.Width+b.left)*c:][:b.width*c]...)
	}
	return part
}

// resample is Resize for what b cuts out of the result. It asks for the part of the source that this depends on.
func resample(source func(box) ([]uint8, error), from Shape, height, width int, b box, how Interpolation) ([]uint8, error) {
	switch {
	case from.Height < 1 || from.Width < 1 || from.Channels < 1:
		return nil, fmt.Errorf("dataset: resizing an image of %v", from)
	case height < 1 || width < 1:
		return nil, fmt.Errorf("dataset: resizing an image of %v to %dx%d: sides must be at least 1", from, height, width)
	case how != Bilinear && how != Bicubic:
		return nil, fmt.Errorf("dataset: resizing an image of %v with %v, want bilinear or bicubic", from, how)
	}
	across, down := newFilter(from.Width, width, b.left, b.width, how), newFilter(from.Height, height, b.top, b.height, how)
	first, last := down.span()
	left, right := across.span()
	if from.Height == height {
		first, last = b.top, b.top+b.height
	}
	if from.Width == width {
		left, right = b.left, b.left+b.width
	}
	rows, err := source(box{first, left, last - first, right - left})
	if err != nil {
		return nil, err
	}
	c := from.Channels
	if from.Width != width {
		out := make([]uint8, (last-first)*b.width*c)
		stride := (right - left) * c
		for y := range last - first {
			across.row(out[y*b.width*c:][:b.width*c], rows[y*stride:][:stride], left, c)
		}
		rows = out
	}
	if from.Height == height {
		return slices.Clone(rows), nil
	}
	out := make([]uint8, b.height*b.width*c)
	sums := make([]int32, b.width*c)
	for y, w := range down.windows {
		w.first -= first
		w.column(out[y*b.width*c:][:b.width*c], rows, sums)
	}
	return out, nil
}

// precision is the number of bits after the point of a weight: a byte times it fits 32 bits, with two bits for the
// overshoot of bicubic weights.
const precision = 32 - 8 - 2

// A filter makes the values along one axis.
type filter struct{ windows []window }

// A window is the source of one value: weights that sum to about 1, in fixed point, for values from first on.
type window struct {
	first   int
	weights []int32
}

type filterKey struct {
	in, out, at, n int
	how            Interpolation
}

// filters keeps the weights of the last sizes seen: images of a set often have one size.
var filters struct {
	sync.Mutex
	known map[filterKey]*filter
}

// newFilter returns the filter from in values to the n from at on of out.
func newFilter(in, out, at, n int, how Interpolation) *filter {
	key := filterKey{in, out, at, n, how}
	filters.Lock()
	f := filters.known[key]
	filters.Unlock()
	if f != nil {
		return f
	}
	f = makeFilter(in, out, at, n, how)
	filters.Lock()
	if filters.known == nil || len(filters.known) >= 256 {
		filters.known = map[filterKey]*filter{}
	}
	filters.known[key] = f
	filters.Unlock()
	return f
}

func makeFilter(in, out, at, n int, how Interpolation) *filter {
	support, kernel := how.kernel()
	scale := float64(in) / float64(out)
	wide := max(1, scale)
	support *= wide
	shrink := 1 / wide
	f := &filter{make([]window, n)}
	var weights []float64
	for i := range f.windows {
		centre := float64((float64(at+i) + 0.5) * scale)
		first := max(0, int(centre-support+0.5))
		last := min(in, int(centre+support+0.5))
		weights = weights[:0]
		sum := 0.0
		for x := first; x < last; x++ {
			w := kernel((float64(x) - centre + 0.5) * shrink)
			weights = append(weights, w)
			sum += w
		}
		fixed := make([]int32, len(weights))
		for j, w := range weights {
			if sum != 0 {
				w /= sum
			}
			fixed[j] = int32(w*(1<<precision) + math.Copysign(0.5, w))
		}
		for len(fixed) > 1 && fixed[0] == 0 { // adds nothing
			first, fixed = first+1, fixed[1:]
		}
		for len(fixed) > 1 && fixed[len(fixed)-1] == 0 {
			fixed = fixed[:len(fixed)-1]
		}
		f.windows[i] = window{first, fixed}
	}
	return f
}

// span returns the first value that the windows need and the one after the last.
func (f *filter) span() (first, end int) {
	first = f.windows[0].first
	for _, w := range f.windows {
		first, end = min(first, w.first), max(end, w.first+len(w.weights))
	}
	return first, end
}

// row makes the values of a row of pixels of c channels; the source begins at pixel left.
func (f *filter) row(dst, src []uint8, left, c int) {
	const half = 1 << (precision - 1)
	if c == 3 {
		for i, w := range f.windows {
			from := src[(w.first-left)*3:][:len(w.weights)*3]
			to := dst[i*3 : i*3+3 : i*3+3]
			switch k := w.weights; len(k) {
			case 2:
				from = from[:6]
				to[0] = clip(half + int32(from[0])*k[0] + int32(from[3])*k[1])
				to[1] = clip(half + int32(from[1])*k[0] + int32(from[4])*k[1])
				to[2] = clip(half + int32(from[2])*k[0] + int32(from[5])*k[1])
			case 3:
				from = from[:9]
				to[0] = clip(half + int32(from[0])*k[0] + int32(from[3])*k[1] + int32(from[6])*k[2])
				to[1] = clip(half + int32(from[1])*k[0] + int32(from[4])*k[1] + int32(from[7])*k[2])
				to[2] = clip(half + int32(from[2])*k[0] + int32(from[5])*k[1] + int32(from[8])*k[2])
			default:
				r, g, b := int32(half), int32(half), int32(half)
				for _, k := range k {
					r += int32(from[0]) * k
					g += int32(from[1]) * k
					b += int32(from[2]) * k
					from = from[3:]
				}
				to[0], to[1], to[2] = clip(r), clip(g), clip(b)
			}
		}
		return
	}
	for i, w := range f.windows {
		for ch := range c {
			sum := int32(half)
			for j, k := range w.weights {
				sum += int32(src[(w.first-left+j)*c+ch]) * k
			}
			dst[i*c+ch] = clip(sum)
		}
	}
}

// column makes a row from the rows of the window, which are as long as it; sums is memory of that length.
func (w window) column(dst, rows []uint8, sums []int32) {
	const half = 1 << (precision - 1)
	n := len(dst)
	row := func(j int) []uint8 { return rows[(w.first+j)*n:][:n] }
	switch k := w.weights; len(k) {
	case 2:
		a, b, ka, kb := row(0), row(1), k[0], k[1]
		for i := range dst {
			dst[i] = clip(half + int32(a[i])*ka + int32(b[i])*kb)
		}
		return
	case 3:
		a, b, c, ka, kb, kc := row(0), row(1), row(2), k[0], k[1], k[2]
		for i := range dst {
			dst[i] = clip(half + int32(a[i])*ka + int32(b[i])*kb + int32(c[i])*kc)
		}
		return
	case 4:
		a, b, c, d, ka, kb, kc, kd := row(0), row(1), row(2), row(3), k[0], k[1], k[2], k[3]
		for i := range dst {
			dst[i] = clip(half + int32(a[i])*ka + int32(b[i])*kb + int32(c[i])*kc + int32(d[i])*kd)
		}
		return
	}
	for i := range sums {
		sums[i] = half
	}
	for j, k := range w.weights {
		row := row(j)
		for i, v := range row {
			sums[i] += int32(v) * k
		}
	}
	for i, s := range sums {
		dst[i] = clip(s)
	}
}

// clip returns the byte next to a sum to which half was added.
func clip(sum int32) uint8 {
	v := sum >> precision
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}
