package confidence

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// MCDropout averages the softmax over passes with dropout switched on (Gal & Ghahramani 2016). The network must have
// dropout layers. Each pass keeps the same units for all images, so that the score of an image does not depend on the
// others of its batch.
type MCDropout struct {
	repeatedPasses
	Passes  int // 0 is 20
	Seed    uint32
	Measure Measure
}

// Name returns "MCD", "MCD_MI" or "MCD_VR".
func (s MCDropout) Name() string { return "MCD" + s.Measure.suffix() }

// String returns the name with the number of passes.
func (s MCDropout) String() string {
	return fmt.Sprintf("%s of %d passes", s.Name(), s.Repeat().Passes())
}

// Cost returns the forward equivalents of an image: the plain pass, which decides what is predicted, and those with
// dropout.
func (s MCDropout) Cost() float64 { return float64(1 + s.Repeat().Passes()) }

// Repeat returns the passes with dropout.
func (s MCDropout) Repeat() Repetition {
	if s.Passes <= 0 {
		s.Passes = 20
	}
	return thinned{s.Passes, s.Seed}
}

// Values returns the measure of each image.
func (s MCDropout) Values(logits []float32, classes int, passes [][]float32) []float64 {
	return s.Measure.values(logits, classes, passes)
}

// thinned are passes with dropout.
type thinned struct {
	passes int
	seed   uint32
}

func (t thinned) Passes() int { return t.passes }

func (t thinned) Open(c *nets.Classifier) (Repeater, error) {
	if !c.Arch.HasDropout {
		return nil, fmt.Errorf("%s has no dropout; name one that has, such as wrn28_10_dropout30_cifar10", c.Arch.Name)
	}
	p, err := c.CompilePasses("logits with dropout", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net.Dropout(in[0], in[1])}
	})
	if err != nil {
		return nil, err
	}
	return &thinner{t, c.Arch, p}, nil
}

type thinner struct {
	thinned
	arch    *nets.Arch
	program *nets.Program
}

func (t *thinner) Run(images, _ []float32) ([][]float32, error) {
	var out [][]float32
	for i := range t.passes {
		z, err := t.program.RunFloats(t.arch.Images(images), t.seed*1_000_003+uint32(i))
		if err != nil {
			return nil, err
		}
		out = append(out, z[0])
	}
	return out, nil
}

func (t *thinner) Free() { t.program.Free() }
