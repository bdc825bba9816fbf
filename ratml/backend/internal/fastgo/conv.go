package fastgo

import (
	"slices"

	"github.com/gomlx/compute"
)

// A conv is a convolution as a sum of products over the padded input, one for
// each phase of a dilated input. The gradients of a convolution are
// convolutions of this kind too.
type conv struct {
	pad    *copies // copies the input into its padding; nil if there is none
	padded int     // elements of the padded input
	parts  []part
}

type part struct {
	product *product
	packing packing
}

func (v conv) run(dst []float32, in [][]float32) error {
	x := in[0]
	if v.pad != nil {
		memory := scratch(v.padded)
		defer recycle(memory)
		if err := v.pad.run(memory, [][]float32{x, {0}}); err != nil {
			return err
		}
		x = memory
	}
	for _, p := range v.parts {
		b, memory, err := p.packing.pack(in[1])
		if err == nil {
			err = p.product.run(dst, x, b)
		}
		if memory != nil {
			recycle(memory)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A phase is a set of output positions along one axis that read the same taps
// of the kernel: output first, first+every, ... (count of them) read inputs at,
// at+step, ... for tap, and a further input every move for each of the taps.
type phase struct {
	first, every, count int
	at, step            int
	tap, skip, taps     int
	move                int
}

// phases cuts an axis into its phases. stride, dilation (of the kernel), grow
// (dilation of the input) and pad are as in ConvGeneral.
func phases(out, kernel, stride, dilation, grow, pad int) []phase {
	var list []phase
	every := grow / gcd(stride, grow)
	skip := grow / gcd(dilation, grow)
	for first := range min(every, out) {
		p := phase{
			first: first, every: every, count: (out - first + every - 1) / every,
			step: every * stride / grow, skip: skip, move: skip * dilation / grow,
		}
		for tap := range min(skip, kernel) {
			if at := first*stride + tap*dilation - pad; at%grow == 0 {
				p.at, p.tap, p.taps = at/grow, tap, (kernel-tap+skip-1)/skip
				break
			}
		}
		list = append(list, p)
	}
	return list
}

// asConv describes a convolution without groups.
func asConv(n *node) kernel {
	axes := n.attrs[0].(compute.ConvolveAxesConfig)
	if n.attrs[5].(int) > 1 || n.attrs[6].(int) > 1 {
		return nil
	}
	x, k, y := n.in[0].shape.Dimensions, n.in[1].shape.Dimensions, n.shape.Dimensions
	spatial := make([][]phase, len(axes.InputSpatial))
	lo, hi := make([]int, len(x)), make([]int, len(x)) // padding by axis of x
	for i, a := range axes.InputSpatial {
		spatial[i] = phases(y[axes.OutputSpatial[i]], k[axes.KernelSpatial[i]],
			item(n.attrs[1], i), item(n.attrs[4], i), item(n.attrs[3], i), before(n, i))
		for _, p := range spatial[i] {
			if p.taps > 0 {
				lo[a] = max(lo[a], -p.at)
				hi[a] = max(hi[a], p.at+(p.count-1)*p.step+(p.taps-1)*p.move-(x[a]-1))
			}
		}
	}
	v := conv{padded: 1}
	dims := make([]int, len(x))
	needed := false
	for i, d := range x {
		dims[i] = lo[i] + d + hi[i]
		v.padded *= dims[i]
		needed = needed || dims[i] != d
	}
	sx, sk, sy := contiguous(dims), contiguous(k), contiguous(y)
	if needed {
		dst := strided{0, sx}
		for i := range dims {
			dst.first += lo[i] * sx[i]
		}
		v.pad = &copies{[]move{newMove(x, dst, strided{0, contiguous(x)})}, []int{0}, 1}
	}
	for c := (combination{list: spatial}); c.next(); {
		rows := []dim{{x[axes.InputBatch], sx[axes.InputBatch], 0, sy[axes.OutputBatch]}}
		terms := []dim{{x[axes.InputChannels], sx[axes.InputChannels], sk[axes.KernelInputChannels], 0}}
		var a0, b0, c0 int
		for i, p := range c.chosen {
			xs, ks, ys := axes.InputSpatial[i], axes.KernelSpatial[i], axes.OutputSpatial[i]
			rows = append(rows, dim{p.count, p.step * sx[xs], 0, p.every * sy[ys]})
			terms = append(terms, dim{p.taps, p.move * sx[xs], p.skip * sk[ks], 0})
			a0 += (p.at + lo[xs]) * sx[xs]
			b0 += p.tap * sk[ks]
			c0 += p.first * sy[ys]
		}
		part, ok := newPart(rows, terms, a0, b0, c0,
			dim{k[axes.KernelOutputChannels], 0, sk[axes.KernelOutputChannels], sy[axes.OutputChannels]})
		if !ok {
			return nil
		}
		v.parts = append(v.parts, part)
	}
	return v
}

// newPart makes a product from its axes. Where the second operand can be used
// as it lies, the terms follow its order, else that of the first.
func newPart(rows, terms []dim, a0, b0, c0 int, column dim) (part, bool) {
	if slices.ContainsFunc(terms, func(d dim) bool { return d.extent == 0 }) {
		// No terms: the sum is 0, and nothing may be read.
		terms, a0, rows = []dim{{}}, 0, slices.Clone(rows)
		for i := range rows {
			rows[i].a = 0
		}
	}
	a, b := func(d dim) int { return d.a }, func(d dim) int { return d.b }
	order := byStride(terms, b)
	packing, ok := newPacking(order, b0, column.extent, column.b)
	if ok && packing.inPlace == 0 {
		order = byStride(terms, a)
		packing, ok = newPacking(order, b0, column.extent, column.b)
	}
	if !ok {
		return part{}, false
	}
	p, ok := newProduct(byStride(rows, a), order, a0, c0, column.extent, column.c)
	return part{p, packing}, ok
}

// combination runs through all ways of choosing one phase for each axis.
type combination struct {
	list   [][]phase
	chosen []phase
	at     []int
}

func (c *combination) next() bool {
	if c.at == nil {
		c.at = make([]int, len(c.list))
		c.chosen = make([]phase, len(c.list))
	} else {
		i := 0
		for ; i < len(c.at); i++ {
			if c.at[i]++; c.at[i] < len(c.list[i]) {
				break
			}
			c.at[i] = 0
		}
		if i == len(c.at) {
			return false
		}
	}
	for i, k := range c.at {
		c.chosen[i] = c.list[i][k]
	}
	return true
}

// item returns element i of an optional list of strides or dilations.
func item(list any, i int) int {
	if l := list.([]int); i < len(l) {
		return max(l[i], 1)
	}
	return 1
}

// before returns the padding before axis i.
func before(n *node, i int) int {
	if p := n.attrs[2].([][2]int); i < len(p) {
		return p[i][0]
	}
	return 0
}
