package fastgo

import (
	"fmt"

	"github.com/gomlx/compute"
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
