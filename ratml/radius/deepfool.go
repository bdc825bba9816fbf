package radius

// DeepFool goes from linearised boundary to linearised boundary, each time the nearest, until the prediction changes
// (Moosavi-Dezfooli et al. 2016, algorithm 2 and section 3.3).
//
// The sound protocol keeps each step within images in [0,1] and then closes a bracket on the way from the image to
// where it got; an image for which it gets nowhere is reported as Unflipped. The official one (RAT_MisD:utils/attacks.py
// DeepFool) takes L2 steps whatever Norm says, clips them, and reports the L-infinity distance that was covered, whether
// or not the prediction has changed.
type DeepFool struct {
	nothing
	Protocol  Protocol
	Norm      Norm
	Steps     int     // at most; 0 is 50
	Overshoot float64 // by which share a step is too long; 0 is 0.02
}

// Name returns "RR_deepfool", or "RR_deepfooll2" in the L2 norm.
func (d DeepFool) Name() string {
	if d.Protocol == Official {
		return "RR_deepfool"
	}
	return "RR_deepfool" + d.Norm.suffix()
}

// Starts is that of [AttackSearch].
func (d DeepFool) Starts(base int, images, logits []float32, classes int, _ [][]float32) []Start {
	norm := d.Norm
	if d.Protocol == Official {
		norm = L2
	}
	return minimumStarts(base, images, logits, classes, look{classes: true, norm: norm}, func(image, z []float32) walker {
		return &foolWalk{minimum: newMinimum(norm, image, z), DeepFool: d}
	})
}

type foolWalk struct {
	minimum
	DeepFool
	steps int
}

func (w *foolWalk) observe(v view) (done bool) {
	if w.flipped(v.logits) || w.steps == orSteps(w.Steps, 50) {
		return true
	}
	w.steps++
	length := float32(1 + orElse(w.Overshoot, 0.02))
	if w.Protocol == Official {
		return !w.officialStep(v, length)
	}
	moved := false
	for i, s := range project(w.norm, w.x, v.gradient, v.margin) {
		moved = moved || s != 0
		w.x[i] = min(1, max(0, w.x[i]+length*s))
	}
	return !moved
}

// officialStep tells whether there is a gradient to follow.
func (w *foolWalk) officialStep(v view, length float32) bool {
	n := L2.dual(v.gradient)
	if n == 0 {
		return false
	}
	scale := length * float32(v.margin/(n*n))
	for i, g := range v.gradient {
		w.x[i] = min(1, max(0, w.x[i]-scale*g))
	}
	return true
}

func (w *foolWalk) end() (Result, *Start) {
	if w.Protocol == Sound {
		return w.minimum.end()
	}
	d := LInf.distance(w.x, w.origin)
	return Result{Radius: d, Upper: d, Unflipped: w.best == nil}, nil
}
