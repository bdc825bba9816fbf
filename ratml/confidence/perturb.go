package confidence

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Levels are the candidates for the level of a perturbation, in pixel units (RAT_MisD:utils/ConfidenceScores.py
// DELTA_RANGE).
var Levels = []float64{0, .00005, .0001, .00015, .0002, .00025, .0003, .00035, .0004, .0006, .0008, .001}

// Searched is the level of a perturbation that is yet to be chosen by [Scorer.Fit], the official --perturb_level -1.
const Searched = -1

// Perturbed is a score S at an image that was changed a little along the gradient of S itself.
//
// In the sound protocol the image moves towards higher confidence, x + level sign(grad S), which for [ODIN] is that
// method as published (Liang et al. 2018, section 3). In the official one it moves along x - level sign(grad log S):
// away from it where S is positive, towards it where S is negative (RAT_MisD:models/BaseModel.py NoisePerturbedTester).
// Neither clips the image.
type Perturbed struct {
	Score    Differentiable
	Level    float64 // in pixel units; 0 changes nothing, [Searched] stands for all of [Levels]
	Protocol radius.Protocol
}

// Perturb returns the functions with those that are [Differentiable] perturbed, as the official code does where
// --perturb_level is not 0.
func Perturb(level float64, p radius.Protocol, functions ...Function) []Function {
	out := make([]Function, len(functions))
	for i, f := range functions {
		out[i] = f
		if d, ok := f.(Differentiable); ok && level != 0 {
			out[i] = Perturbed{Score: d, Level: level, Protocol: p}
		}
	}
	return out
}

// Name returns the name of the score.
func (s Perturbed) Name() string { return s.Score.Name() }

// String returns the score's description with the level.
func (s Perturbed) String() string {
	return fmt.Sprintf("%v, perturbed by %g", describe(s.Score), s.Level)
}

// Cost returns the forward equivalents of an image: forward, gradient, forward.
func (s Perturbed) Cost() float64 {
	if s.Level == 0 {
		return s.Score.Cost()
	}
	return 4
}

// Build adds the changed images and returns their logits.
func (s Perturbed) Build(p *radius.Probe) []*graph.Node {
	if s.Level == 0 {
		return nil
	}
	q := p.At(key(s), func() *graph.Node {
		return graph.Add(p.Images, graph.MulScalar(s.direction(p), s.Level))
	})
	return []*graph.Node{q.Logits}
}

// direction returns what an image moves by at level 1, each value -1, 0 or 1.
func (s Perturbed) direction(p *radius.Probe) *graph.Node {
	name := key(s.Score)
	if s.Protocol == radius.Official {
		return graph.Neg(graph.Sign(p.Gradient("log "+name, func(z *graph.Node) *graph.Node { return graph.Log(s.Score.Graph(z)) })))
	}
	if a, ok := s.Score.(ascender); ok {
		return graph.Sign(a.ascent(p))
	}
	return graph.Sign(p.Gradient(name, s.Score.Graph))
}

// ascender is a score that knows a gradient of the same sign as its own that does not vanish.
type ascender interface {
	ascent(p *radius.Probe) *graph.Node
}

// Values returns the score at the changed images.
func (s Perturbed) Values(logits []float32, classes int, built [][]float32) []float64 {
	if s.Level != 0 {
		logits = built[0]
	}
	return s.Score.Values(logits, classes, nil)
}

func (s Perturbed) check(c *nets.Classifier) error {
	if s.Score == nil {
		return fmt.Errorf("a perturbation of no score")
	}
	if s.Level < 0 {
		return fmt.Errorf("score %s is perturbed by a level that was not chosen yet; fit it first", s.Name())
	}
	if part, ok := s.Score.(checker); ok {
		return part.check(c)
	}
	return nil
}

// key tells functions with different parameters apart.
func key(f Function) string { return fmt.Sprintf("%#v", f) }

// describe returns a function's String, or else its name.
func describe(f Function) string {
	if s, ok := f.(fmt.Stringer); ok {
		return s.String()
	}
	return f.Name()
}
