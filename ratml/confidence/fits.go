package confidence

import (
	"context"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Fitted is a function with parameters that were chosen on validation data, and how.
type Fitted struct {
	Function   Function
	Objective  string  // what was minimised: a metric, or a [Learner]'s; empty where there was nothing to choose
	Value      float64 // of the objective for the choice; NaN where it has none
	Candidates int     // number of those compared; 1 where a formula gives the parameters
	Data       string  // name of the data set
	Images     int     // number of validation images
	Protocol   radius.Protocol
}

// Fits chooses parameters on validation data and says how. Of a [Fitter]'s candidates it takes the first with the
// lowest AURC (tie-averaged; in the official protocol, the official one), of a [Learner] what it learns. A Fitter whose
// candidates are Learners lets each learn on every second image and compares them on the others; in the sound protocol
// the winner then learns anew on all. [Perturbed] functions are described at [Levels]. Functions without parameters, or
// with a single candidate, need no data.
//
// Candidates share one pass over the data, but for the perturbed.
func (s Scorer) Fits(ctx context.Context, c *nets.Classifier, validation dataset.Set, functions ...Function) ([]Fitted, error) {
	f := fitting{scorer: s, metric: "aurc"}
	if s.Protocol == radius.Official {
		f.metric = "aurc_rat"
	}
	for _, fn := range functions {
		f.want(fn)
	}
	var err error
	if f.needsRun {
		if f.run, err = s.run(ctx, c, validation, f.columns); err != nil {
			return nil, fmt.Errorf("confidence: fitting: %w", err)
		}
	}
	var fitted []Fitted
	for _, fn := range functions {
		g, err := f.fit(ctx, c, validation, fn)
		if err != nil {
			return nil, fmt.Errorf("confidence: fitting %s: %w", fn.Name(), err)
		}
		if g.Objective != "" {
			g.Data, g.Images = s.Dataset, validation.Len()
		}
		g.Protocol = s.Protocol
		fitted = append(fitted, g)
	}
	return fitted, nil
}

// fitting is the run over validation data that functions share, and what they are compared by.
type fitting struct {
	scorer   Scorer
	metric   string
	needsRun bool
	columns  []Function
	run      *misd.Run
}

// want notes which columns a function needs.
func (f *fitting) want(fn Function) {
	if p, ok := fn.(Perturbed); ok && p.Level != 0 {
		_, learns := p.Score.(Learner)
		f.needsRun = f.needsRun || learns
		return
	}
	if p, ok := fn.(Perturbed); ok {
		fn = p.Score
	}
	if n, ok := fn.(needy); ok {
		f.needsRun = true
		f.add(n.Needs()...)
		return
	}
	if _, ok := fn.(Learner); ok {
		f.needsRun = true // of logits
		return
	}
	if g, ok := fn.(Fitter); ok && len(g.Candidates()) > 1 {
		f.needsRun = true
		f.add(g.Candidates()...)
	}
}

func (f *fitting) add(functions ...Function) {
	for _, fn := range functions {
		if find(f.columns, fn) < 0 {
			f.columns = append(f.columns, fn)
		}
	}
}

// fit fits one function.
func (f *fitting) fit(ctx context.Context, c *nets.Classifier, validation dataset.Set, fn Function) (Fitted, error) {
	if p, ok := fn.(Perturbed); ok {
		if p.Level != 0 {
			return f.perturbed(ctx, c, validation, p)
		}
		g, err := f.fit(ctx, c, validation, p.Score)
		if err == nil {
			p.Score = g.Function.(Differentiable)
			g.Function = p
		}
		return g, err
	}
	g, isFitter := fn.(Fitter)
	l, isLearner := fn.(Learner)
	switch {
	case isFitter && isLearner:
		return f.learnCandidates(g)
	case isLearner:
		learned, value, err := l.Learn(f.seen(l))
		return Fitted{Function: learned, Objective: l.Objective(), Value: value, Candidates: 1}, err
	case isFitter && len(g.Candidates()) == 1:
		return Fitted{Function: g.Candidates()[0], Value: math.NaN()}, nil
	case isFitter:
		return f.choose(g.Candidates(), func(k int) []float64 {
			return f.run.Scores[find(f.columns, g.Candidates()[k])].Values
		}, f.run.Correct())
	}
	return Fitted{Function: fn, Value: math.NaN()}, nil
}

// seen returns the run with no columns but those that a learner needs, under their names.
func (f *fitting) seen(l Learner) *misd.Run {
	run := *f.run
	run.Scores = nil
	if n, ok := l.(needy); ok {
		for _, fn := range n.Needs() {
			run.Scores = append(run.Scores, f.run.Scores[find(f.columns, fn)])
		}
	}
	return &run
}

// choose returns the first candidate whose values have the lowest AURC.
func (f *fitting) choose(candidates []Function, values func(k int) []float64, correct []bool) (Fitted, error) {
	best := Fitted{Objective: f.metric, Candidates: len(candidates)}
	for k, candidate := range candidates {
		v, err := f.aurc(values(k), correct)
		if err != nil {
			return best, err
		}
		if k == 0 || v < best.Value {
			best.Value, best.Function = v, candidate
		}
	}
	return best, nil
}

func (f *fitting) aurc(values []float64, correct []bool) (float64, error) {
	curve, err := misd.NewCurve(values, correct)
	if err != nil {
		return 0, err
	}
	if f.metric == "aurc_rat" {
		return curve.AURCRAT(), nil
	}
	return curve.AURC(), nil
}

// learnCandidates lets candidates learn on one half of the images and compares them on the other.
func (f *fitting) learnCandidates(g Fitter) (Fitted, error) {
	candidates, judge, err := f.learned(g.Candidates())
	if err != nil {
		return Fitted{}, err
	}
	best, err := f.choose(candidates, func(k int) []float64 {
		return f.rounded(candidates[k].(Direct).Values(judge.Logits, judge.Classes, nil))
	}, judge.Correct())
	if err != nil || f.scorer.Protocol == radius.Official {
		return best, err
	}
	best.Function, _, err = best.Function.(Learner).Learn(f.run)
	return best, err
}

// learned returns candidates that learned on every second image, and the run of the others.
func (f *fitting) learned(candidates []Function) ([]Function, *misd.Run, error) {
	var rows [2][]int
	for i := range f.run.Len() {
		rows[i%2] = append(rows[i%2], i)
	}
	bare := *f.run
	bare.Scores = nil
	learn, err := bare.Subset(rows[0])
	if err != nil {
		return nil, nil, err
	}
	judge, err := bare.Subset(rows[1])
	if err != nil {
		return nil, nil, err
	}
	out := make([]Function, len(candidates))
	for k, candidate := range candidates {
		if out[k], _, err = candidate.(Learner).Learn(learn); err != nil {
			return nil, nil, err
		}
	}
	return out, judge, nil
}

// rounded rounds values as a run does in the official protocol.
func (f *fitting) rounded(values []float64) []float64 {
	if f.scorer.Protocol == radius.Official {
		for i, v := range values {
			values[i] = float64(float32(v))
		}
	}
	return values
}
