package radius

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// AttackSearch is the robust radius under an attack: the radius of the smallest ball in which it changes the
// prediction. The zero value is RR-BS under FGSM, as [BoundarySearch] is. An attack of several steps runs anew for each
// ball that the search looks at.
//
// With Targets = k the attack aims at each of the k most likely other classes in turn, and the smallest radius is kept,
// whichever class is reached.
//
// The sound protocol lowers the soft margin of the predicted class, or, targeted, its margin to the target; it stops an
// attack as soon as the prediction changes, closes a bracket to a relative width of Tolerance, and ends at the largest
// distance between two images. The official one lowers or raises the cross-entropy and does 24 steps of doubling and
// halving from 1e-6 in float32 (RAT_MisD:models/BaseModel.py RobustRadiusTester, utils/attacks.py).
type AttackSearch struct {
	Protocol    Protocol
	Attack      Attack
	Targets     int
	Temperature float64 // of the logits that the loss is taken of; 0 is 1
	Tolerance   float64 // width of the bracket relative to the radius; 0 is 0.001; sound protocol only
}

// Name returns the official name: RR_fgsm, RR_fgsml2, RR_pgd or RR_pgdl2, with _random, _unclipped and _targeted where
// that applies, or _targeted3 for three targets.
func (s AttackSearch) Name() string {
	name := "RR_" + s.Attack.name()
	if s.Targets > 0 {
		name += "_targeted"
	}
	if s.Targets > 1 {
		name += fmt.Sprint(s.Targets)
	}
	return name
}

// String returns the name with the temperature.
func (s AttackSearch) String() string { return Describe(s, "temperature", s.Temperature, 1) }

// Cost returns the forward equivalents of an image before the search: the forward pass, and a gradient for each
// direction of an attack that moves along one ray.
func (s AttackSearch) Cost() float64 {
	if !s.Attack.straight() {
		return forwardCost
	}
	return forwardCost + gradientCost*float64(max(1, s.Targets))
}

// loss returns what the attack lowers.
func (s AttackSearch) loss() loss {
	switch {
	case s.Protocol == Official && s.Targets > 0:
		return officialTarget
	case s.Protocol == Official:
		return officialLoss
	case s.Targets > 0:
		return targetLoss
	}
	return softMarginLoss
}

// Build returns, for an attack along one ray, its direction [batch, height, width, channels] for each target and how
// fast the loss falls along it [batch]; for others nothing.
func (s AttackSearch) Build(p *Probe) []*Node {
	if !s.Attack.straight() {
		return nil
	}
	var out []*Node
	t, l := orElse(s.Temperature, 1), s.loss()
	for k := range max(1, min(s.Targets, p.Logits.Shape().Dimensions[1]-1)) {
		g := p.gradient(fmt.Sprintf("attack loss %d to rank %d", l, k+1), t, func(z *Node) *Node {
			return l.of(z, first(z), ranked(z, k+1))
		})
		out = append(out, Neg(s.Attack.Norm.steepest(g)), MulScalar(s.Attack.Norm.dualNode(g), t))
	}
	return out
}

// Starts returns where the searches of a batch begin: from row-major images [n, size], their logits [n, classes], and
// the outputs of Build. base is added to the row to give the index. There is one start for each image and target; those
// of an image give one result. The starts refer to the slices given.
func (s AttackSearch) Starts(base int, images, logits []float32, classes int, built [][]float32) []Start {
	n := len(logits) / classes
	size := len(images) / n
	targets := min(s.Targets, classes-1)
	var starts []Start
	for i := range n {
		g := &group{open: max(1, targets)}
		z := logits[i*classes : (i+1)*classes]
		for k := range max(1, targets) {
			start := Start{Index: base + i, Image: images[i*size : (i+1)*size], Logits: z, group: g, unclipped: s.Attack.Unclipped}
			if s.Attack.straight() {
				start.Direction = built[2*k][i*size : (i+1)*size]
				start.Slope = s.slope(z, k, float64(built[2*k+1][i]))
				start.steps = s.steps(z, start.Slope, size)
			} else {
				start.look = look{loss: s.loss(), temperature: orElse(s.Temperature, 1)}
				start.walk = &ballWalk{search: s, origin: start.Image, logits: z, index: base + i, rank: k + 1}
			}
			starts = append(starts, start)
		}
	}
	return starts
}

