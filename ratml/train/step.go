package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// step is the compiled training step: one program from state, batch and learning rate to the next state.
type step struct {
	arch      *nets.Arch
	objective Objective
	optimizer sgd
	exec      *Exec
}

// newStep compiles the step for batches of one size.
func newStep(be *backend.Backend, a *nets.Arch, o Objective, opt sgd, batchSize int) (*step, error) {
	s := &step{arch: a, objective: o, optimizer: opt}
	var err error
	if s.exec, err = NewExec(be.Backend, s.build); err != nil {
		return nil, err
	}
	s.exec.WithName("training step")
	if _, err := s.exec.Compile(s.inputs(batchSize)...); err != nil {
		s.free()
		return nil, fmt.Errorf("compiling the training step of %s: %w", a.Name, err)
	}
	return s, nil
}

// inputs returns the shapes of what build takes.
func (s *step) inputs(batch int) []shapes.Shape {
	in := s.arch.Input
	list := []shapes.Shape{
		shapes.Make(dtypes.Float32),
		shapes.Make(dtypes.Float32, batch, in.Height, in.Width, in.Channels),
		shapes.Make(dtypes.Int32, batch),
	}
	for _, p := range s.arch.Params {
		list = append(list, shapes.Make(dtypes.Float32, p.Shape...))
	}
	for _, p := range s.arch.Params {
		if p.Trainable() {
			list = append(list, shapes.Make(dtypes.Float32, p.Shape...))
		}
	}
	return list
}

// build is the graph of a step: learning rate, images, labels and state in, results and next state out.
func (s *step) build(in []*Node) []*Node {
	lr, images, labels := in[0], in[1], in[2]
	params, momenta := in[3:][:len(s.arch.Params)], in[3:][len(s.arch.Params):]

	vars := map[string]*Node{}
	var trainable []*Node
	for i, p := range s.arch.Params {
		vars[p.Name] = params[i]
		if p.Trainable() {
			trainable = append(trainable, params[i])
		}
	}
	net := func(x *Node) *Node { return s.arch.Apply(vars, nets.Train, x) }
	loss := s.objective.Loss(Batch{net, images, labels, trainable})
	if loss.Total == nil || loss.Clean == nil || loss.Logits == nil {
		panic(fmt.Errorf("objective %T returned no total loss, clean loss or logits", s.objective))
	}
	gradients := Gradient(loss.Total, trainable...)

	var updated, buffers []*Node
	for i, p := range s.arch.Params {
		if !p.Trainable() {
			updated = append(updated, vars[p.Name]) // as the objective's forward passes left it
			continue
		}
		k := len(buffers)
		param, buffer := s.optimizer.update(lr, params[i], gradients[k], momenta[k])
		updated, buffers = append(updated, param), append(buffers, buffer)
	}
	out := []*Node{results(loss, labels, updated)}
	return append(append(out, updated...), buffers...)
}

// results packs what the host wants to know of a step into one small vector.
func results(loss Losses, labels *Node, updated []*Node) *Node {
	g := loss.Total.Graph()
	if loss.Adversarial == nil {
		loss.Adversarial = Const(g, float32(math.NaN()))
	}
	right := ReduceAllSum(ConvertDType(correct(loss.Logits, labels), dtypes.Float32))
	size := ScalarZero(g, dtypes.Float32)
	for _, p := range updated {
		size = Add(size, ReduceAllSum(Abs(p)))
	}
	var list []*Node
	for _, n := range []*Node{loss.Total, loss.Clean, loss.Adversarial, right, size} {
		list = append(list, Reshape(n, 1))
	}
	return Concatenate(list, 0)
}

// outcome is what the host learns of a step.
type outcome struct {
	total, clean float64
	adversarial  float64 // NaN where the objective has no changed images
	right        int     // images that were classified right before the update
	size         float64 // sum of the absolute values of all weights after the update
}

// run makes a step. It returns the next state and leaves the old one to the caller: whether to go on with the new one
// depends on the outcome, so the old buffers cannot be given to the device to write into.
func (s *step) run(st state, lr float64, images []float32, labels []int32) (next state, o outcome, err error) {
	in := s.arch.Input
	x := tensors.FromFlatDataAndDimensions(images, len(labels), in.Height, in.Width, in.Channels)
	defer x.FinalizeAll()
	args := []any{float32(lr), x, labels}
	for _, t := range st {
		args = append(args, t)
	}
	out, err := s.exec.Call(args...)
	if err != nil {
		return nil, o, fmt.Errorf("training step of %s: %w", s.arch.Name, err)
	}
	defer out[0].FinalizeAll()
	v, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		state(out[1:]).free()
		return nil, o, err
	}
	return out[1:], outcome{float64(v[0]), float64(v[1]), float64(v[2]), int(v[3]), float64(v[4])}, nil
}

func (s *step) free() { s.exec.Finalize() }

// ErrDiverged is what [Fit] returns, wrapped with the place, when the loss or a weight is no longer finite.
var ErrDiverged = errors.New("training diverged")

// check returns an error unless loss and weights are finite.
func (o outcome) check() error {
	switch {
	case !finite(o.total):
		return fmt.Errorf("%w: the loss is %v", ErrDiverged, o.total)
	case !finite(o.size):
		return fmt.Errorf("%w: the loss is %.4g, but the updated weights are not finite", ErrDiverged, o.total)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// advance replaces the state by the next one. If that is not finite the state stays as it is, and the error is
// [ErrDiverged].
func (s *step) advance(st *state, lr float64, b *dataset.Batch) (outcome, error) {
	next, o, err := s.run(*st, lr, b.Images, b.Labels)
	if err != nil {
		return o, err
	}
	if err := o.check(); err != nil {
		next.free()
		return o, fmt.Errorf("%w; a learning rate below %.3g may help", err, lr)
	}
	st.free()
	*st = next
	return o, nil
}
