package radius

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// This file holds what the official code does differently from the sound protocol. Two quirks are too small to stand
// here: RR-Fast divides the logits before the step by the temperature, but not those after it, and takes the distance to
// a class that is level with the predicted one for 1; and RR_exp and RR_soft are not capped.

// logMaxSoftmax returns the gradient of log(max softmax(z/temperature)), written as the official RobustRadiusFast
// does: where the largest probability rounds to 1 what is left of the gradient is rounding.
func (p *Probe) logMaxSoftmax(temperature float64) *Node {
	return p.gradient("log max softmax", temperature, func(z *Node) *Node {
		return Log(largest(Softmax(z)))
	})
}

// crossEntropy returns the gradient of the negative cross-entropy of the predicted class at z/temperature, as the
// official RobustRadiusTester takes its direction.
func (p *Probe) crossEntropy(temperature float64) *Node {
	return p.gradient("cross-entropy", temperature, func(z *Node) *Node {
		return ReduceSum(Mul(LogSoftmax(z), first(z)), -1)
	})
}

const (
	officialStart      = 1e-6 // the first lower end
	officialIterations = 24
)

// doubling is the official search (RAT_MisD:models/BaseModel.py RobustRadiusTester): from 1e-6 the distance doubles
// until the prediction flips, then the bracket is halved, 24 evaluations in all, in float32. A prediction that never
// flips gets 2^24*1e-6 = 16.8, though images are clipped to [0,1], and one that flips before 1e-6 gets 1e-6.
type doubling struct {
	lo, hi  float32 // hi is 0 until a flip has been seen
	evals   int
	current float32
}

func (d *doubling) next() float64 {
	if d.evals == 0 {
		d.lo = officialStart
	}
	d.current = 2 * d.lo
	if d.hi != 0 {
		d.current = min((d.lo+d.hi)/2, d.current)
	}
	return float64(d.current)
}

func (d *doubling) observe(_ []float64, flipped bool) (done bool) {
	d.evals++
	if flipped {
		d.hi = d.current
	} else {
		d.lo = d.current
	}
	return d.evals == officialIterations
}

func (d *doubling) result() Result {
	hi, flipped := d.hi, d.hi != 0
	if !flipped {
		hi = d.lo
	}
	return Result{
		Radius: float64((d.lo + hi) / 2), Lower: float64(d.lo), Upper: float64(hi),
		Unflipped: !flipped, Evaluations: d.evals,
	}
}
