package radius

import "math"

// FMN is the fast minimum-norm attack (Pintor et al. 2021, arXiv 2102.12827, algorithm 1): gradient steps within a ball
// that shrinks while the prediction differs and grows while it does not. It then closes a bracket on the way from the
// image to the nearest place found; an image without such a place is reported as Unflipped.
type FMN struct {
	nothing
	Norm  Norm
	Steps int     // 0 is 100
	Step  float64 // length of the first step; later ones fall to a hundredth along a cosine; 0 is 1
	Gamma float64 // change of the ball's radius in the first step, relative; it falls to a fiftieth; 0 is 0.05
}

// Name returns "RR_fmn", or "RR_fmnl2" in the L2 norm.
func (f FMN) Name() string { return "RR_fmn" + f.Norm.suffix() }

// Starts is that of [AttackSearch].
func (f FMN) Starts(base int, images, logits []float32, classes int, _ [][]float32) []Start {
	return minimumStarts(base, images, logits, classes, look{loss: topMarginLoss}, func(image, z []float32) walker {
		return &fmnWalk{minimum: newMinimum(f.Norm, image, z), FMN: f}
	})
}

// past is how much farther than the linearised boundary to go: on it rounding would decide.
const past = 1 + 1e-4

type fmnWalk struct {
	minimum
	FMN
	step   int
	radius float64 // of the ball
}

func (w *fmnWalk) observe(v view) (done bool) {
	flipped := w.flipped(v.logits)
	steps := orSteps(w.FMN.Steps, 100)
	if w.step == steps {
		return true
	}
	length := cosine(w.step, steps, orElse(w.Step, 1), 1./100)
	gamma := cosine(w.step, steps, orElse(w.Gamma, 0.05), 1./50)
	w.step++
	switch {
	case flipped:
		w.radius = math.Min(w.radius*(1-gamma), w.dist)
	case w.best != nil:
		w.radius *= 1 + gamma
	default:
		w.radius = math.Inf(1)
		if n := w.minimum.norm.dual(v.gradient); n > 0 {
			w.radius = (w.minimum.norm.distance(w.x, w.origin) + sorted(margins(v.logits, w.class))[0]/n) * past
		}
	}
	n := L2.dual(v.gradient)
	if n == 0 {
		return true
	}
	for i, g := range v.gradient {
		w.x[i] -= float32(length / n * float64(g))
	}
	w.into(w.radius)
	return false
}

// into brings the point into the ball and into [0,1].
func (m *minimum) into(radius float64) {
	scale := 1.0
	if d := m.norm.distance(m.x, m.origin); m.norm == L2 && d > radius {
		scale = radius / d
	}
	for i, o := range m.origin {
		d := float64(m.x[i]) - float64(o)
		if m.norm == LInf {
			d = clamp(d, -radius, radius)
		}
		m.x[i] = float32(clamp(float64(o)+scale*d, 0, 1))
	}
}

// cosine falls from first to share*first.
func cosine(step, steps int, first, share float64) float64 {
	return first * (share + (1-share)*(1+math.Cos(math.Pi*float64(step)/float64(steps)))/2)
}
