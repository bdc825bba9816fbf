package fastgo

import "slices"

// A strided is a set of elements of an array: the first one's index, and for
// each axis the distance between neighbours.
type strided struct {
	first   int
	strides []int
}

// contiguous returns the row-major strides of an array.
func contiguous(dims []int) []int {
	strides, s := make([]int, len(dims)), 1
	for i, d := range slices.Backward(dims) {
		strides[i] = s
		s *= d
	}
	return strides
}

// A move copies an array of dimensions dims from one set of elements to another.
type move struct {
	dims     []int
	dst, src strided
}

// newMove drops axes of one element and merges those that lie one behind the
// other on both sides.
func newMove(dims []int, dst, src strided) move {
	m := move{dst: strided{first: dst.first}, src: strided{first: src.first}}
	for i, d := range dims {
		if d == 1 {
			continue
		}
		if n := len(m.dims); n > 0 && m.dst.strides[n-1] == d*dst.strides[i] && m.src.strides[n-1] == d*src.strides[i] {
			m.dims[n-1] *= d
			m.dst.strides[n-1], m.src.strides[n-1] = dst.strides[i], src.strides[i]
			continue
		}
		m.dims = append(m.dims, d)
		m.dst.strides = append(m.dst.strides, dst.strides[i])
		m.src.strides = append(m.src.strides, src.strides[i])
	}
	if len(m.dims) == 0 {
		m.dims, m.dst.strides, m.src.strides = []int{1}, []int{1}, []int{1}
	}
	return m
}

// run copies, the outermost axis in parallel.
func (m move) run(dst, src []float32) error {
	inner := 1
	for _, d := range m.dims[1:] {
		inner *= d
	}
	return split(m.dims[0], 1, inner, func(from, to int) {
		m.part(dst, src, from, to)
	})
}

// part copies the elements whose position along the first axis lies in a range.
func (m move) part(dst, src []float32, from, to int) {
	last := len(m.dims) - 1
	dims := slices.Clone(m.dims)
	dims[0] = to - from
	i, j := m.dst.first+from*m.dst.strides[0], m.src.first+from*m.src.strides[0]
	if last >= 1 && m.src.strides[last] != 1 && m.dst.strides[last] == 1 && m.src.strides[last-1] == 1 {
		m.transpose(dst, src, dims, i, j)
		return
	}
	odometer(dims[:last], m.dst.strides, m.src.strides, i, j, func(i, j int) {
		copyRow(dst, src, dims[last], i, m.dst.strides[last], j, m.src.strides[last])
	})
}

// transpose copies in small squares, because along either of the last two axes
// one side's elements lie far apart.
func (m move) transpose(dst, src []float32, dims []int, i, j int) {
	const square = 16
	last := len(dims) - 1
	rows, cols := dims[last-1], dims[last]
	ds, ss := m.dst.strides[last-1], m.src.strides[last]
	odometer(dims[:last-1], m.dst.strides, m.src.strides, i, j, func(i, j int) {
		for r := 0; r < rows; r += square {
			for c := 0; c < cols; c += square {
				for k := r; k < min(r+square, rows); k++ {
					copyRow(dst, src, min(square, cols-c), i+k*ds+c, 1, j+k+c*ss, ss)
				}
			}
		}
	})
}

func copyRow(dst, src []float32, n, i, ds, j, ss int) {
	if ds == 1 && ss == 1 {
		copy(dst[i:i+n], src[j:j+n])
		return
	}
	for range n {
		dst[i] = src[j]
		i += ds
		j += ss
	}
}

// odometer calls f with the indices i and j of every position of dims.
func odometer(dims, is, js []int, i, j int, f func(i, j int)) {
	if len(dims) == 0 {
		f(i, j)
		return
	}
	pos := make([]int, len(dims))
	for {
		f(i, j)
		k := len(dims) - 1
		for ; k >= 0; k-- {
			pos[k]++
			i += is[k]
			j += js[k]
			if pos[k] < dims[k] {
				break
			}
			i -= dims[k] * is[k]
			j -= dims[k] * js[k]
			pos[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// copies is a kernel that moves elements of its operands. What no operand
// covers is set to the operand filler, if there is one.
type copies struct {
	moves  []move
	from   []int // the operand of each move
	filler int   // -1 for none
}

func (c copies) run(dst []float32, in [][]float32) error {
	if c.filler >= 0 {
		fill(dst, in[c.filler][0])
	}
	for i, m := range c.moves {
		if err := m.run(dst, in[c.from[i]]); err != nil {
			return err
		}
	}
	return nil
}

// asCopies describes the operations that only move elements.
func asCopies(n *node) kernel {
	out := n.shape.Dimensions
	dst := strided{0, contiguous(out)}
	one := func(m move) kernel { return copies{[]move{m}, []int{0}, -1} }
	in := n.in[0].shape.Dimensions
	src := strided{0, contiguous(in)}
	switch n.op {
	case "Transpose":
		for i, a := range n.attrs[0].([]int) {
			src.strides[i] = contiguous(in)[a]
		}
		return one(newMove(out, dst, src))
	case "Reverse":
		for _, a := range n.attrs[0].([]int) {
			src.first += (in[a] - 1) * src.strides[a]
			src.strides[a] = -src.strides[a]
		}
		return one(newMove(out, dst, src))
	case "Slice":
		starts, strides := n.attrs[0].([]int), n.attrs[2].([]int)
		for i := range out {
			start := starts[i]
			if start < 0 {
				start += in[i]
			}
			src.first += min(max(start, 0), in[i]) * src.strides[i]
			if i < len(strides) {
				src.strides[i] *= max(strides[i], 1)
			}
		}
		return one(newMove(out, dst, src))
	case "Pad":
		return asPad(n)
	case "Concatenate":
		c, at := copies{filler: -1}, 0
		a := n.attrs[0].(int)
		for i, x := range n.in {
			d := x.shape.Dimensions
			c.moves = append(c.moves, newMove(d, strided{at * dst.strides[a], dst.strides}, strided{0, contiguous(d)}))
			c.from = append(c.from, i)
			at += d[a]
		}
		return c
	}
	return nil
}

func asPad(n *node) kernel {
	in, out := n.in[0].shape.Dimensions, n.shape.Dimensions
	dst := strided{0, contiguous(out)}
	if n.in[1].shape.Size() != 1 || n.in[0].shape.Size() == 0 {
		return nil
	}
	pads := padsOf(n)
	for i, p := range pads {
		if p.Start < 0 || p.End < 0 || p.Interior < 0 {
			return nil
		}
		dst.first += p.Start * dst.strides[i]
		dst.strides[i] *= p.Interior + 1
	}
	return copies{[]move{newMove(in, dst, strided{0, contiguous(in)})}, []int{0}, 1}
}
