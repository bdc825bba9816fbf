package radius

import "math"

// Exact is RR_exact: the distance to the nearest boundary of the linearised network, the least over all other classes
// of margin over dual norm of its gradient. [Margin] looks at the runner-up alone. It takes the whole Jacobian, a chunk
// of classes at a time.
//
// The official RobustRadiusExact (RAT_MisD:utils/ConfidenceScores.py) takes its slopes at the black image in place of
// the one that is scored; there is no official protocol of it here.
type Exact struct {
	nothing
	Norm Norm
}

// Name returns "RR_exact", or "RR_exactl2" in the L2 norm.
func (e Exact) Name() string { return "RR_exact" + e.Norm.suffix() }

// Starts is that of [AttackSearch]. The bracket of a result is the radius itself: it is an estimate.
func (e Exact) Starts(base int, images, logits []float32, classes int, _ [][]float32) []Start {
	return minimumStarts(base, images, logits, classes, look{classes: true, norm: e.Norm}, func(image, z []float32) walker {
		return &linearWalk{minimum: newMinimum(e.Norm, image, z), distance: func(v view) float64 {
			n := e.Norm.dual(v.gradient)
			if n == 0 {
				return math.Inf(1)
			}
			return v.margin / n
		}}
	})
}

// Full is RR_full: [Exact] among images in [0,1]. That is the solution of the linear program behind the official
// RobustRadiusFastFull, for the class that is nearest; the official one asks for a place that all other classes win
// at once, leaves images free to leave [0,1], and does not run.
type Full struct {
	nothing
	Norm Norm
}

// Name returns "RR_full", or "RR_fulll2" in the L2 norm.
func (f Full) Name() string { return "RR_full" + f.Norm.suffix() }

// Starts is that of [AttackSearch]. The bracket of a result is the radius itself: it is an estimate.
func (f Full) Starts(base int, images, logits []float32, classes int, _ [][]float32) []Start {
	return minimumStarts(base, images, logits, classes, look{classes: true, norm: f.Norm, box: true}, func(image, z []float32) walker {
		return &linearWalk{minimum: newMinimum(f.Norm, image, z), distance: func(v view) float64 {
			step := project(f.Norm, image, v.gradient, v.margin)
			reached := v.margin
			for i, s := range step {
				reached += float64(s) * float64(v.gradient[i])
			}
			if reached > 1e-4*v.margin {
				return math.Inf(1)
			}
			return f.Norm.distance(step, make([]float32, len(step)))
		}}
	})
}

// linearWalk takes the distance at the first look.
type linearWalk struct {
	minimum
	distance func(view) float64
	found    float64
}

func (w *linearWalk) observe(v view) (done bool) {
	w.found = w.distance(v)
	return true
}

func (w *linearWalk) end() (Result, *Start) {
	far := w.norm.cap(len(w.origin))
	r := math.Min(w.found, far)
	return Result{Radius: r, Lower: r, Upper: r, Unflipped: w.found >= far}, nil
}
