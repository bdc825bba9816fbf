package radius

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Cap is the largest radius that the sound protocol reports: images live in [0,1], so no pixel can change by more.
const Cap = 1.0

// Forward equivalents: a gradient with respect to the input costs two more than the forward pass it needs.
const (
	forwardCost  = 1.0
	gradientCost = 2.0
)

// Fast is RR-Fast (paper section 3; RAT_MisD:utils/ConfidenceScores.py RobustRadiusFast): one step of size Step along
// the sign-gradient direction shows how fast the margin to each class shrinks, and the class that would be reached
// first by going on at that rate gives the radius, at most 1.
//
// In the sound protocol the direction is that of the soft margin, the same as the official one wherever the softmax
// does not saturate, and the temperature changes nothing but the direction.
type Fast struct {
	Protocol    Protocol
	Temperature float64 // of the logits from which the direction is taken; 0 is 1
	Step        float64 // in pixel units; 0 is 0.001
}

// Name returns "RR_fast".
func (f Fast) Name() string { return "RR_fast" }

// Cost returns the forward equivalents of an image: forward, gradient, forward.
func (f Fast) Cost() float64 { return forwardCost + gradientCost + forwardCost }

func (f Fast) step() float64 { return orElse(f.Step, 1e-3) }

// Build adds the step and returns the logits after it.
func (f Fast) Build(p *Probe) []*Node {
	g := p.SoftMargin
	if f.Protocol == Official {
		g = p.logMaxSoftmax
	}
	direction := Sign(g(orElse(f.Temperature, 1)))
	return []*Node{p.Net(Sub(p.Images, MulScalar(direction, f.step())))}
}

// Values returns the radius of each image from its logits before and after the step.
func (f Fast) Values(logits []float32, classes int, built [][]float32) []float64 {
	before, tie := 1.0, 0.0
	if f.Protocol == Official {
		before, tie = orElse(f.Temperature, 1), Cap // quirks: see official.go
	}
	r := make([]float64, len(logits)/classes)
	for i := range r {
		row := i * classes
		r[i] = firstReached(logits[row:row+classes], built[0][row:row+classes], before, tie, f.step())
	}
	return r
}

// firstReached extrapolates the margins between the predicted class and each other one from a step of size h, and
// returns the smallest distance at which one is 0, or 1 if none is nearer; tie is the distance to a class that is level
// already. The logits before the step are divided by a temperature.
func firstReached(before, after []float32, temperature, tie, h float64) float64 {
	m := argmax(before)
	r := Cap
	for j := range before {
		if j == m {
			continue
		}
		now := (float64(before[m]) - float64(before[j])) / temperature
		then := float64(after[m]) - float64(after[j])
		switch rate := (now - then) / h; {
		case now == 0:
			r = math.Min(r, tie)
		case rate > 0:
			r = math.Min(r, now/rate)
		}
	}
	return r
}

// Margin is RR_exp (RAT_MisD:utils/ConfidenceScores.py RobustRadiusFastExp): the margin of the two largest logits over
// the L1 norm of its gradient, the exact L-infinity radius of the linearised two-class problem. The sound protocol
// caps it at 1.
type Margin struct{ Protocol Protocol }

// Name returns "RR_exp".
func (m Margin) Name() string { return "RR_exp" }

// Cost returns the forward equivalents of an image: forward and gradient.
func (m Margin) Cost() float64 { return forwardCost + gradientCost }

// Build returns the L1 norm of the margin's gradient.
func (m Margin) Build(p *Probe) []*Node { return []*Node{norm1(p.TopMargin())} }

// Values returns the radius of each image.
func (m Margin) Values(logits []float32, classes int, built [][]float32) []float64 {
	r := make([]float64, len(logits)/classes)
	for i := range r {
		first, second := top2(logits[i*classes : (i+1)*classes])
		r[i] = ratio(first-second, float64(built[0][i]), m.Protocol)
	}
	return r
}

// SoftMargin is RR_soft (RAT_MisD:utils/ConfidenceScores.py RobustRadiusFastSmooth): [Margin] with the soft margin
// z_1 - logsumexp(z_2..z_K) at logits over Temperature. It is negative where the other classes together outweigh the
// predicted one. The sound protocol caps it at 1.
type SoftMargin struct {
	Protocol    Protocol
	Temperature float64 // 0 is 1
}

// Name returns "RR_soft".
func (s SoftMargin) Name() string { return "RR_soft" }

// Cost returns the forward equivalents of an image: forward and gradient.
func (s SoftMargin) Cost() float64 { return forwardCost + gradientCost }

// Build returns the L1 norm of the soft margin's gradient.
func (s SoftMargin) Build(p *Probe) []*Node {
	return []*Node{norm1(p.SoftMargin(orElse(s.Temperature, 1)))}
}

// Values returns the radius of each image.
func (s SoftMargin) Values(logits []float32, classes int, built [][]float32) []float64 {
	r := make([]float64, len(logits)/classes)
	for i := range r {
		d := softMargin(logits[i*classes:(i+1)*classes], orElse(s.Temperature, 1))
		r[i] = ratio(d, float64(built[0][i]), s.Protocol)
	}
	return r
}

// ratio divides a margin by the norm of its gradient.
func ratio(margin, norm float64, p Protocol) float64 {
	if p == Official {
		return margin / norm
	}
	if norm == 0 {
		if margin == 0 {
			return 0
		}
		return math.Copysign(Cap, margin)
	}
	return math.Min(margin/norm, Cap)
}

func orElse(v, zero float64) float64 {
	if v == 0 {
		return zero
	}
	return v
}
