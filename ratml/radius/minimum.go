package radius

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// minimum is what minimum-norm attacks have in common: where they start, and what they make of where they end.
type minimum struct {
	norm   Norm
	origin []float32
	logits []float32 // at the origin
	class  int
	x      []float32
	best   []float32 // the nearest place found with another prediction; nil where none was
	dist   float64   // to it
}

func newMinimum(n Norm, origin, logits []float32) minimum {
	return minimum{norm: n, origin: origin, logits: logits, class: argmax(logits), dist: math.Inf(1)}
}

func (m *minimum) begin() (point []float32, class, target int) {
	m.x = append(m.x[:0], m.origin...)
	return m.x, m.class, rankedClass(m.logits, 1)
}

// flipped tells whether the prediction differs, and keeps the place if it is the nearest such one.
func (m *minimum) flipped(logits []float32) bool {
	if argmax(logits) == m.class {
		return false
	}
	if d := m.norm.distance(m.x, m.origin); d < m.dist && d > 0 {
		m.dist = d
		m.best = append(m.best[:0], m.x...)
	}
	return true
}

// end closes a bracket between the image and the place that was found.
func (m *minimum) end() (Result, *Start) {
	far := m.norm.cap(len(m.origin))
	if m.best == nil {
		return Result{Radius: far, Lower: far, Upper: far, Unflipped: true}, nil
	}
	direction := make([]float32, len(m.origin))
	for i, v := range m.best {
		direction[i] = float32((float64(v) - float64(m.origin[i])) / m.dist)
	}
	least := sorted(margins(m.logits, m.class))
	steps := newBracket(least, -least[0]/m.dist, defaultTolerance, far)
	steps.current = representable(m.dist)
	return Result{}, &Start{Direction: direction, steps: steps}
}

// minimumStarts makes the starts of a batch, each with a walker of its own.
func minimumStarts(base int, images, logits []float32, classes int, l look, walk func(image, logits []float32) walker) []Start {
	n := len(logits) / classes
	size := len(images) / n
	starts := make([]Start, n)
	for i := range starts {
		image, z := images[i*size:(i+1)*size], logits[i*classes:(i+1)*classes]
		starts[i] = Start{Index: base + i, Image: image, Logits: z, look: l, walk: walk(image, z)}
	}
	return starts
}

// nothing is the Build of searches that need logits only.
type nothing struct{}

// Build adds nothing.
func (nothing) Build(*Probe) []*Node { return nil }

// Cost returns the forward equivalents of an image before the search.
func (nothing) Cost() float64 { return forwardCost }

// suffix returns what is appended to an attack's name for a norm.
func (n Norm) suffix() string {
	if n == L2 {
		return "l2"
	}
	return ""
}

func orSteps(steps, zero int) int {
	if steps == 0 {
		return zero
	}
	return steps
}
