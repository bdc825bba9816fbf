package train

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// step is the training step of an objective: the program from state, batch and learning rate to the next state,
// compiled for each size of batches.
type step struct {
	layout    layout
	cfg       Config // complete
	objective Objective
	programs  map[int]*program // by batch size
}

func newStep(l layout, cfg Config, o Objective) *step {
	return &step{layout: l, cfg: cfg, objective: o, programs: map[int]*program{}}
}

func (s *step) free() {
	for _, p := range s.programs {
		p.free()
	}
}

// pace is what the step is told beside the batch.
type pace struct {
	rate   float64 // learning rate
	update int     // number of the update that this step belongs to, from 1
	weight float64 // what the sum of gradients is multiplied by for an update; 0 if they are only added up. Without accumulation 1
}

// inputs is what the step's graph is built from.
type inputs struct {
	rate, update, weight *Node // scalars; weight is nil without accumulation
	images, labels       *Node
	feed                 []*Node
	state                []*Node // in the order of layout
}

// split takes the list of inputs apart, in the order in which program.call passes them.
func (s *step) split(in []*Node) inputs {
	i := inputs{rate: in[0], update: in[1], weight: in[2], images: in[3], labels: in[4]}
	feeds := len(in) - 5 - s.layout.len()
	i.feed, i.state = in[5:5+feeds], in[5+feeds:]
	return i
}

// build is the graph of a step on batches in so many groups for batch normalisation. Its outputs are the results, the
// images that were classified right, and the next state.
func (s *step) build(in inputs, groups int) []*Node {
	a, old := s.layout.arch, s.layout.split(in.state)
	vars, trainable := map[string]*Node{}, []*Node(nil)
	for i, p := range a.Params {
		vars[p.Name] = old.params[i]
		if p.Trainable() {
			trainable = append(trainable, old.params[i])
		}
	}
	loss := s.loss(in, vars, trainable, groups)
	gradients := Gradient(loss.Total, trainable...)
	gradients, pending := accumulate(gradients, old.pending, in.weight)
	gradients, norm := clipNorm(gradients, s.cfg.ClipNorm)

	var updated, slots []*Node
	k, per := 0, s.cfg.Optimizer.Slots()
	for i, p := range a.Params {
		if !p.Trainable() {
			updated = append(updated, vars[p.Name]) // as the objective's forward passes left it
			continue
		}
		before := old.slots[k*per : (k+1)*per]
		param, buffers := s.cfg.Optimizer.Update(in.rate, in.update, s.cfg.decay(p), old.params[i], gradients[k], before)
		if pending != nil {
			param, buffers = onlyIf(in.weight, param, old.params[i]), onlyIfAll(in.weight, buffers, before)
		}
		updated, slots = append(updated, param), append(slots, buffers...)
		k++
	}
	average := s.average(old, updated, in)
	right := ConvertDType(correct(loss.Logits, in.labels), dtypes.Float32)
	out := []*Node{results(loss, norm, updated), right}
	return append(out, s.layout.join(parts{updated, slots, pending, average})...)
}

// loss asks the objective for the loss of the batch.
func (s *step) loss(in inputs, vars map[string]*Node, trainable []*Node, groups int) Losses {
	a := s.layout.arch
	o := nets.Options{Mode: nets.Train, Groups: groups}
	if s.cfg.BFloat16 {
		o.Products = dtypes.BFloat16
	}
	at := func(weights []*Node, keepStatistics bool) nets.Network {
		o := o
		o.KeepStatistics = keepStatistics
		return func(x *Node) *Node {
			other, k := map[string]*Node{}, 0
			for _, p := range a.Params {
				if other[p.Name] = vars[p.Name]; p.Trainable() {
					other[p.Name] = weights[k]
					k++
				}
			}
			logits := a.ApplyWith(other, o, x)
			for _, p := range a.Params {
				if !p.Trainable() {
					vars[p.Name] = other[p.Name]
				}
			}
			return logits
		}
	}
	loss := s.objective.Loss(Batch{
		Net:    func(x *Node) *Node { return a.ApplyWith(vars, o, x) },
		Images: in.images, Labels: in.labels, Classes: a.Classes, Inputs: in.feed,
		weights: trainable, at: at, smoothing: s.cfg.LabelSmoothing,
	})
	if loss.Total == nil || loss.Clean == nil || loss.Logits == nil {
		panic(fmt.Errorf("objective %T returned no total loss, clean loss or logits", s.objective))
	}
	return loss
}

// average returns the averaged weights after the step, nil where none are kept on the device.
func (s *step) average(old parts, updated []*Node, in inputs) []*Node {
	if len(old.average) == 0 {
		return nil
	}
	decay, list := s.cfg.Averaging.(EMA).decay(), []*Node(nil)
	for i := range updated {
		next := ema(old.average[i], updated[i], decay)
		if len(old.pending) > 0 {
			next = onlyIf(in.weight, next, old.average[i])
		}
		list = append(list, next)
	}
	return list
}

// accumulate adds gradients to those that wait for an update, and returns those to update with, which make sense only
// if weight is not 0, and those that wait then. Without accumulation there are none.
func accumulate(gradients, pending []*Node, weight *Node) (now, later []*Node) {
	if len(pending) == 0 {
		return gradients, nil
	}
	for i, g := range gradients {
		sum := Add(pending[i], g)
		now = append(now, Mul(weight, sum))
		later = append(later, onlyIf(weight, ZerosLike(sum), sum))
	}
	return now, later
}

// onlyIf returns yes where weight, a scalar, is not 0, else no.
func onlyIf(weight, yes, no *Node) *Node {
	is := NotEqual(weight, ScalarZero(weight.Graph(), weight.DType()))
	return Where(BroadcastToDims(is, yes.Shape().Dimensions...), yes, no)
}

func onlyIfAll(weight *Node, yes, no []*Node) []*Node {
	list := make([]*Node, len(yes))
	for i := range yes {
		list[i] = onlyIf(weight, yes[i], no[i])
	}
	return list
}

// results packs what the host wants to know of a step into one small vector.
func results(loss Losses, norm *Node, updated []*Node) *Node {
	g := loss.Total.Graph()
	if loss.Adversarial == nil {
		loss.Adversarial = Const(g, float32(math.NaN()))
	}
	size := ScalarZero(g, dtypes.Float32)
	for _, p := range updated {
		size = Add(size, ReduceAllSum(Abs(p)))
	}
	var list []*Node
	for _, n := range []*Node{loss.Total, loss.Clean, loss.Adversarial, norm, size} {
		list = append(list, Reshape(n, 1))
	}
	return Concatenate(list, 0)
}
