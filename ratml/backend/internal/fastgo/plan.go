package fastgo

import (
	"cmp"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// A kind is the way in which a node is computed.
type kind int

const (
	source   kind = iota // a parameter or a constant
	view                 // another node's elements under another shape
	foreign              // by the wrapped backend
	kernelOp             // by one of our kernels
	loopOp               // element by element
)

// A stage is a set of nodes that one step, or a run of kernels, computes.
// Within a level stages of different kinds do not depend on each other.
type stage struct {
	level int
	kind  kind
	size  int // of a loop
}

func (s stage) compare(t stage) int {
	return cmp.Or(s.level-t.level, int(s.kind-t.kind), s.size-t.size)
}

// planner assigns the nodes of a function to stages.
type planner struct {
	f       *Function
	kind    []kind
	stage   []stage
	kernel  []kernel // of kernelOp nodes
	loop    []loopNode
	wanted  []bool // the node is computed
	stored  []bool // its elements are kept in memory beyond its stage
	members map[stage][]*node
}

func newPlanner(f *Function) *planner {
	n := len(f.nodes)
	p := &planner{
		f: f, kind: make([]kind, n), stage: make([]stage, n), kernel: make([]kernel, n), loop: make([]loopNode, n),
		wanted: make([]bool, n), stored: make([]bool, n), members: map[stage][]*node{},
	}
	reached := p.reach()
	for _, n := range f.nodes {
		if reached[n.id] {
			p.classify(n)
		}
	}
	p.want()
	for _, n := range f.nodes {
		if k := p.kind[n.id]; p.wanted[n.id] && k >= foreign {
			p.members[p.stage[n.id]] = append(p.members[p.stage[n.id]], n)
		}
	}
	return p
}

// reach marks the nodes that the outputs depend on.
func (p *planner) reach() []bool {
	reached := make([]bool, len(p.f.nodes))
	for _, n := range p.f.outputs {
		reached[n.id] = true
	}
	for _, n := range slices.Backward(p.f.nodes) {
		if !reached[n.id] {
			continue
		}
		for _, in := range n.in {
			if in != nil {
				reached[in.id] = true
			}
		}
	}
	return reached
}

// root returns the node that holds the elements of n.
func (p *planner) root(n *node) *node {
	for p.kind[n.id] == view {
		n = n.in[0]
	}
	return n
}

func (p *planner) classify(n *node) {
	p.kind[n.id] = p.kindOf(n)
	if p.kind[n.id] < foreign {
		return
	}
	s := stage{kind: p.kind[n.id]}
	if s.kind == loopOp {
		s.size = n.shape.Size()
	}
	// Nodes of one stage may depend on each other; from any other kind the
	// next level begins.
	for _, d := range p.needs(n) {
		if p.kind[d.id] < foreign {
			continue
		}
		t := p.stage[d.id]
		level := t.level
		if t.kind != s.kind || t.size != s.size {
			level++
		}
		s.level = max(s.level, level)
	}
	p.stage[n.id] = s
}

func (p *planner) kindOf(n *node) kind {
	switch {
	case n.op == opParameter || n.op == opConstant:
		return source
	case (n.op == "Reshape" || n.op == "Identity") && n.in[0].shape.DType == n.shape.DType:
		return view
	}
	if l, ok := p.asLoop(n); ok {
		p.loop[n.id] = l
		return loopOp
	}
	if k := p.asKernel(n); k != nil {
		p.kernel[n.id] = k
		return kernelOp
	}
	return foreign
}

// needs returns the nodes whose elements n reads.
func (p *planner) needs(n *node) []*node {
	var nodes []*node
	if p.kind[n.id] == loopOp {
		for _, o := range p.loop[n.id].operands {
			nodes = append(nodes, o.node)
		}
		return nodes
	}
	for _, in := range n.in {
		if in != nil {
			nodes = append(nodes, p.root(in))
		}
	}
	return nodes
}

// want marks, from the outputs back, what has to be computed and what has to
// be stored. A broadcast that only loops read is neither.
func (p *planner) want() {
	for _, n := range p.f.outputs {
		r := p.root(n)
		p.wanted[r.id], p.stored[r.id] = true, true
	}
	for _, n := range slices.Backward(p.f.nodes) {
		if !p.wanted[n.id] || p.kind[n.id] < foreign {
			continue
		}
		for _, d := range p.needs(n) {
			p.wanted[d.id] = true
			if p.stage[d.id] != p.stage[n.id] || p.kind[n.id] == kernelOp || p.kind[d.id] < foreign {
				p.stored[d.id] = true
			}
		}
	}
}

// stages returns the stages in the order in which they run.
func (p *planner) stages() []stage {
	var s []stage
	for k := range p.members {
		s = append(s, k)
	}
	slices.SortFunc(s, stage.compare)
	return s
}

func isFloat(s shapes.Shape) bool { return s.DType == dtypes.Float32 && !s.IsDynamic() && !s.IsTuple() }
