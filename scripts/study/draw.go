package main

import (
	"fmt"
	"path/filepath"

	"github.com/ratml/rat/ratml/figures"
)

// drawn are the metrics that figures show.
var drawn = []string{"aurc", "accuracy"}

// draw writes the figures of a data set: for each score the ablation and the sweep, as far as there is something to
// show.
func (s *study) draw(sum *summary) error {
	for _, score := range s.Figures {
		opts := figures.Options{Scores: []string{score}, Command: s.command()}
		if out := outcomes(sum, score, inAblation(sum.step)); len(out) > 0 {
			fig, err := figures.Ablation(out, drawn, opts)
			if err != nil {
				return err
			}
			if err := fig.Save(s.figure("ablation", sum, score)); err != nil {
				return err
			}
		}
		if out := outcomes(sum, score, inSweep); sum.trials != nil && len(out) > 1 {
			for i := range out {
				out[i].Variant = ""
			}
			fig, err := figures.StepSweep(out, drawn, opts)
			if err != nil {
				return err
			}
			if err := fig.Save(s.figure("sweep", sum, score)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *study) figure(kind string, sum *summary, score string) string {
	return filepath.Join(s.Publish, fmt.Sprintf("%s_%s_%s.png", kind, sum.source.name, score))
}

// inAblation tells which ways of training belong to the ablation: all that move images by one step size, or none.
func inAblation(step float64) func(row) bool {
	return func(r row) bool { return !r.moves || r.step == step }
}

// inSweep tells which belong to the sweep: the one that is swept, and those that move no images nor mix them.
func inSweep(r row) bool { return r.name == swept || !r.moves && !r.mixes }

// outcomes returns the rows to draw, the plain one first.
func outcomes(sum *summary, score string, in func(row) bool) []figures.Outcome {
	var out []figures.Outcome
	for _, r := range sum.rows {
		if !in(r) || len(r.reports) == 0 {
			continue
		}
		o := figures.Outcome{Name: r.label, Variant: "without mixup", StepSize: r.step, Values: map[string][]float64{}}
		if r.mixes {
			o.Variant = "with mixup"
		}
		for _, m := range drawn {
			o.Values[m] = r.values(score, m)
		}
		out = append(out, o)
	}
	return out
}
