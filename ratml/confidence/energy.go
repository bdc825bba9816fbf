package confidence

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/radius"
)

// Energy is the negative free energy T logsumexp(z/T) (Liu et al. 2020, "Energy-based Out-of-distribution Detection").
type Energy struct {
	fromLogits
	Temperature float64 // 0 is 1
}

// Name returns "Energy".
func (Energy) Name() string { return "Energy" }

// String returns the name with the temperature.
func (s Energy) String() string { return radius.Describe(s, "temperature", s.Temperature, 1) }

// Candidates returns the score at each of [radius.Temperatures].
func (s Energy) Candidates() []Function {
	return grid(radius.Temperatures, func(v float64) Function { s.Temperature = v; return s })
}

// Values returns T logsumexp(z/T).
func (s Energy) Values(logits []float32, classes int, _ [][]float32) []float64 {
	t := orElse(s.Temperature, 1)
	return each(logits, classes, func(z []float64) float64 {
		for j := range z {
			z[j] /= t
		}
		return t * logSumExpOf(z)
	})
}

// Graph returns T logsumexp(z/T).
func (s Energy) Graph(z *graph.Node) *graph.Node {
	t := orElse(s.Temperature, 1)
	return graph.MulScalar(logSumExp(graph.DivScalar(z, t)), t)
}

// GEN is the negative generalised entropy -sum (p (1-p))^gamma over the largest probabilities (Liu et al. 2023, "GEN:
// Pushing the Limits of Softmax-Based Out-of-Distribution Detection", equation 2). A small gamma makes the score
// sensitive to small probabilities.
type GEN struct {
	fromLogits
	Gamma float64 // 0 is 0.1
	Top   int     // number of largest probabilities summed; 0 is 100, or all classes where there are fewer
}

// Name returns "GEN".
func (GEN) Name() string { return "GEN" }

// String returns the name with its parameters.
func (s GEN) String() string {
	return fmt.Sprintf("GEN at gamma %g, top %d", orElse(s.Gamma, 0.1), s.top(math.MaxInt))
}

// Candidates returns the score with gamma from 0.01 to 1.
func (s GEN) Candidates() []Function {
	return grid([]float64{0.01, 0.05, 0.1, 0.2, 0.5, 1}, func(v float64) Function { s.Gamma = v; return s })
}

func (s GEN) top(classes int) int {
	if s.Top == 0 {
		return min(100, classes)
	}
	return min(s.Top, classes)
}

// Values returns the negative generalised entropy, at most 0.
func (s GEN) Values(logits []float32, classes int, _ [][]float32) []float64 {
	gamma, top := orElse(s.Gamma, 0.1), s.top(classes)
	return eachProbability(logits, classes, 1, func(p []float64) float64 {
		slices.Sort(p)
		sum := 0.0
		for _, v := range p[classes-top:] {
			sum += math.Pow(v*(1-v), gamma)
		}
		return -sum
	})
}

// Graph returns the negative generalised entropy.
func (s GEN) Graph(z *graph.Node) *graph.Node {
	p := graph.Softmax(z)
	terms := graph.Exp(graph.MulScalar(graph.Log(graph.AddScalar(graph.Mul(p, graph.OneMinus(p)), tiny)), orElse(s.Gamma, 0.1)))
	classes := p.Shape().Dimensions[1]
	sum := graph.ScalarZero(z.Graph(), z.DType())
	if s.top(classes) == classes {
		return graph.Neg(graph.ReduceSum(terms, -1))
	}
	for range s.top(classes) {
		sum = graph.Add(sum, graph.ReduceSum(graph.Mul(terms, first(p)), -1))
		p = withoutLargest(p)
	}
	return graph.Neg(sum)
}

// tiny keeps logarithms finite: the least normal float32, about.
const tiny = 1.2e-38
