package radius

import "math"

// FAB is the fast adaptive boundary attack (Croce & Hein 2020, arXiv 1907.02044, algorithm 1, without restarts): steps
// to the nearest linearised boundary, biased towards the image, and back towards the image wherever the prediction
// differs. It then closes a bracket on the way from the image to the nearest place found; an image without such a place
// is reported as Unflipped, where the official code gives it radius 0, which [FAB] does too in the official protocol.
type FAB struct {
	nothing
	Protocol  Protocol // the official one has the norm L-infinity and takes the distance as it is
	Norm      Norm
	Steps     int     // 0 is 20, or 10 in the official protocol
	MostBias  float64 // largest weight of the step from the image itself; 0 is 0.1
	Overshoot float64 // by which share a step is too long; 0 is 0.05
	Back      float64 // share of the way from the image that remains; 0 is 0.9
}

// Name returns "RR_fab", or "RR_fabl2" in the L2 norm.
func (f FAB) Name() string { return "RR_fab" + f.norm().suffix() }

func (f FAB) norm() Norm {
	if f.Protocol == Official {
		return LInf
	}
	return f.Norm
}

// Starts is that of [AttackSearch].
func (f FAB) Starts(base int, images, logits []float32, classes int, _ [][]float32) []Start {
	return minimumStarts(base, images, logits, classes, look{classes: true, norm: f.norm()}, func(image, z []float32) walker {
		return &fabWalk{minimum: newMinimum(f.norm(), image, z), FAB: f}
	})
}

type fabWalk struct {
	minimum
	FAB
	step   int
	backed bool // the place is one that was moved back to
}

func (w *fabWalk) steps() int {
	if w.Protocol == Official {
		return orSteps(w.Steps, 10)
	}
	return orSteps(w.Steps, 20)
}

func (w *fabWalk) observe(v view) (done bool) {
	flipped := w.flipped(v.logits)
	if w.step == w.steps() {
		return true
	}
	if flipped && !w.backed {
		back := float32(orElse(w.Back, 0.9))
		for i, o := range w.origin {
			w.x[i] = o + back*(w.x[i]-o)
		}
		w.backed = true // and look again, for the gradient there
		return false
	}
	w.backed = false
	w.step++
	w.move(v.gradient, v.margin)
	return false
}

// move goes to the linearised boundary.
func (w *fabWalk) move(g []float32, f float64) {
	atOrigin := f
	for i, o := range w.origin {
		atOrigin += float64(g[i]) * (float64(o) - float64(w.x[i]))
	}
	here, there := project(w.FAB.norm(), w.x, g, f), project(w.FAB.norm(), w.origin, g, atOrigin)
	zero := make([]float32, len(here))
	a, b := math.Max(w.FAB.norm().distance(here, zero), 1e-8), math.Max(w.FAB.norm().distance(there, zero), 1e-8)
	bias := float32(math.Min(a/(a+b), orElse(w.MostBias, 0.1)))
	length := float32(1 + orElse(w.Overshoot, 0.05))
	for i, o := range w.origin {
		x := (w.x[i]+length*here[i])*(1-bias) + (o+length*there[i])*bias
		w.x[i] = min(1, max(0, x))
	}
}

func (w *fabWalk) end() (Result, *Start) {
	switch {
	case w.Protocol == Sound:
		return w.minimum.end()
	case w.best == nil:
		return Result{Unflipped: true}, nil
	}
	return Result{Radius: w.dist, Upper: w.dist}, nil
}
