package confidence

import (
	"context"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Fitter is a function with a parameter that is chosen on validation data.
type Fitter interface {
	Function
	// Candidates returns the function with each value of its parameter that is tried.
	Candidates() []Function
}

var (
	_ Fitter = ODIN{}
	_ Fitter = radius.BoundarySearch{}
)

// Candidates returns the score at each of [radius.Temperatures].
func (s ODIN) Candidates() []Function {
	return grid(radius.Temperatures, func(v float64) Function { s.Temperature = v; return s })
}

// Candidates returns the score at each of [radius.Temperatures].
func (s DOCTOR) Candidates() []Function {
	return grid(radius.Temperatures, func(v float64) Function { s.Temperature = v; return s })
}

// Candidates returns the score with lambda from 0.01 to 100, as the official code does.
func (s LinearMix) Candidates() []Function {
	return grid([]float64{0.01, 0.1, 1, 10, 100}, func(v float64) Function { s.Lambda = v; return s })
}

// Candidates returns the score with thresholds 0.1, 0.2, ... 1, as the official code does.
func (s Thresholded) Candidates() []Function {
	return grid([]float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}, func(v float64) Function { s.Threshold = v; return s })
}

// Candidates returns the score with the official code's lambdas, 0.5 to 2.
func (s TunedLogitDiff) Candidates() []Function {
	return grid([]float64{0.5, 0.75, 0.9, 1.1, 1.3, 2}, func(v float64) Function { s.Lambda = v; return s })
}

// String returns the name with the parameter.
func (s ODIN) String() string { return radius.Describe(s, "temperature", s.Temperature, 1) }

// String returns the name with the parameter.
func (s DOCTOR) String() string { return radius.Describe(s, "temperature", s.Temperature, 1) }

// String returns the name with the parameter.
func (s LinearMix) String() string { return radius.Describe(s, "lambda", s.Lambda, 1) }

// String returns the name with the parameter.
func (s Thresholded) String() string { return radius.Describe(s, "threshold", s.Threshold, 0.5) }

// String returns the name with the parameter.
func (s TunedLogitDiff) String() string { return radius.Describe(s, "lambda", s.Lambda, 1) }

func grid(values []float64, at func(v float64) Function) []Function {
	var c []Function
	for _, v := range values {
		c = append(c, at(v))
	}
	return c
}

// Fit returns functions with their parameters chosen on validation data, as [Scorer.Fits] does.
func (s Scorer) Fit(ctx context.Context, c *nets.Classifier, validation dataset.Set, functions ...Function) ([]Function, error) {
	fits, err := s.Fits(ctx, c, validation, functions...)
	if err != nil {
		return nil, err
	}
	fitted := make([]Function, len(fits))
	for i, f := range fits {
		fitted[i] = f.Function
	}
	return fitted, nil
}
