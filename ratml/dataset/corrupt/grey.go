package corrupt

import "math"

// A grey is an image of bytes with one channel.
type grey struct {
	h, w int
	v    []uint8
}

func newGrey(h, w int) grey { return grey{h, w, make([]uint8, h*w)} }

// edges finds edges by Canny's method, gradients by Sobel and their size as |dx|+|dy|: those stronger than high, and
// those stronger than low that hang together with them.
//
// Source: Canny, "A computational approach to edge detection", 1986; OpenCV, modules/imgproc/src/canny.cpp, whose
// border and ties are taken over.
func (g grey) edges(low, high int) edgeMap {
	dx, dy, size := g.sobel()
	stride := g.w + 2
	const (
		none = iota
		weak
		strong
	)
	kind := make([]uint8, len(size))
	var stack []int
	for i := range g.v {
		at := (i/g.w+1)*stride + i%g.w + 1
		m := size[at]
		if m <= low {
			continue
		}
		x, y := abs(dx[i]), abs(dy[i])<<15
		flat := x * 13573 // tan 22.5 degrees, in units of 2^-15
		before, after := at-1, at+1
		equal := true // whether a tie with the neighbour after counts as an edge
		switch {
		case y < flat:
		case y > flat+x<<16: // tan 67.5 degrees is 2 more
			before, after = at-stride, at+stride
		default:
			s := 1
			if dx[i]^dy[i] < 0 {
				s = -1
			}
			before, after, equal = at-stride-s, at+stride+s, false
		}
		if m > size[before] && (m > size[after] || equal && m == size[after]) {
			kind[at] = weak
			if m > high {
				kind[at] = strong
				stack = append(stack, at)
			}
		}
	}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, to := range [...]int{at - stride - 1, at - stride, at - stride + 1, at - 1, at + 1, at + stride - 1, at + stride, at + stride + 1} {
			if kind[to] == weak {
				kind[to] = strong
				stack = append(stack, to)
			}
		}
	}
	e := edgeMap{g.h, g.w, make([]bool, g.h*g.w)}
	for i := range e.v {
		e.v[i] = kind[(i/g.w+1)*stride+i%g.w+1] == strong
	}
	return e
}

// sobel returns the gradient of each pixel, and its size with a border of zeros around.
func (g grey) sobel() (dx, dy, size []int) {
	dx, dy, size = make([]int, len(g.v)), make([]int, len(g.v)), make([]int, (g.h+2)*(g.w+2))
	at := func(y, x int) int { return int(g.v[nearest(y, g.h)*g.w+nearest(x, g.w)]) }
	for i := range g.v {
		y, x := i/g.w, i%g.w
		dx[i] = at(y-1, x+1) + 2*at(y, x+1) + at(y+1, x+1) - at(y-1, x-1) - 2*at(y, x-1) - at(y+1, x-1)
		dy[i] = at(y+1, x-1) + 2*at(y+1, x) + at(y+1, x+1) - at(y-1, x-1) - 2*at(y-1, x) - at(y-1, x+1)
		size[(y+1)*(g.w+2)+x+1] = abs(dx[i]) + abs(dy[i])
	}
	return dx, dy, size
}

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}

// An edgeMap tells which pixels are edges.
type edgeMap struct {
	h, w int
	v    []bool
}

// distance returns the distance of each pixel to the next edge, about Euclidean: steps of 1, 1.4 and 2.1969 for
// neighbours aside, diagonal and a knight's move away. Without any edge it is large everywhere.
//
// Source: Borgefors, "Distance transformations in digital images", 1986; OpenCV, modules/imgproc/src/distransf.cpp.
func (e edgeMap) distance() *frame {
	const aside, diagonal, knight = 1, 1.4, 2.1969
	steps := [...]struct {
		dy, dx int
		cost   float64
	}{{-2, -1, knight}, {-2, 1, knight}, {-1, -2, knight}, {-1, -1, diagonal}, {-1, 0, aside}, {-1, 1, diagonal}, {-1, 2, knight}, {0, -1, aside}}
	stride := e.w + 4
	d := make([]float64, (e.h+4)*stride)
	for i := range d {
		d[i] = 1e9
	}
	for i, edge := range e.v {
		if edge {
			d[(i/e.w+2)*stride+i%e.w+2] = 0
		}
	}
	for i := range e.v {
		at := (i/e.w+2)*stride + i%e.w + 2
		for _, s := range steps {
			d[at] = min(d[at], d[at+s.dy*stride+s.dx]+s.cost)
		}
	}
	out := newFrame(e.h, e.w, 1)
	for i := len(e.v) - 1; i >= 0; i-- {
		at := (i/e.w+2)*stride + i%e.w + 2
		for _, s := range steps {
			d[at] = min(d[at], d[at-s.dy*stride-s.dx]+s.cost)
		}
		out.v[i] = d[at]
	}
	return out
}

// blurred returns f, cut off at the limit, as the means of 3x3 pixels rounded down to bytes.
func (f *frame) blurred(limit float64) grey {
	for i := range f.v {
		f.v[i] = min(f.v[i], limit)
	}
	third := newFilter(f.h, []float64{1, 1, 1}, reflect101)
	blur{third, newFilter(f.w, []float64{1, 1, 1}, reflect101)}.apply(f)
	g := newGrey(f.h, f.w)
	for i, v := range f.v {
		g.v[i] = uint8(v/9 + 1e-6)
	}
	return g
}

// equalised returns g with as even a histogram as can be. Source: OpenCV, modules/imgproc/src/histogram.cpp.
func (g grey) equalised() grey {
	var counts [256]int
	for _, v := range g.v {
		counts[v]++
	}
	first := 0
	for counts[first] == 0 {
		first++
	}
	if counts[first] == len(g.v) {
		return g
	}
	scale := 255 / float64(len(g.v)-counts[first])
	var table [256]uint8
	sum := 0
	for k := first + 1; k < 256; k++ {
		sum += counts[k]
		table[k] = uint8(math.RoundToEven(float64(sum) * scale))
	}
	out := newGrey(g.h, g.w)
	for i, v := range g.v {
		out.v[i] = table[v]
	}
	return out
}

// embossed returns g as a relief lit from one corner.
func (g grey) embossed() grey {
	return g.correlate([9]int{-2, -1, 0, -1, 1, 1, 0, 1, 2}, 1)
}

// mean returns the means of 3x3 pixels.
func (g grey) mean() grey {
	return g.correlate([9]int{1, 1, 1, 1, 1, 1, 1, 1, 1}, 9)
}

// correlate returns the correlation of g with a kernel of 3x3, divided and rounded; the border is mirrored.
func (g grey) correlate(kernel [9]int, divisor float64) grey {
	out := newGrey(g.h, g.w)
	for i := range g.v {
		y, x, sum := i/g.w, i%g.w, 0
		for k, weight := range kernel {
			sum += weight * int(g.v[reflect101(y+k/3-1, g.h)*g.w+reflect101(x+k%3-1, g.w)])
		}
		out.v[i] = uint8(min(max(math.Round(float64(sum)/divisor), 0), 255))
	}
	return out
}
