package corrupt

import "math"

// bell returns the weights of a Gaussian of deviation sigma, cut off at so many deviations; they sum to 1.
//
// Source: scipy.ndimage.gaussian_filter1d.
func bell(sigma, truncate float64) []float64 {
	if sigma <= 1e-15 {
		return []float64{1}
	}
	return bellOf(int(truncate*sigma+0.5), sigma)
}

// bellOf returns the 2*radius+1 weights of a Gaussian; they sum to 1.
func bellOf(radius int, sigma float64) []float64 {
	weights, sum := make([]float64, 2*radius+1), 0.0
	for i := range weights {
		d := float64(i - radius)
		weights[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// A filter is a linear map of n values: value i is the sum of weights[i] times values from first[i] on.
type filter struct {
	first   []int
	weights [][]float64
}

// newFilter returns the correlation of n values with an odd kernel. Weights beyond the ends fall to the values that
// stand for those, so a kernel far longer than the axis costs no more than n operations a value.
func newFilter(n int, kernel []float64, edge func(i, n int) int) filter {
	f := filter{make([]int, n), make([][]float64, n)}
	radius := len(kernel) / 2
	for i := range n {
		low, high := max(0, i-radius), min(n-1, i+radius)
		f.first[i] = low
		if high-low == 2*radius {
			f.weights[i] = kernel
			continue
		}
		f.weights[i] = make([]float64, high-low+1)
		for k, w := range kernel {
			f.weights[i][edge(i+k-radius, n)-low] += w
		}
	}
	return f
}

// A blur filters heights, then widths.
type blur struct{ down, across filter }

// newBlur returns the Gaussian blur of h x w images.
func newBlur(h, w int, sigma, truncate float64, edge func(i, n int) int) blur {
	kernel := bell(sigma, truncate)
	return blur{newFilter(h, kernel, edge), newFilter(w, kernel, edge)}
}

// apply blurs f in place.
func (b blur) apply(f *frame) {
	rows := newFrame(f.h, f.w, f.c)
	for y := range f.h {
		for k, weight := range b.down.weights[y] {
			axpy(weight, f.row(b.down.first[y]+k), rows.row(y))
		}
	}
	clear(f.v)
	for y := range f.h {
		b.across.row(f.row(y), rows.row(y), f.c)
	}
}

// row filters one row of c channels.
func (f filter) row(dst, src []float64, c int) {
	for x, weights := range f.weights {
		from := src[f.first[x]*c:]
		if c == 1 {
			sum := 0.0
			for k, w := range weights {
				sum += w * from[k]
			}
			dst[x] = sum
			continue
		}
		var r, g, b float64
		for k, w := range weights {
			p := from[3*k : 3*k+3 : 3*k+3]
			r += w * p[0]
			g += w * p[1]
			b += w * p[2]
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = r, g, b
	}
}

// convolve replaces f by its correlation with a square kernel of odd side; the border is mirrored (reflect101).
func convolve(f *frame, kernel [][]float64) {
	r := len(kernel) / 2
	padded := newFrame(f.h+2*r, f.w+2*r, f.c)
	for y := range padded.h {
		src, dst := f.row(reflect101(y-r, f.h)), padded.row(y)
		for x := range padded.w {
			at := reflect101(x-r, f.w) * f.c
			copy(dst[x*f.c:(x+1)*f.c], src[at:])
		}
	}
	clear(f.v)
	for y := range f.h {
		for ky, weights := range kernel {
			row := padded.row(y + ky)
			for kx, weight := range weights {
				if weight != 0 {
					axpy(weight, row[kx*f.c:(kx+f.w)*f.c], f.row(y))
				}
			}
		}
	}
}

// bilinear stores into dst the values of f between its pixels at (y,x).
func (f *frame) bilinear(y, x float64, edge func(i, n int) int, dst []float64) {
	fy, fx := math.Floor(y), math.Floor(x)
	ty, tx := y-fy, x-fx
	y0, x0 := edge(int(fy), f.h), edge(int(fx), f.w)
	y1, x1 := edge(int(fy)+1, f.h), edge(int(fx)+1, f.w)
	for k := range dst {
		top := (1-tx)*f.v[(y0*f.w+x0)*f.c+k] + tx*f.v[(y0*f.w+x1)*f.c+k]
		bottom := (1-tx)*f.v[(y1*f.w+x0)*f.c+k] + tx*f.v[(y1*f.w+x1)*f.c+k]
		dst[k] = (1-ty)*top + ty*bottom
	}
}

// zoomed returns f enlarged about its middle by a factor of at least 1 and cut to its size: linear between pixels, the
// corner pixels of the part that is enlarged staying corners.
func (f *frame) zoomed(factor float64) *frame {
	rows, columns := zoomAxis(f.h, factor), zoomAxis(f.w, factor)
	out := newFrame(f.h, f.w, f.c)
	line := make([]float64, f.w*f.c)
	for y, a := range rows {
		clear(line)
		axpy(1-a.t, f.row(a.from), line)
		axpy(a.t, f.row(a.to), line)
		dst := out.row(y)
		for x, b := range columns {
			for k := range f.c {
				dst[x*f.c+k] = (1-b.t)*line[b.from*f.c+k] + b.t*line[b.to*f.c+k]
			}
		}
	}
	return out
}

// A mix is a value between two others: (1-t) of value from and t of value to.
type mix struct {
	from, to int
	t        float64
}

// zoomAxis returns where the n values of an enlarged axis come from.
//
// Source: scipy.ndimage.zoom, and clipped_zoom of hendrycks/robustness.
func zoomAxis(n int, factor float64) []mix {
	crop := int(math.Ceil(float64(n) / factor))
	top := (n - crop) / 2
	large := int(math.RoundToEven(float64(crop) * factor))
	trim := (large - n) / 2
	step := 0.0
	if large > 1 {
		step = float64(crop-1) / float64(large-1)
	}
	axis := make([]mix, n)
	for i := range axis {
		at := min(float64(i+trim)*step, float64(crop-1))
		from := int(at)
		axis[i] = mix{top + from, top + min(from+1, crop-1), at - float64(from)}
	}
	return axis
}
