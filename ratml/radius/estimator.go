package radius

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Estimator is what the estimators of this package have in common, and all confidence scores with them: they add to
// the shared pass of a batch what they need.
type Estimator interface {
	// Name is the official name of the score, its column in files and tables.
	Name() string
	// Cost is the cost of an image in forward equivalents, if the score is computed alone; before the search, if
	// there is one.
	Cost() float64
	// Build adds to the shared pass what the score needs beyond logits, and returns those nodes, each with the batch
	// as first axis.
	Build(p *Probe) []*graph.Node
}

// Temperatures are the candidates among which the official code chooses (RAT_MisD:utils/ConfidenceScores.py
// TEMP_RANGE).
var Temperatures = []float64{0.2, 0.4, 0.6, 0.8, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 2, 2.5, 3, 100, 1000}

// Candidates returns the estimator at each of [Temperatures]. The official fit compares fifteen times the same
// candidate and ends at the first, so there is but one in that protocol.
func (f Fast) Candidates() []Estimator {
	return candidates(f.Protocol, func(t float64) Estimator { f.Temperature = t; return f })
}

// Candidates returns the estimator at each of [Temperatures], but one in the official protocol as for [Fast].
func (s SoftMargin) Candidates() []Estimator {
	return candidates(s.Protocol, func(t float64) Estimator { s.Temperature = t; return s })
}

// Candidates returns the search at each of [Temperatures].
func (b BoundarySearch) Candidates() []Estimator {
	return candidates(Sound, func(t float64) Estimator { b.Temperature = t; return b })
}

// String returns the name with the temperature.
func (f Fast) String() string { return Describe(f, "temperature", f.Temperature, 1) }

// String returns the name with the temperature.
func (s SoftMargin) String() string { return Describe(s, "temperature", s.Temperature, 1) }

// String returns the name with the temperature.
func (b BoundarySearch) String() string { return Describe(b, "temperature", b.Temperature, 1) }

// Describe returns the name of an estimator with the value of its parameter, as "ODIN at temperature 2"; a value of 0
// stands for the default.
func Describe(e Estimator, parameter string, value, zero float64) string {
	return fmt.Sprintf("%s at %s %g", e.Name(), parameter, orElse(value, zero))
}

func candidates(p Protocol, at func(temperature float64) Estimator) []Estimator {
	if p == Official {
		return []Estimator{at(Temperatures[0])}
	}
	var c []Estimator
	for _, t := range Temperatures {
		c = append(c, at(t))
	}
	return c
}
