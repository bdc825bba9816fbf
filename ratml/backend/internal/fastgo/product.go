package fastgo

import (
	"math"
	"runtime"
	"slices"
)

// A tile is the part of a product that stays in registers while it is summed.
const (
	tileRows = 6
	tileCols = 16
	// depth is the number of terms that are summed in registers. Sums of that
	// many are added up in memory, which also keeps their rounding small.
	depth = 256
)

// A product is C = A·B for an A whose element (m, k) lies at index
// rows[m]+cols[k] of an array. Convolutions have that form too, with no copy
// of A: m is a position of the output, and k a tap and a channel.
type product struct {
	rows, cols []int32
	out        []int32 // index of row m in C
	n          int     // columns of C
	step       int     // distance between columns of C
	maxA, maxC int     // largest indices that are used
}

// A dim is one of the axes that the rows, the terms or the columns of a
// product run over: its extent, and its strides in the arrays.
type dim struct{ extent, a, b, c int }

// newProduct makes a product of the axes of its rows and terms. It fails if
// the arrays are too large for its tables.
func newProduct(rows, terms []dim, a0, c0, n, step int) (*product, bool) {
	a, c := func(d dim) int { return d.a }, func(d dim) int { return d.c }
	p := &product{n: n, step: step}
	var ok [3]bool
	p.rows, ok[0] = table(rows, a0, a)
	p.cols, ok[1] = table(terms, 0, a)
	p.out, ok[2] = table(rows, c0, c)
	if len(p.rows) > 0 {
		p.maxA, p.maxC = int(slices.Max(p.rows)), int(slices.Max(p.out))+(n-1)*step
	}
	if len(p.cols) > 0 {
		p.maxA += int(slices.Max(p.cols))
	}
	return p, ok[0] && ok[1] && ok[2]
}

// table lists the indices of all positions, the last axis running fastest.
func table(dims []dim, first int, stride func(dim) int) ([]int32, bool) {
	count, top := 1, first
	for _, d := range dims {
		count *= d.extent
		top += (d.extent - 1) * stride(d)
	}
	if count > math.MaxInt32 || top > math.MaxInt32 || first > math.MaxInt32 {
		return nil, false
	}
	t := make([]int32, 1, max(count, 1))
	t[0] = int32(first)
	for _, d := range dims {
		next := make([]int32, 0, len(t)*d.extent)
		for _, v := range t {
			for i := range d.extent {
				next = append(next, v+int32(i*stride(d)))
			}
		}
		t = next
	}
	return t, true
}

// panels holds B as columns of tileCols: element (k, c) of panel j lies at
// data[j*step+k*row+c].
type panels struct {
	data      []float32
	step, row int
}

// run computes C. b must have as many rows as the product has terms.
func (p *product) run(c, a []float32, b panels) error {
	count := (p.n + tileCols - 1) / tileCols
	m, k := len(p.rows), len(p.cols)
	if m == 0 {
		return nil
	}
	if k > 0 && (p.maxA >= len(a) || (count-1)*b.step+(k-1)*b.row+tileCols > len(b.data)) || p.maxC >= len(c) {
		panic("product: index out of range")
	}
	block := m*count/(4*runtime.GOMAXPROCS(0)) + 1
	block = min((block+tileRows-1)/tileRows, 16) * tileRows
	blocks := (m + block - 1) / block
	return split(blocks*count, 1, block*tileCols*k/8, func(from, to int) {
		var w tileWork
		for u := from; u < to; u++ {
			first := u / count * block
			p.block(&w, c, a, b, first, min(first+block, m), u%count)
		}
	})
}

// tileWork is the memory of one worker.
type tileWork struct {
	sums [16 * tileRows * tileCols]float32
	rows [tileRows]int32
}

// within are the places of a tile's rows in tileWork.sums.
var within = [tileRows]int32{0, tileCols, 2 * tileCols, 3 * tileCols, 4 * tileCols, 5 * tileCols}

// block computes rows first to last of one panel of C.
func (p *product) block(w *tileWork, c, a []float32, b panels, first, last, panel int) {
	width := min(tileCols, p.n-panel*tileCols)
	direct := p.step == 1 && width == tileCols
	for k0 := 0; k0 == 0 || k0 < len(p.cols); k0 += depth {
		k1 := min(k0+depth, len(p.cols))
		cols, rhs := p.cols[k0:k1], b.data
		if k1 > k0 {
			rhs = b.data[panel*b.step+k0*b.row:]
		}
		for r := first; r < last; r += tileRows {
			if direct && r+tileRows <= last {
				tile(cols, p.rows[r:r+tileRows], a, rhs, b.row, c[panel*tileCols:], p.out[r:r+tileRows], k0 > 0)
				continue
			}
			n := copy(w.rows[:], p.rows[r:last])
			for ; n < tileRows; n++ {
				w.rows[n] = w.rows[n-1]
			}
			tile(cols, w.rows[:], a, rhs, b.row, w.sums[(r-first)*tileCols:], within[:], k0 > 0)
		}
	}
	for r := first; r < last; r++ {
		if direct && r < first+(last-first)/tileRows*tileRows {
			continue
		}
		sums := w.sums[(r-first)*tileCols:][:width]
		at := int(p.out[r]) + panel*tileCols*p.step
		if p.step == 1 {
			copy(c[at:], sums)
			continue
		}
		for i, v := range sums {
			c[at+i*p.step] = v
		}
	}
}

// A packing lays an operand B out in panels.
type packing struct {
	rows    []int32 // index of each row's first element
	n, step int     // columns and the distance between them
	inPlace int     // the distance between rows where B can be used as it lies, else 0
}

// newPacking describes B by the axes of its rows, in the order of the
// product's terms.
func newPacking(terms []dim, b0, n, step int) (packing, bool) {
	rows, ok := table(terms, b0, func(d dim) int { return d.b })
	p := packing{rows: rows, n: n, step: step}
	if ok && step == 1 && n%tileCols == 0 && len(rows) > 1 && b0 == 0 {
		p.inPlace = int(rows[1] - rows[0])
		for i := range rows {
			if int(rows[i]) != i*p.inPlace {
				p.inPlace = 0
				break
			}
		}
	}
	return p, ok
}

// pack returns B in panels and, if they are in scratch memory, that memory.
func (p packing) pack(b []float32) (panels, []float32, error) {
	if p.inPlace > 0 {
		return panels{b, tileCols, p.inPlace}, nil, nil
	}
	k, count := len(p.rows), (p.n+tileCols-1)/tileCols
	memory := scratch(count * k * tileCols)
	err := split(k, 1, p.n, func(from, to int) {
		for j := range count {
			width := min(tileCols, p.n-j*tileCols)
			for i := from; i < to; i++ {
				dst := memory[(j*k+i)*tileCols:][:tileCols]
				at := int(p.rows[i]) + j*tileCols*p.step
				if p.step == 1 {
					clear(dst[copy(dst[:width], b[at:]):])
					continue
				}
				for c := range width {
					dst[c] = b[at+c*p.step]
				}
				clear(dst[width:])
			}
		}
	})
	return panels{memory, k * tileCols, tileCols}, memory, err
}

// byStride orders axes so that the one with the smallest stride runs fastest.
func byStride(dims []dim, stride func(dim) int) []dim {
	kept := slices.DeleteFunc(slices.Clone(dims), func(d dim) bool { return d.extent == 1 })
	slices.SortStableFunc(kept, func(x, y dim) int { return abs(stride(y)) - abs(stride(x)) })
	return kept
}

func abs(x int) int { return max(x, -x) }
