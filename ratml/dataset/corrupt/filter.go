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

// A run is a stretch of equal weights in one row of a kernel.
type run struct {
	row, first, n int
	weight        float64
}

// runs returns the weights of a kernel that are not 0.
func runs(kernel [][]float64) []run {
	var list []run
	for y, weights := range kernel {
		for x, w := range weights {
			last := len(list) - 1
			switch {
			case w == 0:
			case x > 0 && last >= 0 && list[last].row == y && list[last].first+list[last].n == x && math.Abs(list[last].weight-w) < 1e-15:
				list[last].n++
			default:
				list = append(list, run{y, x, 1, w})
			}
		}
	}
	return list
}

// convolve replaces f by its correlation with a square kernel of odd side, given as runs; the border is mirrored
// (reflect101). A long run is the difference of two running sums.
func convolve(f *frame, side int, kernel []run) {
	r, c := side/2, f.c
	padded := newFrame(f.h+2*r, f.w+2*r, c)
	sums := newFrame(f.h+2*r, f.w+2*r+1, c)
	for y := range padded.h {
		src, dst, sum := f.row(reflect101(y-r, f.h)), padded.row(y), sums.row(y)
		for x := range padded.w {
			at := reflect101(x-r, f.w) * c
			copy(dst[x*c:(x+1)*c], src[at:])
			for k := x * c; k < (x+1)*c; k++ {
				sum[k+c] = sum[k] + dst[k]
			}
		}
	}
	clear(f.v)
	for y := range f.h {
		dst := f.row(y)
		for _, t := range kernel {
			row, sum := padded.row(y+t.row), sums.row(y+t.row)
			if t.n > 2 {
				axpy(t.weight, sum[(t.first+t.n)*c:(t.first+t.n+f.w)*c], dst)
				axpy(-t.weight, sum[t.first*c:(t.first+f.w)*c], dst)
				continue
			}
			for x := t.first; x < t.first+t.n; x++ {
				axpy(t.weight, row[x*c:(x+f.w)*c], dst)
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

// A zoom enlarges images about their middle, and cuts them to their size: linear between pixels, the corner pixels of the
// part that is enlarged staying corners.
type zoom struct{ rows, columns []mix }

// newZoom returns the zoom of h x w images by a factor of at least 1.
func newZoom(h, w int, factor float64) zoom { return zoom{zoomAxis(h, factor), zoomAxis(w, factor)} }

// addTo adds weight times the enlarged f to sum.
func (z zoom) addTo(sum *frame, weight float64, f *frame) {
	line := make([]float64, f.w*f.c)
	for y, a := range z.rows {
		clear(line)
		axpy(weight*(1-a.t), f.row(a.from), line)
		axpy(weight*a.t, f.row(a.to), line)
		dst := sum.row(y)
		if f.c == 1 {
			for x, b := range z.columns {
				dst[x] += (1-b.t)*line[b.from] + b.t*line[b.to]
			}
			continue
		}
		for x, b := range z.columns {
			p, q, d := line[3*b.from:][:3], line[3*b.to:][:3], dst[3*x:][:3]
			s, t := 1-b.t, b.t
			d[0] += s*p[0] + t*q[0]
			d[1] += s*p[1] + t*q[1]
			d[2] += s*p[2] + t*q[2]
		}
	}
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
