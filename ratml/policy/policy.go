package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// Method is a way of choosing a threshold, which decides what is guaranteed.
type Method string

const (
	// SGR bounds the selective risk, the share of wrong predictions among the accepted: with probability 1-Delta over
	// the validation predictions it is at most Bound ([misd.Curve.SGR]).
	SGR Method = "sgr"
	// ConformalRisk bounds the joint risk, the probability that a prediction is accepted and wrong, on average over
	// the validation predictions ([misd.Curve.ConformalRisk]).
	ConformalRisk Method = "crc"
	// PlainRisk takes the largest coverage at which the selective risk of the validation predictions themselves is at
	// most the target. It guarantees nothing: about half the time the risk of new predictions is larger.
	PlainRisk Method = "plain"
)

// Options say how a threshold is chosen. Risk must be set.
type Options struct {
	Method Method  // empty is SGR
	Risk   float64 // the target, in (0,1)
	Delta  float64 // probability, over the validation predictions, that SGR's bound fails, in (0,1); 0 is 0.05
	// AlarmRate is the probability that [Policy.Drift] reports drift where there is none, in (0,1); 0 is 0.01.
	AlarmRate float64
}

// Policy is a threshold with what it guarantees and what it was made from. [New] makes one, [Load] reads one.
type Policy struct {
	Score      Score
	Classifier Classifier
	Data       Data
	Guarantee  Guarantee
	Threshold  float64 // scores of at least this much are accepted
	AlarmRate  float64 // of Drift
	// Scores of the validation predictions, ascending.
	Scores []float64
}

// Score names the confidence score that the threshold is for.
type Score struct {
	Name string `json:"name"`
	// Protocol and Parameters say how it is computed, where that is known.
	Protocol   string          `json:"protocol,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
}

// Classifier names whose predictions the threshold is for, where that is known.
type Classifier struct {
	Arch    string `json:"arch,omitempty"`
	Weights string `json:"weights_sha256,omitempty"` // of the file, in hexadecimal
}

// Data says what the policy was made from.
type Data struct {
	Dataset  string `json:"dataset,omitempty"`
	Note     string `json:"note,omitempty"` // which part of it
	Images   int    `json:"images"`
	Errors   int    `json:"errors"`          // wrong predictions among them
	Accepted int    `json:"accepted"`        // those that the threshold accepts
	Wrong    int    `json:"accepted_errors"` // wrong predictions among the accepted
}

// Guarantee says what holds for new predictions.
type Guarantee struct {
	Method Method  `json:"method"`
	Target float64 `json:"target_risk"`
	Delta  float64 `json:"delta,omitempty"` // SGR only
	Bound  float64 `json:"bound"`           // at most Target; for PlainRisk the risk that was seen
}

// String returns the guarantee in words.
func (g Guarantee) String() string {
	switch g.Method {
	case SGR:
		return fmt.Sprintf("with confidence %.4g %% the error rate among accepted predictions is at most %.4g %%", 100*(1-g.Delta), 100*g.Bound)
	case ConformalRisk:
		return fmt.Sprintf("on average over validation sets at most %.4g %% of all predictions are accepted and wrong", 100*g.Bound)
	}
	return fmt.Sprintf("nothing is guaranteed; the error rate among accepted validation predictions was %.4g %%", 100*g.Bound)
}

// InfeasibleError says that no threshold meets the target.
type InfeasibleError struct {
	Method Method
	Target float64
	Images int
	Best   float64 // the lowest bound that a threshold reaches; NaN where none was tried
}

// Error returns what is wrong and what would help.
func (e *InfeasibleError) Error() string {
	best := ""
	if !math.IsNaN(e.Best) {
		best = fmt.Sprintf(", the best bound is %.4g", e.Best)
	}
	return fmt.Sprintf("no threshold meets risk %g by %s on %d images%s: allow more risk, or take more images or a better score",
		e.Target, e.Method, e.Images, best)
}

// New chooses a threshold from the scores of labelled predictions. The caller fills in Score, Classifier and the names
// in Data. It returns an [InfeasibleError] where no threshold meets the target, and another error if the slices differ
// in length, are empty, or hold NaN, or if an option is not usable.
func New(scores []float64, correct []bool, o Options) (*Policy, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	curve, err := misd.NewCurve(scores, correct)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if curve.Len() == 0 {
		return nil, errors.New("policy: there are no predictions to choose a threshold from")
	}
	s, err := choose(curve, o)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return &Policy{
		Guarantee: Guarantee{Method: o.Method, Target: o.Risk, Delta: s.Delta, Bound: s.Bound},
		Threshold: s.Threshold, AlarmRate: o.AlarmRate,
		Data:   Data{Images: curve.Len(), Errors: curve.Errors(), Accepted: s.Accepted, Wrong: s.Errors},
		Scores: slices.Sorted(slices.Values(scores)),
	}, nil
}

// Accept tells whether a prediction of the given score is accepted. NaN is not.
func (p *Policy) Accept(score float64) bool { return score >= p.Threshold }

func (o Options) withDefaults() (Options, error) {
	if o.Method == "" {
		o.Method = SGR
	}
	if o.Delta == 0 {
		o.Delta = 0.05
	}
	if o.AlarmRate == 0 {
		o.AlarmRate = 0.01
	}
	for _, v := range []struct {
		what  string
		value float64
	}{{"risk", o.Risk}, {"delta", o.Delta}, {"alarm rate", o.AlarmRate}} {
		if !inside(v.value) {
			return o, fmt.Errorf("%s %g: want a number between 0 and 1", v.what, v.value)
		}
	}
	return o, o.Method.check()
}

func (m Method) check() error {
	if m != SGR && m != ConformalRisk && m != PlainRisk {
		return fmt.Errorf("method %q: want %s, %s or %s", m, SGR, ConformalRisk, PlainRisk)
	}
	return nil
}

func inside(v float64) bool { return v > 0 && v < 1 }
