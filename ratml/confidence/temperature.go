package confidence

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
)

// Calibrated is max softmax(z/T) with the temperature that minimises the negative log-likelihood on validation data
// (Guo et al. 2017, temperature scaling): a confidence that is also a probability.
type Calibrated struct {
	fromLogits
	Temperature float64 // 0 is 1, that of no scaling
}

// Name returns "TS_MSR".
func (Calibrated) Name() string { return "TS_MSR" }

// String returns the name with the temperature.
func (s Calibrated) String() string { return radius.Describe(s, "temperature", s.Temperature, 1) }

// Values returns max softmax(z/T).
func (s Calibrated) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return ODIN{Temperature: s.Temperature}.Values(logits, classes, nil)
}

// Graph returns max softmax(z/T).
func (s Calibrated) Graph(z *graph.Node) *graph.Node {
	return ODIN{Temperature: s.Temperature}.Graph(z)
}

func (s Calibrated) ascent(p *radius.Probe) *graph.Node {
	return ODIN{Temperature: s.Temperature}.ascent(p)
}

// Objective returns "nll".
func (Calibrated) Objective() string { return "nll" }

// The temperatures that are looked at.
const coldest, hottest = 1e-2, 1e2

// Learn returns the score at the temperature in [0.01, 100] that minimises the mean negative log-likelihood of a run's
// labels. In 1/T it is convex, so that the root of its derivative is bracketed and halved.
func (s Calibrated) Learn(run *misd.Run) (Function, float64, error) {
	if run.Logits == nil {
		return nil, 0, fmt.Errorf("TS_MSR: the run has no logits")
	}
	lo, hi := math.Log(1/hottest), math.Log(1/coldest) // of log(1/T)
	for range 60 {
		middle := (lo + hi) / 2
		if slopeOfNLL(run, math.Exp(middle)) < 0 {
			lo = middle
		} else {
			hi = middle
		}
	}
	s.Temperature = math.Exp(-(lo + hi) / 2)
	return s, meanNLL(run, s.Temperature), nil
}

// slopeOfNLL returns the derivative of the summed negative log-likelihood by the inverse temperature b: the sum of the
// expected logit less that of the label.
func slopeOfNLL(run *misd.Run, b float64) float64 {
	sum := 0.0
	z, p := make([]float64, run.Classes), make([]float64, run.Classes)
	for i, label := range run.Label {
		for j := range z {
			z[j] = float64(run.Logits[i*run.Classes+j])
		}
		copy(p, z)
		softmax(p, 1/b)
		for j, v := range z {
			sum += p[j] * v
		}
		sum -= z[label]
	}
	return sum
}

// meanNLL returns the mean negative log-likelihood of the labels at a temperature, in nats.
func meanNLL(run *misd.Run, temperature float64) float64 {
	sum := 0.0
	for i, label := range run.Label {
		z := widen(run.Logits[i*run.Classes : (i+1)*run.Classes])
		for j := range z {
			z[j] /= temperature
		}
		sum += logSumExpOf(z) - z[label]
	}
	return sum / float64(len(run.Label))
}
