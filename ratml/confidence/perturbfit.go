package confidence

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// perturbed chooses the level of a perturbation, where it is [Searched], together with the parameter of its score.
//
// The sound protocol takes the pair with the lowest AURC. The official one takes the level of that pair, forgets the
// parameter, and fits it once more to unperturbed images (RAT_MisD:main.py), so that the two were never tried together.
func (f *fitting) perturbed(ctx context.Context, c *nets.Classifier, validation dataset.Set, p Perturbed) (Fitted, error) {
	if err := check(c, validation, nil); err != nil {
		return Fitted{}, err
	}
	levels := []float64{p.Level}
	if p.Level == Searched {
		levels = Levels
	}
	candidates, rows, err := f.parts(p, validation.Len())
	if err != nil {
		return Fitted{}, err
	}
	t := &trial{p: p, candidates: candidates, levels: levels}
	if err := t.run(ctx, c, validation, f.scorer.BatchSize); err != nil {
		return Fitted{}, err
	}
	correct := pick(t.correct, rows)
	fits := make([]Fitted, len(levels)) // the best candidate at each level
	best := 0
	for i := range levels {
		fits[i], err = f.choose(candidates, func(k int) []float64 { return f.rounded(pick(t.values[i][k], rows)) }, correct)
		if err != nil {
			return Fitted{}, err
		}
		if fits[i].Value < fits[best].Value {
			best = i
		}
	}
	fit := fits[best]
	fit.Candidates *= len(levels)
	if f.scorer.Protocol == radius.Official && p.Level == Searched {
		fit.Function = fits[0].Function // levels[0] is 0
	}
	if l, ok := fit.Function.(Learner); ok && f.scorer.Protocol == radius.Sound {
		if fit.Function, _, err = l.Learn(f.run); err != nil {
			return Fitted{}, err
		}
	}
	p.Score, p.Level = fit.Function.(Differentiable), levels[best]
	fit.Function = p
	return fit, nil
}

// parts returns the candidates of a perturbed score, learned where they learn, and the images to compare them on.
func (f *fitting) parts(p Perturbed, images int) (candidates []Function, rows []int, err error) {
	candidates = []Function{p.Score}
	if g, ok := p.Score.(Fitter); ok {
		candidates = g.Candidates()
	}
	_, learns := p.Score.(Learner)
	if learns {
		if candidates, _, err = f.learned(candidates); err != nil {
			return nil, nil, err
		}
	}
	for i := range images {
		if !learns || i%2 == 1 {
			rows = append(rows, i)
		}
	}
	return candidates, rows, nil
}

// trial computes a score with several parameters at several levels of perturbation.
type trial struct {
	p          Perturbed
	candidates []Function
	levels     []float64

	correct []bool
	values  [][][]float64 // [level][candidate][image]
}

// run makes one forward pass and one gradient a candidate, then one forward pass for each level and candidate.
func (t *trial) run(ctx context.Context, c *nets.Classifier, set dataset.Set, batchSize int) error {
	directions, err := c.Compile("directions", func(net nets.Network, in []*graph.Node) []*graph.Node {
		probe := radius.NewProbe(net, in[0])
		out := []*graph.Node{probe.Logits}
		for _, candidate := range t.candidates {
			out = append(out, Perturbed{Score: candidate.(Differentiable), Protocol: t.p.Protocol}.direction(probe))
		}
		return out
	})
	if err != nil {
		return err
	}
	defer directions.Free()
	step, err := c.Compile("step", func(net nets.Network, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net(graph.Add(in[0], graph.Mul(in[1], in[2])))}
	})
	if err != nil {
		return err
	}
	defer step.Free()
	t.values = make([][][]float64, len(t.levels))
	for i := range t.values {
		t.values[i] = make([][]float64, len(t.candidates))
	}
	if batchSize == 0 {
		batchSize = 128
	}
	for batch, err := range (dataset.Loader{Set: set, BatchSize: batchSize}).Epoch(ctx, 0) {
		if err != nil {
			return err
		}
		if err := t.batch(c.Arch, batch, directions, step); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) batch(a *nets.Arch, b *dataset.Batch, directions, step *nets.Program) error {
	images := a.Images(b.Images)
	out, err := directions.RunFloats(images)
	if err != nil {
		return err
	}
	clean := out[0][:b.N*a.Classes]
	if err := checkLogits(clean, a.Classes, len(t.correct)); err != nil {
		return err
	}
	for i := range b.N {
		t.correct = append(t.correct, argmax(clean[i*a.Classes:(i+1)*a.Classes]) == int(b.Labels[i]))
	}
	for k, candidate := range t.candidates {
		direction := a.Images(out[1+k])
		for i, level := range t.levels {
			logits := clean
			if level != 0 {
				z, err := step.RunFloats(images, direction, float32(level))
				if err != nil {
					return err
				}
				logits = z[0][:b.N*a.Classes]
			}
			if err := checkLogits(logits, a.Classes, len(t.correct)-b.N); err != nil {
				return fmt.Errorf("perturbed by %g: %w", level, err)
			}
			t.values[i][k] = append(t.values[i][k], candidate.(Direct).Values(logits, a.Classes, nil)...)
		}
	}
	return nil
}

func pick[T any](v []T, rows []int) []T {
	out := make([]T, len(rows))
	for j, i := range rows {
		out[j] = v[i]
	}
	return out
}
