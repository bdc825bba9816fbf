package fastgo

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// A loopNode is one elementwise operation within a loop.
type loopNode struct {
	apply    elementwise
	operands []operand
}

// An operand names the elements that an elementwise operation reads.
type operand struct {
	node *node
	read pattern
}

// A pattern maps the index of an element of the loop to that of an element of
// the operand. Its axes run from the innermost outwards; the index is the sum
// of each axis' position times its stride. No axes: the indices are equal.
type pattern []axis

type axis struct{ extent, stride int }

// scalar reads the one element of an operand everywhere.
var scalar = pattern{{1, 0}}

// newPattern simplifies the pattern of an array of these dimensions and strides.
func newPattern(dims, strides []int) pattern {
	p := pattern{}
	for i, d := range slices.Backward(dims) {
		if d == 1 {
			continue
		}
		if n := len(p); n > 0 && strides[i] == p[n-1].stride*p[n-1].extent {
			p[n-1].extent *= d
			continue
		}
		p = append(p, axis{d, strides[i]})
	}
	switch {
	case len(p) == 0, len(p) == 1 && p[0].stride == 0:
		return scalar
	case len(p) == 1 && p[0].stride == 1:
		return nil
	}
	return p
}

// asLoop describes n as an elementwise operation, if it is one on float32 or
// on truth values.
func (p *planner) asLoop(n *node) (loopNode, bool) {
	if !loopType(n.shape) || n.shape.Size() == 0 {
		return loopNode{}, false
	}
	if n.op == "BroadcastInDim" {
		o, ok := p.spread(n)
		return loopNode{identity, []operand{o}}, ok
	}
	apply, ok := elementwiseOf(n)
	if !ok {
		return loopNode{}, false
	}
	l := loopNode{apply: apply}
	for _, in := range n.in {
		o, ok := p.operand(in, n.shape)
		if !ok {
			return loopNode{}, false
		}
		l.operands = append(l.operands, o)
	}
	return l, true
}

func loopType(s shapes.Shape) bool { return isFloat(s) || s.DType == dtypes.Bool && !s.IsDynamic() }

// operand says how a loop over shape reads n.
func (p *planner) operand(n *node, shape shapes.Shape) (operand, bool) {
	if !loopType(n.shape) {
		return operand{}, false
	}
	r := p.root(n)
	switch {
	case n.shape.Size() == shape.Size():
		// Shapes that broadcast to each other differ in ones only.
		if r.op == "BroadcastInDim" && p.kind[r.id] == loopOp {
			// Read what was broadcast, so that the broadcast need not exist.
			return p.loop[r.id].operands[0], true
		}
		return operand{r, nil}, true
	case n.shape.Size() == 1:
		return operand{r, scalar}, true
	case n.shape.Rank() != shape.Rank():
		return operand{}, false
	}
	strides, ok := stretch(n.shape.Dimensions, shape.Dimensions)
	return operand{r, newPattern(shape.Dimensions, strides)}, ok
}

// spread is the operand of a BroadcastInDim.
func (p *planner) spread(n *node) (operand, bool) {
	in := n.in[0]
	if !loopType(in.shape) {
		return operand{}, false
	}
	r := p.root(in)
	switch in.shape.Size() {
	case n.shape.Size():
		return operand{r, nil}, true
	case 1:
		return operand{r, scalar}, true
	}
	axes := n.attrs[1].([]int)
	dims := slices.Repeat([]int{1}, n.shape.Rank())
	for i, a := range axes {
		dims[a] = in.shape.Dimensions[i]
	}
	strides, ok := stretch(dims, n.shape.Dimensions)
	return operand{r, newPattern(n.shape.Dimensions, strides)}, ok
}

// stretch returns the strides with which an array of dimensions from, some of
// them 1, is read as one of dimensions to.
func stretch(from, to []int) ([]int, bool) {
	strides, s := make([]int, len(from)), 1
	for i, d := range slices.Backward(from) {
		if d != 1 {
			if d != to[i] {
				return nil, false
			}
			strides[i] = s
		}
		s *= d
	}
	return strides, true
}
