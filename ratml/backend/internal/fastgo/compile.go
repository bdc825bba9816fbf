package fastgo

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// compiler turns a plan into a program.
type compiler struct {
	*planner
	prog *program
	slot map[*node]int
}

func newProgram(be *Backend, f *Function) (*program, error) {
	c := &compiler{newPlanner(f), &program{be: be}, map[*node]int{}}
	for _, n := range f.params {
		c.prog.params = append(c.prog.params, c.slotOf(n))
	}
	for _, s := range c.stages() {
		nodes := c.members[s]
		switch s.kind {
		case loopOp:
			c.prog.steps = append(c.prog.steps, loopStep{newLoop(c.planner, nodes, c.slotOf)})
		case kernelOp:
			for _, n := range nodes {
				k := &kernelStep{kernel: c.kernel[n.id], out: c.slotOf(n)}
				for _, d := range c.needs(n) {
					k.in = append(k.in, c.slotOf(d))
				}
				c.prog.steps = append(c.prog.steps, k)
			}
		case foreign:
			step, err := c.foreignStep(nodes)
			if err != nil {
				return nil, err
			}
			c.prog.steps = append(c.prog.steps, step)
		}
	}
	for _, n := range f.outputs {
		c.prog.outputs = append(c.prog.outputs, output{slot: c.slotOf(c.root(n)), shape: n.shape})
	}
	c.lifetimes()
	c.memory()
	return c.prog, nil
}

// slotOf returns the slot of a node that holds elements of its own.
func (c *compiler) slotOf(n *node) int {
	i, ok := c.slot[n]
	if !ok {
		i = len(c.prog.slots)
		s := slot{shape: n.shape, made: c.kind[n.id] >= foreign}
		if n.op == opConstant {
			s.constant = n.attrs[0]
		}
		c.prog.slots = append(c.prog.slots, s)
		c.slot[n] = i
	}
	return i
}

// lifetimes finds where each slot is read last.
func (c *compiler) lifetimes() {
	p := c.prog
	kept := map[int]bool{}
	for i := range slices.Backward(p.outputs) {
		o := &p.outputs[i]
		o.last = !kept[o.slot]
		kept[o.slot] = true
	}
	last := map[int]int{}
	for i, s := range p.steps {
		for _, k := range slices.Concat(s.reads(), s.writes()) {
			last[k] = i
		}
	}
	p.releases = make([][]int, len(p.steps))
	for k, i := range last {
		if p.slots[k].made && !kept[k] {
			p.releases[i] = append(p.releases[i], k)
		}
	}
}

// memory gives buffers to the slots that the wrapped backend or the caller
// will see.
func (c *compiler) memory() {
	p := c.prog
	need := func(k int) {
		if p.slots[k].made {
			p.slots[k].pool = p.be.pool(p.slots[k].shape)
		}
	}
	for _, o := range p.outputs {
		need(o.slot)
	}
	for k, s := range p.slots {
		if s.shape.DType != dtypes.Float32 {
			need(k)
		}
	}
	for _, s := range p.steps {
		if f, ok := s.(*foreignStep); ok {
			for _, k := range f.in {
				need(k)
			}
		}
	}
	for _, s := range p.steps {
		if f, ok := s.(*foreignStep); ok {
			for _, k := range f.out {
				p.slots[k].pool = nil // the wrapped backend brings its own
			}
		}
	}
}

// foreignStep builds the nodes anew as a computation of the wrapped backend.
func (c *compiler) foreignStep(nodes []*node) (*foreignStep, error) {
	b := c.prog.be.inner.Builder("part")
	g := b.Main()
	s := &foreignStep{}
	values := map[*node]compute.Value{}
	own := map[*node]bool{}
	for _, n := range nodes {
		own[n] = true
	}
	var value func(n *node) (compute.Value, error)
	value = func(n *node) (v compute.Value, err error) {
		if v, ok := values[n]; ok {
			return v, nil
		}
		switch {
		case n.op == opConstant:
			v, err = n.emit(g, nil)
		case own[n] || c.kind[n.id] == view:
			in := make([]compute.Value, len(n.in))
			for i, d := range n.in {
				if d == nil {
					continue
				}
				if in[i], err = value(d); err != nil {
					return nil, err
				}
			}
			v, err = n.emit(g, in)
		default:
			v, err = g.Parameter(fmt.Sprintf("x%d", len(s.in)), n.shape, nil)
			s.in = append(s.in, c.slotOf(n))
		}
		values[n] = v
		return v, err
	}
	var out []compute.Value
	for _, n := range nodes {
		v, err := value(n)
		if err != nil {
			return nil, err
		}
		if c.stored[n.id] {
			out = append(out, v)
			s.out = append(s.out, c.slotOf(n))
		}
	}
	if err := g.Return(out, nil); err != nil {
		return nil, err
	}
	var err error
	s.exec, err = b.Compile()
	return s, err
}
