package fastgo

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

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
