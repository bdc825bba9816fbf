package fastgo

import "github.com/gomlx/compute"

// A step computes some slots from others.
type step interface {
	run(x *execution) error
	reads() []int
	writes() []int
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

func (s *kernelStep) reads() []int  { return s.in }
func (s *kernelStep) writes() []int { return []int{s.out} }

// loopStep runs one loop.
type loopStep struct{ *loop }

func (s loopStep) reads() []int {
	var in []int
	for _, i := range s.inputs {
		in = append(in, i.slot)
	}
	return in
}

func (s loopStep) writes() []int {
	var out []int
	for _, o := range s.outputs {
		out = append(out, o.slot)
	}
	return out
}

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

func (s *foreignStep) reads() []int  { return s.in }
func (s *foreignStep) writes() []int { return s.out }

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
