package radius

import "math"

// Result is what a search found for one image, in pixel units.
type Result struct {
	Radius       float64 // middle of the bracket, or the largest distance there is where the prediction never flipped
	Lower, Upper float64 // the prediction is unchanged at Lower and has changed at Upper
	Unflipped    bool    // no change at any distance tried, the last being the cap; Lower and Upper are the cap then
	Evaluations  int     // forward passes; a backward pass on the way counts as two
}

// A stepper finds the distance at which a prediction flips by asking what is seen at distances of its own choice.
type stepper interface {
	// next is the distance to look at.
	next() float64
	// observe is told what was seen there: by how much the logit of the class exceeds each other one, and whether
	// the prediction is another.
	observe(margins []float64, flipped bool) (done bool)
	result() Result
}

// bracket closes in on the first flip along a ray.
//
// The first guess is where the tangent of the margin at the image crosses zero, at most half the cap. Later ones interpolate between the
// points nearest to the flip, one class at a time: the margin to a single class is smooth where the least of them has a
// kink, because another class comes nearest. The class that would be reached first gives the guess. Each guess is moved
// a little past the expected flip, away from the nearer end of the bracket, by an estimate of the guess's error and at
// least a share of the tolerance: so the bracket closes from both sides. Where that does not shrink the bracket, it is
// halved, the sooner the more often that was needed. While no flip was seen, steps grow, slowly at first so that the nearest flip is not overrun.
type bracket struct {
	tolerance float64 // wanted width relative to the radius
	cap       float64

	lo, hi  float64 // hi is +Inf until a flip has been seen
	near    []point // at most three of those seen, the image included, those with the least margins first
	current float64

	evaluations int
	width       float64 // of the bracket when it had last shrunk by half
	stalls      int     // evaluations since then
	halvings    int     // how often the bracket was halved for want of that
}

// point is what was seen at distance t; least is the least of the margins.
type point struct {
	t, least float64
	margins  []float64
}

const (
	smallestStep   = 2e-7 // less than that, rounding of images in [0,1] to float32 takes part in
	maxEvaluations = 40
)

// Found by minimising the mean number of evaluations on a wide residual and on a small net; it depends little on them.
const (
	firstError = 0.06 // error of the second guess, as a share of its distance to the first
	laterError = 0.35 // error of a later guess, as a share of its distance to where a line would cross
	leastShare = 0.1  // how far to aim past the expected flip, as a share of the tolerance
	patience   = 3    // evaluations before the bracket is halved or steps grow
	growth     = 16   // of the least step, for each evaluation without a flip beyond that
	mostGrowth = 4    // of the distance, in one step
)

// newBracket starts a search at an image with the given margins and the slope of the least of them along the ray; a
// slope of 0 or more is taken as unknown.
func newBracket(margins []float64, slope, tolerance, cap float64) *bracket {
	cap = representable(cap) // or it would never be reached
	b := &bracket{tolerance: tolerance, cap: cap, hi: math.Inf(1), width: math.Inf(1)}
	b.remember(0, margins)
	b.current = cap / 2
	if slope < 0 {
		b.current = representable(clamp(-b.near[0].least/slope, smallestStep, cap/2))
	}
	return b
}

func (b *bracket) next() float64 { return b.current }

func (b *bracket) observe(margins []float64, flipped bool) (done bool) {
	b.evaluations++
	b.remember(b.current, margins)
	if flipped {
		b.hi = b.current
	} else {
		b.lo = b.current
	}
	if b.lo >= b.cap || b.closed() || b.evaluations == maxEvaluations {
		return true
	}
	b.current = representable(b.choose())
	if !(b.current > b.lo && b.current < b.hi) {
		b.current = representable(b.middle())
	}
	return false
}

// remember keeps a point if it is among the nearest.
func (b *bracket) remember(t float64, margins []float64) {
	p := point{t: t, least: math.Inf(1)}
	for _, m := range margins {
		p.least = math.Min(p.least, m)
	}
	at := 0
	for at < len(b.near) && math.Abs(b.near[at].least) <= math.Abs(p.least) {
		at++
	}
	if at == 3 {
		return
	}
	p.margins = append([]float64(nil), margins...)
	b.near = append(b.near, point{})
	copy(b.near[at+1:], b.near[at:])
	b.near[at] = p
	b.near = b.near[:min(len(b.near), 3)]
}

func (b *bracket) flipSeen() bool { return !math.IsInf(b.hi, 1) }

func (b *bracket) closed() bool {
	return b.flipSeen() && b.hi-b.lo <= math.Max(b.tolerance*(b.lo+b.hi)/2, smallestStep)
}

func (b *bracket) result() Result {
	r := Result{Lower: b.lo, Upper: b.hi, Evaluations: b.evaluations}
	if !b.flipSeen() {
		r.Unflipped = true
		r.Lower, r.Upper = b.cap, b.cap
	}
	r.Radius = (r.Lower + r.Upper) / 2
	return r
}

// choose returns the next distance.
func (b *bracket) choose() float64 {
	flip, slack := b.guess()
	if !b.flipSeen() {
		return b.beyond(flip + slack)
	}
	b.stalls++
	if width := b.hi - b.lo; width <= b.width/2 {
		b.width, b.stalls = width, 0
	}
	if b.stalls >= max(1, patience-b.halvings) || b.late() {
		b.halvings++
		return b.middle()
	}
	if flip-b.lo > b.hi-flip {
		return flip - slack
	}
	return flip + slack
}

// beyond limits a guess, where no flip has been seen, to a reasonable distance past the largest one seen.
func (b *bracket) beyond(t float64) float64 {
	most := math.Max(mostGrowth*b.lo, 1e-5)
	step := b.tolerance * math.Pow(growth, math.Max(0, float64(b.evaluations-patience)))
	return math.Min(clamp(t, math.Min(b.lo*(1+step), most), most), b.cap)
}

// middle halves the bracket, on a logarithmic scale where its ends are far apart.
func (b *bracket) middle() float64 {
	if lo := math.Max(b.lo, smallestStep); b.hi > 8*lo {
		return math.Sqrt(lo * b.hi)
	}
	return (b.lo + b.hi) / 2
}

// late tells whether halving alone needs about all evaluations that are left.
func (b *bracket) late() bool {
	octaves := math.Log(b.hi / math.Max(b.lo, smallestStep))
	return math.Log2(octaves/b.tolerance)+3 > float64(maxEvaluations-b.evaluations)
}

// guess estimates where the prediction flips, and how wrong that may be. The flip is +Inf where all margins grow.
func (b *bracket) guess() (flip, slack float64) {
	flip, line := math.Inf(1), math.Inf(1)
	for class := range b.near[0].margins {
		root, straight := crossing(b.near, class)
		if root = math.Max(root, b.lo); root < flip {
			flip, line = root, straight
		}
	}
	if math.IsInf(flip, 1) {
		return flip, 0
	}
	slack = laterError * math.Abs(flip-line)
	if len(b.near) == 2 {
		slack = firstError * math.Abs(flip-b.current)
	}
	return flip, math.Max(slack, math.Max(leastShare*b.tolerance*flip, smallestStep/2))
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(v, high)) }

// representable rounds a distance to one that the network can be evaluated at.
func representable(t float64) float64 { return float64(float32(t)) }
