package report

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
)

// Decision is a policy with what it does to the images of a run.
type Decision struct {
	Policy                  *policy.Policy
	Images, Accepted, Wrong int // of the run, all, accepted, and wrong among the accepted
	Drift                   policy.Drift
	Same                    bool // the run is what the threshold was chosen from
}

// Decide applies a policy to the images of a run. It returns an error if the run has not the policy's score or no
// images.
func Decide(p *policy.Policy, run *misd.Run) (*Decision, error) {
	s := run.Score(p.Score.Name)
	if s == nil {
		return nil, fmt.Errorf("report: the policy is for score %s, which is not among those of %s", p.Score.Name, name(run))
	}
	d := &Decision{Policy: p, Images: run.Len(), Same: slices.Equal(slices.Sorted(slices.Values(s.Values)), p.Scores)}
	for i, ok := range run.Correct() {
		if p.Accept(s.Values[i]) {
			d.Accepted++
			d.Wrong += btoi(!ok)
		}
	}
	var err error
	if d.Drift, err = p.Drift(s.Values); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return d, nil
}

type decisionView struct {
	Rule    string // when a prediction is accepted
	Facts   []Fact
	Warning string
}

func (d *Decision) view() *decisionView {
	if d == nil {
		return nil
	}
	p := d.Policy
	v := &decisionView{Rule: fmt.Sprintf("Accept where %s ≥ %s", p.Score.Name, strconv.FormatFloat(p.Threshold, 'g', -1, 64))}
	made := fmt.Sprintf("%d images", p.Data.Images)
	if p.Data.Dataset != "" {
		made += " of " + p.Data.Dataset
	}
	if p.Data.Note != "" {
		made += " (" + p.Data.Note + ")"
	}
	v.Facts = []Fact{
		{"guarantee", p.Guarantee.String()},
		{"chosen by", fmt.Sprintf("%s, risk wanted %g, on %s: %d errors; accepted %d (%s), %d of them wrong", p.Guarantee.Method, p.Guarantee.Target, made,
			p.Data.Errors, p.Data.Accepted, share(p.Data.Accepted, p.Data.Images), p.Data.Wrong)},
		{"coverage here", fmt.Sprintf("%s: %d of %d images", share(d.Accepted, d.Images), d.Accepted, d.Images)},
		{"error rate of the accepted here", fmt.Sprintf("%s: %d wrong", share(d.Wrong, d.Accepted), d.Wrong)},
		{"drift", d.Drift.String()},
	}
	switch {
	case d.Same:
		v.Warning = "These are the images that the threshold was chosen from: coverage and error rate here are no check of the guarantee."
	case d.Drift.Drifted:
		v.Warning = "The guarantee may not hold here: these scores are distributed otherwise than those the threshold was chosen from."
	}
	return v
}

func share(part, of int) string {
	if of == 0 {
		return undefined
	}
	return significant(100*float64(part)/float64(of), 4) + " %"
}
