package confidence

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// RelU is the negative relative uncertainty -p D pᵀ with p = softmax(z/T) and D a matrix of how much each pair of
// classes tells of errors (Dadalto et al. 2023, "A Data-Driven Measure of Relative Uncertainty for Misclassification
// Detection"; RAT_MisD:utils/ConfidenceScores.py RelU). D is learned from validation data:
// relu(-(1-lambda) E[p pᵀ | right] + lambda E[p pᵀ | wrong]) off the diagonal, over its Frobenius norm. Before that,
// and where nothing is left of it, D treats all pairs alike, which makes the score that of [DOCTOR] up to scale.
type RelU struct {
	fromLogits
	Temperature float64     // 0 is 1
	Lambda      float64     // weight of wrong predictions, in (0,1); 0 is 0.5
	Weights     [][]float64 // D [classes][classes]; nil before learning
}

// Name returns "RelU".
func (RelU) Name() string { return "RelU" }

// String returns the name with the temperature.
func (s RelU) String() string { return radius.Describe(s, "temperature", s.Temperature, 1) }

// Candidates returns the score at each of [radius.Temperatures]; each learns its own matrix.
func (s RelU) Candidates() []Function {
	return grid(radius.Temperatures, func(v float64) Function { s.Temperature = v; s.Weights = nil; return s })
}

// Values returns -p D pᵀ.
func (s RelU) Values(logits []float32, classes int, _ [][]float32) []float64 {
	d := s.weights(classes)
	return eachProbability(logits, classes, s.Temperature, func(p []float64) float64 {
		sum := 0.0
		for j, row := range d {
			for k, w := range row {
				sum += p[j] * w * p[k]
			}
		}
		return -sum
	})
}

// Graph returns -p D pᵀ.
func (s RelU) Graph(z *graph.Node) *graph.Node {
	p := tempered(z, s.Temperature)
	d := graph.ConvertDType(graph.Const(z.Graph(), s.weights(z.Shape().Dimensions[1])), z.DType())
	return graph.Neg(graph.ReduceSum(graph.Mul(graph.DotGeneral(p, []int{1}, nil, d, []int{0}, nil), p), -1))
}

// Objective says how the matrix is found.
func (RelU) Objective() string {
	return "mean products of probabilities of wrong less those of right predictions"
}

// Learn returns the score with the matrix learned from a run's logits. It returns an error where no prediction is
// wrong or none is right.
func (s RelU) Learn(run *misd.Run) (Function, float64, error) {
	if run.Logits == nil {
		return nil, 0, fmt.Errorf("RelU: the run has no logits")
	}
	lambda := orElse(s.Lambda, 0.5)
	if !(lambda > 0 && lambda < 1) {
		return nil, 0, fmt.Errorf("RelU: lambda is %g, want more than 0 and less than 1", lambda)
	}
	correct := run.Correct()
	right := 0
	for _, ok := range correct {
		if ok {
			right++
		}
	}
	if right == 0 || right == len(correct) {
		return nil, 0, fmt.Errorf("RelU: %d of %d validation predictions are right; it learns from both kinds", right, len(correct))
	}
	factor := map[bool]float64{true: -(1 - lambda) / float64(right), false: lambda / float64(len(correct)-right)}
	d := square(run.Classes)
	i := 0
	eachProbability(run.Logits, run.Classes, s.Temperature, func(p []float64) float64 {
		f := factor[correct[i]]
		for j := range d {
			for k := range d {
				d[j][k] += f * p[j] * p[k]
			}
		}
		i++
		return 0
	})
	s.Weights = normalized(d)
	return s, math.NaN(), nil
}

func (s RelU) weights(classes int) [][]float64 {
	if s.Weights != nil {
		return s.Weights
	}
	return normalized(square(classes))
}

func (s RelU) check(c *nets.Classifier) error {
	classes := c.Arch.Classes
	if s.Weights != nil && len(s.Weights) != classes {
		return fmt.Errorf("RelU was fitted for %d classes, the network has %d", len(s.Weights), classes)
	}
	for _, row := range s.Weights {
		if len(row) != classes {
			return fmt.Errorf("the matrix of RelU is not square")
		}
	}
	return nil
}

// normalized returns the positive part of d off the diagonal over its Frobenius norm, or, where there is none, that
// of the matrix of ones.
func normalized(d [][]float64) [][]float64 {
	sum := 0.0
	for j := range d {
		for k, v := range d[j] {
			if j == k || v < 0 {
				d[j][k] = 0
			}
			sum += d[j][k] * d[j][k]
		}
	}
	if sum == 0 {
		for j := range d {
			for k := range d[j] {
				if j != k {
					d[j][k] = 1
					sum++
				}
			}
		}
	}
	for j := range d {
		for k := range d[j] {
			d[j][k] /= math.Sqrt(math.Max(sum, tiny))
		}
	}
	return d
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}
