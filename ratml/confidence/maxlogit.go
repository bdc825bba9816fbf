package confidence

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// NormalizedMaxLogit is the largest logit after the logits were centred and divided by their p-norm (Cattelan & Silva
// 2024, "How to Fix a Broken Confidence Estimator", MaxLogit-pNorm).
type NormalizedMaxLogit struct {
	fromLogits
	P float64 // of the norm; 0 is 2
}

// Name returns "MLS_pnorm".
func (NormalizedMaxLogit) Name() string { return "MLS_pnorm" }

// String returns the name with p.
func (s NormalizedMaxLogit) String() string { return radius.Describe(s, "p", s.P, 2) }

// Candidates returns the score with p from 1 to 8, the range of the paper.
func (s NormalizedMaxLogit) Candidates() []Function {
	return grid([]float64{1, 2, 3, 4, 5, 6, 7, 8}, func(v float64) Function { s.P = v; return s })
}

// Values returns max(z - mean z) / ||z - mean z||_p, 0 where all logits are equal.
func (s NormalizedMaxLogit) Values(logits []float32, classes int, _ [][]float32) []float64 {
	p := orElse(s.P, 2)
	return each(logits, classes, func(z []float64) float64 {
		mean := 0.0
		for _, v := range z {
			mean += v / float64(len(z))
		}
		first, _ := top2(z)
		last := first
		for _, v := range z {
			last = math.Min(last, v)
		}
		scale := math.Max(first-mean, mean-last) // so that powers neither overflow nor vanish
		if scale == 0 {
			return 0
		}
		sum := 0.0
		for _, v := range z {
			sum += math.Pow(math.Abs(v-mean)/scale, p)
		}
		return (first - mean) / scale / math.Pow(sum, 1/p)
	})
}

// Graph returns max(z - mean z) / ||z - mean z||_p.
func (s NormalizedMaxLogit) Graph(z *graph.Node) *graph.Node {
	p := orElse(s.P, 2)
	z = graph.Sub(z, graph.ReduceAndKeep(z, graph.ReduceMean, -1))
	scale := graph.StopGradient(graph.AddScalar(graph.ReduceAndKeep(graph.Abs(z), graph.ReduceMax, -1), tiny))
	z = graph.Div(z, scale)
	sum := graph.ReduceSum(graph.Exp(graph.MulScalar(graph.Log(graph.AddScalar(graph.Abs(z), tiny)), p)), -1)
	return graph.Div(largest(z), graph.Exp(graph.MulScalar(graph.Log(graph.AddScalar(sum, tiny)), 1/p)))
}

// StandardizedMaxLogit is the largest logit less the mean that the largest logit has among images predicted to be of
// the same class, over its standard deviation (Jung et al. 2021, "Standardized Max Logits"). Mean and deviation are
// learned from validation data; without them it is the largest logit.
type StandardizedMaxLogit struct {
	fromLogits
	Mean, Deviation []float64 // by predicted class; nil before learning
}

// Name returns "SML".
func (StandardizedMaxLogit) Name() string { return "SML" }

// String returns the name, with the number of classes that it knows.
func (s StandardizedMaxLogit) String() string {
	return fmt.Sprintf("SML of %d classes", len(s.Mean))
}

// Values returns the standardised maximum logit.
func (s StandardizedMaxLogit) Values(logits []float32, classes int, _ [][]float32) []float64 {
	v := MLS{}.Values(logits, classes, nil)
	if s.Mean == nil {
		return v
	}
	for i := range v {
		c := argmax(logits[i*classes : (i+1)*classes])
		v[i] = (v[i] - s.Mean[c]) / s.Deviation[c]
	}
	return v
}

// Graph returns the standardised maximum logit.
func (s StandardizedMaxLogit) Graph(z *graph.Node) *graph.Node {
	v := largest(z)
	if s.Mean == nil {
		return v
	}
	of := func(byClass []float64) *graph.Node {
		row := graph.ConvertDType(graph.Const(z.Graph(), [][]float64{byClass}), z.DType())
		return graph.ReduceSum(graph.Mul(first(z), row), -1)
	}
	return graph.Div(graph.Sub(v, of(s.Mean)), of(s.Deviation))
}

// Objective returns "moments".
func (StandardizedMaxLogit) Objective() string {
	return "moments of the largest logit by predicted class"
}

// Learn takes mean and deviation by predicted class from a run; a class that was predicted less than twice, or always
// with the same logit, gets those of all images.
func (s StandardizedMaxLogit) Learn(run *misd.Run) (Function, float64, error) {
	if run.Logits == nil {
		return nil, 0, fmt.Errorf("SML: the run has no logits")
	}
	v := MLS{}.Values(run.Logits, run.Classes, nil)
	by := make([][]float64, run.Classes)
	for i, c := range run.Pred {
		by[c] = append(by[c], v[i])
	}
	mean, deviation := moments(v)
	if deviation == 0 {
		deviation = 1
	}
	s.Mean, s.Deviation = make([]float64, run.Classes), make([]float64, run.Classes)
	for c := range by {
		s.Mean[c], s.Deviation[c] = mean, deviation
		if m, d := moments(by[c]); d > 0 {
			s.Mean[c], s.Deviation[c] = m, d
		}
	}
	return s, math.NaN(), nil
}

func (s StandardizedMaxLogit) check(c *nets.Classifier) error {
	classes := c.Arch.Classes
	if s.Mean != nil && (len(s.Mean) != classes || len(s.Deviation) != classes) {
		return fmt.Errorf("SML was fitted for %d classes, the network has %d", len(s.Mean), classes)
	}
	return nil
}

// moments returns the mean and the standard deviation (by n) of v; 0 and 0 without values.
func moments(v []float64) (mean, deviation float64) {
	if len(v) == 0 {
		return 0, 0
	}
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(deviation)
}
