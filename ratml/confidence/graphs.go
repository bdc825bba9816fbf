package confidence

import (
	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/radius"
)

// Differentiable is a score of logits that has a graph form too, so that images can be changed along its gradient.
type Differentiable interface {
	Direct
	// Graph returns the score [batch] of logits [batch, classes].
	Graph(logits *graph.Node) *graph.Node
}

// Graph returns max p.
func (MSR) Graph(z *graph.Node) *graph.Node { return ODIN{}.Graph(z) }

// Graph returns max softmax(z/T).
func (s ODIN) Graph(z *graph.Node) *graph.Node { return largest(tempered(z, s.Temperature)) }

// Graph returns the negative entropy.
func (NE) Graph(z *graph.Node) *graph.Node {
	p := graph.Softmax(z)
	return graph.ReduceSum(graph.Mul(p, graph.Log(graph.AddScalar(p, 1e-9))), -1)
}

// Graph returns -p_2.
func (HPS) Graph(z *graph.Node) *graph.Node { return graph.Neg(secondLargest(graph.Softmax(z))) }

// Graph returns lambda p_1 - p_2.
func (s LinearMix) Graph(z *graph.Node) *graph.Node {
	p := graph.Softmax(z)
	return graph.Sub(graph.MulScalar(largest(p), orElse(s.Lambda, 1)), secondLargest(p))
}

// Graph returns min(p_1, threshold) - p_2.
func (s Thresholded) Graph(z *graph.Node) *graph.Node {
	p := graph.Softmax(z)
	return graph.Sub(graph.MinScalar(largest(p), orElse(s.Threshold, 0.5)), secondLargest(p))
}

// Graph returns -1 / sum p^2.
func (s DOCTOR) Graph(z *graph.Node) *graph.Node {
	return graph.Neg(graph.Reciprocal(graph.ReduceSum(graph.Square(tempered(z, s.Temperature)), -1)))
}

// Graph returns -1 / sum p^2.
func (TFDOCTOR) Graph(z *graph.Node) *graph.Node { return DOCTOR{}.Graph(z) }

// Graph returns the largest logit.
func (MLS) Graph(z *graph.Node) *graph.Node { return largest(z) }

// Graph returns p_1 / p_2.
func (Ratio) Graph(z *graph.Node) *graph.Node { return graph.Exp(LogitDiff{}.Graph(z)) }

// Graph returns z_1 - z_2.
func (LogitDiff) Graph(z *graph.Node) *graph.Node { return TunedLogitDiff{}.Graph(z) }

// Graph returns z_1 - logsumexp(z_2..z_K).
func (s SoftLogitDiff) Graph(z *graph.Node) *graph.Node {
	z = graph.DivScalar(z, orElse(s.Temperature, 1))
	return graph.Sub(largest(z), logSumExp(withoutLargest(z)))
}

// Graph returns z_1 - lambda z_2.
func (s TunedLogitDiff) Graph(z *graph.Node) *graph.Node {
	return graph.Sub(largest(z), graph.MulScalar(secondLargest(z), orElse(s.Lambda, 1)))
}

// ascent returns the gradient of MSR's logarithm up to a positive factor, which does not vanish where the softmax
// saturates.
func (MSR) ascent(p *radius.Probe) *graph.Node { return p.SoftMargin(1) }

func (s ODIN) ascent(p *radius.Probe) *graph.Node { return p.SoftMargin(orElse(s.Temperature, 1)) }

// tempered returns softmax(z/temperature); a temperature of 0 is 1.
func tempered(z *graph.Node, temperature float64) *graph.Node {
	if t := orElse(temperature, 1); t != 1 {
		z = graph.DivScalar(z, t)
	}
	return graph.Softmax(z)
}

// first marks the first largest value of each row [batch, n] by 1.
func first(v *graph.Node) *graph.Node {
	return graph.StopGradient(graph.OneHot(graph.ArgMax(v, -1), v.Shape().Dimensions[1], v.DType()))
}

// largest returns [batch] the value at the first index of the largest, whose gradient goes to that one alone.
func largest(v *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(v, first(v)), -1) }

// hidden is subtracted from a value that must not be the largest: finite, so that gradients are too.
const hidden = 1e30

func withoutLargest(v *graph.Node) *graph.Node {
	return graph.Sub(v, graph.MulScalar(first(v), hidden))
}

func secondLargest(v *graph.Node) *graph.Node { return largest(withoutLargest(v)) }

// logSumExp returns [batch] the logarithm of the sum of exponentials of each row.
func logSumExp(z *graph.Node) *graph.Node {
	top := graph.StopGradient(graph.ReduceAndKeep(z, graph.ReduceMax, -1))
	return graph.Add(graph.Log(graph.ReduceSum(graph.Exp(graph.Sub(z, top)), -1)), graph.Squeeze(top, -1))
}
