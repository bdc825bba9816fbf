package radius

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// BoundarySearch is RR-BS (paper section 3; RAT_MisD:models/BaseModel.py RobustRadiusTester, attack "fgsm"): the
// distance along the sign of the cross-entropy's gradient, clipped to [0,1], at which the prediction flips. The
// direction is computed once.
//
// The sound protocol takes the direction from the soft margin (the same sign, also where the softmax saturates),
// closes a bracket to a relative width of Tolerance, in about 4 forward passes, and ends at 1. The official one does
// 24 steps of doubling and halving from 1e-6 in float32.
type BoundarySearch struct {
	Protocol    Protocol
	Temperature float64 // of the logits from which the direction is taken; 0 is 1
	Tolerance   float64 // width of the bracket relative to the radius; 0 is 0.001; sound protocol only
}

const defaultTolerance = 1e-3

// Name returns "RR_fgsm", the official name of this search.
func (b BoundarySearch) Name() string { return "RR_fgsm" }

// Cost returns the forward equivalents of an image before the search: forward and gradient.
func (b BoundarySearch) Cost() float64 { return forwardCost + gradientCost }

// Build returns the direction [batch, height, width, channels], each value -1, 0 or 1, and the slope [batch] of the
// soft margin along it.
func (b BoundarySearch) Build(p *Probe) []*Node {
	t := orElse(b.Temperature, 1)
	g := p.SoftMargin(t)
	if b.Protocol == Official {
		g = p.crossEntropy(t)
	}
	return []*Node{Neg(Sign(g)), Neg(MulScalar(norm1(g), t))}
}

// steps starts the search of one image.
func (b BoundarySearch) steps(logits []float32, slope float64) stepper {
	if b.Protocol == Official {
		return &doubling{}
	}
	return newBracket(margins(logits, argmax(logits)), slope, orElse(b.Tolerance, defaultTolerance), Cap)
}

// Starts returns where the searches of a batch begin: from row-major images [n, size], their logits [n, classes], and
// the outputs of Build. base is added to the row to give the index. The starts refer to the slices given.
func (b BoundarySearch) Starts(base int, images, logits []float32, classes int, built [][]float32) []Start {
	n := len(logits) / classes
	starts := make([]Start, n)
	for i := range starts {
		size := len(images) / n
		z, slope := logits[i*classes:(i+1)*classes], float64(built[1][i])
		starts[i] = Start{
			Index: base + i, Image: images[i*size : (i+1)*size], Direction: built[0][i*size : (i+1)*size],
			Logits: z, Slope: slope, steps: b.steps(z, slope),
		}
	}
	return starts
}
