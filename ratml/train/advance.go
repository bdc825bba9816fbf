package train

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
)

// run makes a step on the first b.N images of a batch, with the objective's own inputs. It returns the next state and
// leaves the old one to the caller: whether to go on with the new one depends on the outcome, so the old buffers cannot
// be given to the device to write into.
func (s *step) run(be *backend.Backend, st state, at pace, b *dataset.Batch, feed []any, t *Profile) (next state, o outcome, err error) {
	defer func() {
		if err != nil {
			next.free()
			next, err = nil, fmt.Errorf("training step of %s: %w", s.layout.arch.Name, err)
		}
	}()
	p, err := s.program(be, b.N)
	if err != nil {
		return nil, o, err
	}
	done := t.start(&t.Upload)
	in, err := p.batchInputs(be, s.values(at, b, feed))
	done()
	defer freeAll(in)
	if err != nil {
		return nil, o, err
	}
	defer t.start(&t.Compute)()
	out, err := p.call(in, st)
	if err != nil {
		return nil, o, err
	}
	for d, list := range out {
		next = append(next, list[2:])
		if d > 0 {
			freeAll([][]*tensors.Tensor{list[:2]})
		}
	}
	defer freeAll([][]*tensors.Tensor{out[0][:2]})
	o, err = read(out[0][0], out[0][1])
	return next, o, err
}

// program returns the program for batches of n images, which is compiled at its first call.
func (s *step) program(be *backend.Backend, n int) (*program, error) {
	if p := s.programs[n]; p != nil {
		return p, nil
	}
	p, err := newProgram(be, s, n)
	if err == nil {
		s.programs[n] = p
	}
	return p, err
}

// values lists the inputs of the step beside the state, in the order of split.
func (s *step) values(at pace, b *dataset.Batch, feed []any) []any {
	in := s.layout.arch.Input
	images := b.Images[:b.N*in.Height*in.Width*in.Channels]
	return append([]any{
		float32(at.rate), float32(at.update), float32(at.weight),
		tensors.FromFlatDataAndDimensions(images, b.N, in.Height, in.Width, in.Channels), b.Labels[:b.N],
	}, feed...)
}

// advance replaces the state by the next one. If that is not finite the state stays as it is, and the error is
// [ErrDiverged].
func (s *step) advance(be *backend.Backend, st *state, at pace, b *dataset.Batch, feed []any, t *Profile) (outcome, error) {
	next, o, err := s.run(be, *st, at, b, feed, t)
	if err != nil {
		return o, err
	}
	if err := o.check(); err != nil {
		next.free()
		return o, fmt.Errorf("%w; a learning rate below %.3g may help", err, at.rate)
	}
	st.free()
	*st = next
	return o, nil
}
