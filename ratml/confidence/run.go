package confidence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Scorer runs scores over a data set. The zero value works.
type Scorer struct {
	// BatchSize is the number of images of a pass; 0 is 128.
	BatchSize int
	// Protocol, where official, rounds scores to float32, which is the precision of the official code and makes ties
	// of saturated scores, and fits by the official AURC.
	Protocol radius.Protocol
	// Dataset and Model name the run in titles; empty ones are left out, or the architecture's name.
	Dataset, Model string
	// Progress, where set, is told the number of images done.
	Progress func(done, total int, note string)
}

// Score runs scores over all images of set with the defaults of [Scorer].
func Score(ctx context.Context, c *nets.Classifier, set dataset.Set, scores ...Function) (*misd.Run, error) {
	return Scorer{}.Run(ctx, c, set, scores...)
}

// Run computes scores over all images of set, in its order. Memory beyond the results is bounded by the batch size.
// It returns an error where the images do not fit the classifier, a label is out of range, logits are not finite, two
// scores have the same name, or the context ends.
func (s Scorer) Run(ctx context.Context, c *nets.Classifier, set dataset.Set, scores ...Function) (*misd.Run, error) {
	if err := differ(scores); err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	run, err := s.run(ctx, c, set, scores)
	if err != nil {
		return nil, fmt.Errorf("confidence: %w", err)
	}
	return run, nil
}

// differ returns an error where two scores have the same name.
func differ(scores []Function) error {
	seen := map[string]bool{}
	for _, s := range scores {
		if s != nil && seen[s.Name()] {
			return fmt.Errorf("score %s is listed twice", s.Name())
		}
		if s != nil {
			seen[s.Name()] = true
		}
	}
	return nil
}

// run computes scores, and those that they combine, which need not have different names.
func (s Scorer) run(ctx context.Context, c *nets.Classifier, set dataset.Set, requested []Function) (*misd.Run, error) {
	if err := check(c, set, expand(requested)); err != nil {
		return nil, err
	}
	x, err := s.open(c, requested)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	return x.run(ctx, set)
}

// check returns an error where the classifier cannot take the images of the set or a score can not be run.
func check(c *nets.Classifier, set dataset.Set, scores []Function) error {
	if c == nil || set == nil {
		return errors.New("no classifier or no data set")
	}
	a, sh := c.Arch, set.Shape()
	if in := a.Input; sh.Height != in.Height || sh.Width != in.Width || sh.Channels != in.Channels {
		return fmt.Errorf("images are %dx%dx%d, but %s takes %dx%dx%d", sh.Height, sh.Width, sh.Channels, a.Name, in.Height, in.Width, in.Channels)
	}
	if set.Len() == 0 {
		return errors.New("the data set has no images")
	}
	if n := len(set.Classes()); n > a.Classes {
		return fmt.Errorf("the data set has %d classes, but %s only %d", n, a.Name, a.Classes)
	}
	return runnable(c, scores)
}

// runnable returns an error where a score cannot be run with the classifier.
func runnable(c *nets.Classifier, scores []Function) error {
	for i, s := range scores {
		if s == nil {
			return fmt.Errorf("score %d of %d is nil", i+1, len(scores))
		}
		if part, ok := s.(checker); ok {
			if err := part.check(c); err != nil {
				return fmt.Errorf("score %s: %w", s.Name(), err)
			}
		}
		switch s.(type) {
		case Direct, Searcher, Gated, Combined:
		default:
			return fmt.Errorf("score %s is neither a Direct function nor a Searcher", s.Name())
		}
	}
	return nil
}

func (s Scorer) report(done, total int, r *results) {
	if s.Progress == nil {
		return
	}
	rate := float64(done) / time.Since(r.start).Seconds()
	s.Progress(done, total, fmt.Sprintf("%.0f images/s", rate))
}

// results collects what a run finds.
type results struct {
	run     *misd.Run
	scores  []Function
	columns []misd.Score
	extra   []float64 // forward equivalents of images behind a gate, by column
	start   time.Time
}

func newResults(c *nets.Classifier, n int, scores []Function) *results {
	r := &results{scores: scores, extra: make([]float64, len(scores)), start: time.Now()}
	r.run = &misd.Run{Label: make([]int, n), Pred: make([]int, n), Classes: c.Arch.Classes, Model: c.Arch.Name,
		Logits: make([]float32, n*c.Arch.Classes)}
	for _, sc := range scores {
		col := misd.Score{Name: sc.Name(), Values: make([]float64, n), Cost: sc.Cost()}
		if _, ok := sc.(Searcher); ok {
			col.Lower, col.Upper = make([]float64, n), make([]float64, n)
			col.Unflipped, col.Evaluations = make([]bool, n), make([]int, n)
		}
		r.columns = append(r.columns, col)
	}
	return r
}

// found stores the result of a search.
func (r *results) found(column, i int, x radius.Result) {
	c := &r.columns[column]
	c.Values[i], c.Lower[i], c.Upper[i] = x.Radius, x.Lower, x.Upper
	c.Unflipped[i], c.Evaluations[i] = x.Unflipped, x.Evaluations
}

// finish returns the run with the first scores, as many as were asked for.
func (r *results) finish(s Scorer, requested int) *misd.Run {
	for i := range r.columns {
		c := &r.columns[i]
		sum := 0
		for _, e := range c.Evaluations {
			sum += e
		}
		c.Cost += (float64(sum) + r.extra[i]) / float64(len(c.Values))
		if s.Protocol == radius.Official {
			for j, v := range c.Values {
				c.Values[j] = float64(float32(v))
			}
		}
	}
	combine(r.scores, r.columns)
	r.run.Scores = r.columns[:requested]
	r.run.Dataset = s.Dataset
	if s.Model != "" {
		r.run.Model = s.Model
	}
	return r.run
}

// checkLogits returns an error naming the first image whose logits are not finite.
func checkLogits(logits []float32, classes, base int) error {
	for i, v := range logits {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("image %d has logit %v for class %d: the weights or the image are damaged", base+i/classes, v, i%classes)
		}
	}
	return nil
}
