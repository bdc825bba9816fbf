package fastgo

import "slices"

// A reduction is a sum, maximum or minimum over the middle one of three axes.
type reduction struct {
	outer, reduced, inner int
	op                    string
}

// asReduction describes the reductions over axes that are one behind the other.
func asReduction(n *node) kernel {
	in := n.in[0].shape.Dimensions
	axes := n.attrs[0].([]int)
	r := reduction{1, 1, 1, n.op}
	for i, d := range in {
		switch {
		case d == 1:
		case len(axes) == 0 || slices.Contains(axes, i):
			if r.inner > 1 {
				return nil // reduced axes on both sides of one that is kept
			}
			r.reduced *= d
		case r.reduced > 1:
			r.inner *= d
		default:
			r.outer *= d
		}
	}
	return r
}

// chunk is the number of elements that are summed in float32; sums of chunks
// are added in float64. It does not depend on the number of processors.
const chunk = 256

func (r reduction) run(dst []float32, in [][]float32) error {
	src := in[0]
	if r.inner == 1 {
		return split(r.outer, 1, r.reduced, func(from, to int) {
			for i := from; i < to; i++ {
				dst[i] = r.row(src[i*r.reduced : (i+1)*r.reduced])
			}
		})
	}
	if r.outer == 1 {
		return r.columns(dst, src)
	}
	return split(r.outer, 1, r.reduced*r.inner, func(from, to int) {
		for i := from; i < to; i++ {
			r.block(dst[i*r.inner:(i+1)*r.inner], src[i*r.reduced*r.inner:(i+1)*r.reduced*r.inner])
		}
	})
}

// row reduces a contiguous run.
func (r reduction) row(src []float32) float32 {
	if r.op != "ReduceSum" {
		m := src[0]
		for _, v := range src[1:] {
			m = r.pick(m, v)
		}
		return m
	}
	var sum float64
	for part := range slices.Chunk(src, chunk) {
		var s [4]float32 // four sums at a time, for an addition takes four cycles
		for len(part) >= 4 {
			s[0] += part[0]
			s[1] += part[1]
			s[2] += part[2]
			s[3] += part[3]
			part = part[4:]
		}
		for _, v := range part {
			s[0] += v
		}
		sum += float64(s[0]+s[1]) + float64(s[2]+s[3])
	}
	return float32(sum)
}

func (r reduction) pick(a, b float32) float32 {
	if r.op == "ReduceMax" {
		return max(a, b)
	}
	return min(a, b)
}

// block reduces the rows of a matrix to one.
func (r reduction) block(dst, src []float32) {
	if r.op != "ReduceSum" {
		copy(dst, src[:r.inner])
		for row := range slices.Chunk(src[r.inner:], r.inner) {
			for i, v := range row {
				dst[i] = r.pick(dst[i], v)
			}
		}
		return
	}
	sums := make([]float64, r.inner)
	part := make([]float32, r.inner)
	for rows := range slices.Chunk(src, chunk*r.inner) {
		clear(part)
		addRows(part, rows)
		for i, v := range part {
			sums[i] += float64(v)
		}
	}
	for i, v := range sums {
		dst[i] = float32(v)
	}
}

// columns reduces the rows of one large matrix: ranges of rows in parallel,
// then their results.
func (r reduction) columns(dst, src []float32) error {
	parts := (r.reduced + chunk - 1) / chunk
	partial := scratch(parts * r.inner)
	defer recycle(partial)
	err := split(parts, 1, chunk*r.inner, func(from, to int) {
		for p := from; p < to; p++ {
			out := partial[p*r.inner : (p+1)*r.inner]
			rows := src[p*chunk*r.inner : min((p+1)*chunk, r.reduced)*r.inner]
			if r.op == "ReduceSum" {
				clear(out)
				addRows(out, rows)
				continue
			}
			r.block(out, rows)
		}
	})
	if err != nil {
		return err
	}
	if r.op != "ReduceSum" {
		r.block(dst, partial)
		return nil
	}
	for i := range dst {
		var sum float64
		for p := range parts {
			sum += float64(partial[p*r.inner+i])
		}
		dst[i] = float32(sum)
	}
	return nil
}

// addRows adds the rows of a matrix to dst.
func addRows(dst, rows []float32) {
	for len(rows) >= 2*len(dst) {
		a, b := rows[:len(dst)], rows[len(dst):2*len(dst)]
		for i := range dst {
			dst[i] += a[i] + b[i]
		}
		rows = rows[2*len(dst):]
	}
	if len(rows) > 0 {
		for i := range dst {
			dst[i] += rows[i]
		}
	}
}
