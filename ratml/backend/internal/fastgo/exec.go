package fastgo

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Compile ends the building of the computation.
func (b *Builder) Compile() (compute.Executable, error) {
	whole, err := b.inner.Compile()
	if err != nil {
		return nil, err
	}
	if b.whole {
		return &executable{Executable: whole, be: b.be}, nil
	}
	prog, err := newProgram(b.be, b.main)
	if err != nil {
		whole.Finalize()
		return nil, fmt.Errorf("fastgo: compile %s: %w", b.Name(), err)
	}
	return &executable{Executable: whole, be: b.be, prog: prog}, nil
}

// An executable runs a program, or without one the wrapped backend's own
// executable, which also describes its inputs and outputs.
type executable struct {
	compute.Executable
	be   *Backend
	prog *program
}

func (e *executable) Finalize() {
	e.Executable.Finalize()
	if e.prog != nil {
		e.prog.finalize()
	}
}

func (e *executable) Execute(in []compute.Buffer, donate []bool, d compute.DeviceNum) ([]compute.Buffer, error) {
	raw := make([]compute.Buffer, len(in))
	for i, b := range in {
		w, ok := b.(*buffer)
		if !ok || w.be != e.be {
			return nil, fmt.Errorf("input %d is a %T of another backend", i, b)
		}
		raw[i] = w.Buffer
	}
	if e.prog != nil {
		if err := e.check(raw); err != nil {
			return nil, err
		}
		return e.prog.execute(in, raw, donate)
	}
	out, err := e.Executable.Execute(raw, donate, d)
	if err != nil {
		return nil, err
	}
	for i, b := range out {
		out[i] = &buffer{Buffer: b, be: e.be}
	}
	return out, nil
}

// check compares the inputs with the parameters.
func (e *executable) check(in []compute.Buffer) error {
	names, want := e.Inputs()
	if len(in) != len(want) {
		return fmt.Errorf("%d inputs for %d parameters", len(in), len(want))
	}
	for i, b := range in {
		s, err := b.Shape()
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if !s.Equal(want[i]) {
			return fmt.Errorf("parameter %q (input %d) has shape %s, not %s", names[i], i, want[i], s)
		}
	}
	return nil
}

// A program is a sequence of steps on arrays that are kept in slots.
type program struct {
	be       *Backend
	slots    []slot
	params   []int
	outputs  []output
	steps    []step
	releases [][]int // slots that no step after this one reads
}

// A slot is one array.
type slot struct {
	shape    shapes.Shape
	constant any   // its elements, if they never change
	made     bool  // by a step
	pool     *pool // of its buffer; nil for scratch memory
}

// An output is an array that is returned under a shape.
type output struct {
	slot  int
	shape shapes.Shape
	last  bool // no later output is in the same slot
}

// A step computes some slots from others.
type step interface {
	run(x *execution) error
}

// An execution is one run of a program.
type execution struct {
	prog *program
	buf  []compute.Buffer
	flat []any
}

func (x *execution) floats(slot int) []float32 { return x.flat[slot].([]float32) }

// make reserves memory for a slot.
func (x *execution) make(slot int) error {
	s := x.prog.slots[slot]
	if s.pool == nil {
		x.flat[slot] = scratch(s.shape.Size())
		return nil
	}
	b, err := s.pool.get()
	if err != nil {
		return err
	}
	return x.set(slot, b)
}

// set puts a buffer into a slot.
func (x *execution) set(slot int, b compute.Buffer) error {
	var err error
	x.buf[slot] = b
	x.flat[slot], err = b.Data()
	return err
}

// release gives the memory of a slot back.
func (x *execution) release(slot int) error {
	b, flat := x.buf[slot], x.flat[slot]
	x.buf[slot], x.flat[slot] = nil, nil
	switch p := x.prog.slots[slot].pool; {
	case p != nil:
		p.put(b)
	case b != nil:
		return b.Finalize()
	default:
		recycle(flat.([]float32))
	}
	return nil
}

// execute runs the program on the buffers raw of in.
func (p *program) execute(in, raw []compute.Buffer, donate []bool) (out []compute.Buffer, err error) {
	x := &execution{prog: p, buf: make([]compute.Buffer, len(p.slots)), flat: make([]any, len(p.slots))}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fastgo: %v", r)
		}
	}()
	for i, s := range p.slots {
		x.flat[i] = s.constant
	}
	for i, b := range raw {
		if err := x.set(p.params[i], b); err != nil {
			return nil, err
		}
	}
	for i, s := range p.steps {
		if err := s.run(x); err != nil {
			return nil, err
		}
		for _, r := range p.releases[i] {
			if err := x.release(r); err != nil {
				return nil, err
			}
		}
	}
	for _, o := range p.outputs {
		b, err := x.output(o)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	for i, b := range in {
		if i < len(donate) && donate[i] {
			if err := b.(*buffer).donate(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// output hands a slot's buffer over, or a copy if it is not the program's to
// give or has another shape.
func (x *execution) output(o output) (compute.Buffer, error) {
	s := x.prog.slots[o.slot]
	if s.made && o.last && s.shape.Equal(o.shape) {
		return &buffer{Buffer: x.buf[o.slot], be: x.prog.be, pool: s.pool}, nil
	}
	return x.prog.be.BufferFromFlatData(0, x.flat[o.slot], o.shape)
}

func (p *program) finalize() {
	for _, s := range p.steps {
		if f, ok := s.(*foreignStep); ok {
			f.exec.Finalize()
		}
	}
}

// kernelStep runs one kernel.
type kernelStep struct {
	kernel kernel
	in     []int
	out    int
}

func (s *kernelStep) run(x *execution) error {
	if err := x.make(s.out); err != nil {
		return err
	}
	in := make([][]float32, len(s.in))
	for i, k := range s.in {
		in[i] = x.floats(k)
	}
	return s.kernel.run(x.floats(s.out), in)
}

// loopStep runs one loop.
type loopStep struct{ *loop }

func (s loopStep) run(x *execution) error {
	for _, o := range s.outputs {
		if err := x.make(o.slot); err != nil {
			return err
		}
	}
	return s.loop.run(x)
}

// foreignStep runs operations on the wrapped backend.
type foreignStep struct {
	exec    compute.Executable
	in, out []int
}

func (s *foreignStep) run(x *execution) error {
	in := make([]compute.Buffer, len(s.in))
	for i, k := range s.in {
		in[i] = x.buf[k]
	}
	out, err := s.exec.Execute(in, nil, 0)
	if err != nil {
		return err
	}
	for i, k := range s.out {
		if err := x.set(k, out[i]); err != nil {
			return err
		}
	}
	return nil
}

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
		for _, k := range reads(s) {
			last[k] = i
		}
		for _, k := range writes(s) {
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

func reads(s step) []int {
	switch s := s.(type) {
	case *kernelStep:
		return s.in
	case *foreignStep:
		return s.in
	case loopStep:
		var in []int
		for _, i := range s.inputs {
			in = append(in, i.slot)
		}
		return in
	}
	return nil
}

func writes(s step) []int {
	switch s := s.(type) {
	case *kernelStep:
		return []int{s.out}
	case *foreignStep:
		return s.out
	case loopStep:
		var out []int
		for _, o := range s.outputs {
			out = append(out, o.slot)
		}
		return out
	}
	return nil
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