// slope returns the slope of the least margin that makes the search guess first where the loss would be 0 at its rate.
func (s AttackSearch) slope(z []float32, target int, rate float64) float64 {
	if s.Targets == 0 {
		return -rate
	}
	m := sorted(margins(z, argmax(z)))
	if len(m) == 0 || m[target] == 0 {
		return -rate
	}
	return -rate * m[0] / m[target]
}

// steps starts the search of one image.
func (s AttackSearch) steps(z []float32, slope float64, size int) stepper {
	if s.Protocol == Official {
		return &doubling{}
	}
	return newBracket(margins(z, argmax(z)), slope, orElse(s.Tolerance, defaultTolerance), s.Attack.Norm.cap(size))
}

// group joins the results of several searches for one image.
type group struct {
	open  int
	least *Result
	spent int
}

// add takes a result and returns the least of all, if this was the last.
func (g *group) add(r Result) (Result, bool) {
	g.open--
	g.spent += r.Evaluations
	if g.least == nil || g.least.Unflipped && !r.Unflipped || g.least.Unflipped == r.Unflipped && r.Radius < g.least.Radius {
		g.least = &r
	}
	r = *g.least
	r.Evaluations = g.spent
	return r, g.open == 0
}

// ballWalk attacks within balls whose radii a stepper chooses.
type ballWalk struct {
	search AttackSearch
	origin []float32
	logits []float32 // at the origin
	index  int
	rank   int // of the target's logit

	class  int
	steps  stepper // nil before the origin has been looked at
	first  []float32
	x      []float32
	radius float32
	moved  int // steps done in this ball
}

func (w *ballWalk) begin() (point []float32, class, target int) {
	w.class = argmax(w.logits)
	w.x = append(w.x[:0], w.origin...)
	return w.x, w.class, rankedClass(w.logits, w.rank)
}

func (w *ballWalk) observe(v view) (done bool) {
	a := w.search.Attack
	flipped := argmax(v.logits) != w.class
	switch {
	case w.steps == nil:
		rate := orElse(w.search.Temperature, 1) * a.Norm.dual(v.gradient)
		w.steps = w.search.steps(w.logits, w.search.slope(w.logits, w.rank-1, rate), len(w.origin))
		w.first = append(w.first, v.gradient...)
	case w.moved < a.steps() && !(flipped && w.search.Protocol == Sound):
		a.move(w.x, w.origin, v.gradient, w.radius)
		w.moved++
		return false
	case w.steps.observe(margins(v.logits, w.class), flipped):
		return true
	}
	w.radius, w.moved = float32(w.steps.next()), 0
	a.start(w.x, w.origin, w.radius, w.index)
	if !a.Random { // the gradient at the image is known
		a.move(w.x, w.origin, w.first, w.radius)
		w.moved++
	}
	return false
}

func (w *ballWalk) end() (Result, *Start) { return w.steps.result(), nil }

// rankedClass returns the class with the rank-th largest logit, 0 being the first largest.
func rankedClass(z []float32, rank int) int {
	taken := make([]bool, len(z))
	best := 0
	for range min(rank, len(z)-1) + 1 {
		best = -1
		for j, v := range z {
			if !taken[j] && (best < 0 || v > z[best]) {
				best = j
			}
		}
		taken[best] = true
	}
	return best
}

// sorted sorts v and returns it.
func sorted(v []float64) []float64 {
	for i := range v {
		for j := i; j > 0 && v[j] < v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
	return v
}
