package radius

import "math"

// Result is what a search found for one image, in pixel units.
type Result struct {
	Radius       float64 // middle of the bracket, or the cap where the prediction never flipped
	Lower, Upper float64 // the prediction is unchanged at Lower and has changed at Upper
	Unflipped    bool    // no change up to the cap; Lower and Upper are the cap then
	Evaluations  int     // forward passes
}

// A stepper finds the distance at which a prediction flips from margins seen at distances of its own choice.
type stepper interface {
	next() float64                                    // the next distance to look at
	observe(margin float64, flipped bool) (done bool) // what was seen there
	result() Result
}

// bracket closes in on the root of the margin along a ray.
//
// Margin and slope at the image are known before the first evaluation, from the gradient. The first guess is where the
// tangent crosses zero, the second where the parabola through both does, later ones where inverse quadratic
// interpolation through the three points nearest to zero does. Each guess is moved past the expected root, away from
// the nearer end of the bracket, by the larger of half the tolerance and an estimate of the guess's error: so the
// bracket closes from both sides. Where that does not shrink the bracket, it is halved.
type bracket struct {
	tolerance float64 // wanted width relative to the radius
	cap       float64
	slope     float64 // of the margin at 0

	lo, hi  float64 // hi is +Inf until a flip has been seen
	points  []point // all that was seen, the image first
	current float64
	width   float64 // of the bracket before the last evaluation
	stalls  int
}

type point struct{ t, margin float64 }

// Limits of the search.
const (
	smallestStep   = 1e-7 // relative to images in [0,1], below float32's resolution of them
	maxEvaluations = 40
	errorShare     = 0.25 // how much of the disagreement of two guesses is taken as the error of the better one
)

// newBracket starts a search at an image with the given margin and slope along the ray; a slope of 0 or more is taken
// as unknown.
func newBracket(margin, slope, tolerance, cap float64) *bracket {
	b := &bracket{tolerance: tolerance, cap: cap, slope: slope, hi: math.Inf(1), width: math.Inf(1)}
	b.points = append(b.points, point{0, margin})
	b.current = cap
	if slope < 0 {
		b.current = clamp(-margin/slope, smallestStep, cap)
	}
	return b
}

func (b *bracket) next() float64 { return b.current }

func (b *bracket) observe(margin float64, flipped bool) (done bool) {
	if flipped == (margin > 0) {
		// A tie of logits: the index decides, not the margin.
		margin = 0
	}
	b.points = append(b.points, point{b.current, margin})
	if flipped {
		b.hi = b.current
	} else {
		b.lo = b.current
	}
	if b.lo >= b.cap || b.closed() || len(b.points) > maxEvaluations {
		return true
	}
	b.choose()
	return false
}

func (b *bracket) closed() bool {
	return !math.IsInf(b.hi, 1) && b.hi-b.lo <= math.Max(b.tolerance*(b.lo+b.hi)/2, smallestStep)
}

func (b *bracket) result() Result {
	r := Result{Lower: b.lo, Upper: b.hi, Evaluations: len(b.points) - 1}
	if math.IsInf(b.hi, 1) {
		r.Unflipped = true
		r.Lower, r.Upper = b.cap, b.cap
	}
	r.Radius = (r.Lower + r.Upper) / 2
	return r
}

// choose sets the next distance.
func (b *bracket) choose() {
	root, slack := b.guess()
	slack = math.Max(slack, 0.45*b.tolerance*root)
	if math.IsInf(b.hi, 1) {
		b.current = b.beyond(root + slack)
		return
	}
	width := b.hi - b.lo
	if width > b.width/2 {
		b.stalls++
	}
	b.width = width
	next := root + slack
	if root-b.lo > b.hi-root {
		next = root - slack
	}
	if b.stalls >= 3 || !(next > b.lo && next < b.hi) {
		next = (b.lo + b.hi) / 2
		b.stalls = 0
	}
	b.current = next
}

// beyond keeps a guess at a reasonable distance past the largest one that did not flip.
func (b *bracket) beyond(t float64) float64 {
	least, most := b.lo*(1+b.tolerance), math.Max(4*b.lo, 1e-5)
	if len(b.points) > 4 {
		least = 2 * b.lo // creeping: double
	}
	if math.IsNaN(t) {
		t = most
	}
	return math.Min(clamp(t, math.Max(least, smallestStep), most), b.cap)
}

// guess estimates the root, and how wrong the estimate may be.
func (b *bracket) guess() (root, slack float64) {
	last := b.points[len(b.points)-1]
	if len(b.points) == 2 {
		root = parabola(b.points[0].margin, b.slope, last)
		if math.IsNaN(root) {
			root = 2 * last.t
		}
		return root, errorShare / 4 * math.Abs(root-last.t)
	}
	p := b.nearest()
	line := secant(p[0], p[1])
	curve := inverseQuadratic(p)
	if math.IsNaN(curve) || math.Abs(curve-line) > math.Abs(p[0].t-p[1].t)/2 {
		curve = line
	}
	return curve, errorShare * math.Abs(curve-line)
}

// nearest returns the three points with the smallest absolute margins, the smallest first.
func (b *bracket) nearest() [3]point {
	var best [3]point
	for i := range best {
		best[i].margin = math.Inf(1)
	}
	for _, p := range b.points {
		for i := range best {
			if math.Abs(p.margin) < math.Abs(best[i].margin) {
				copy(best[i+1:], best[i:])
				best[i] = p
				break
			}
		}
	}
	return best
}

// parabola returns where the parabola with value f and slope s at 0 and through p is 0 for the first time beyond 0,
// or NaN.
func parabola(f, s float64, p point) float64 {
	a := (p.margin - f - s*p.t) / (p.t * p.t)
	d := s*s - 4*a*f
	if d < 0 || s >= 0 {
		return math.NaN()
	}
	return 2 * f / (-s + math.Sqrt(d))
}

// secant returns where the line through two points is 0.
func secant(p, q point) float64 {
	if p.margin == q.margin {
		return (p.t + q.t) / 2
	}
	return p.t - p.margin*(q.t-p.t)/(q.margin-p.margin)
}

// inverseQuadratic returns the distance at margin 0 of the parabola t(margin) through three points.
func inverseQuadratic(p [3]point) float64 {
	t := 0.0
	for i := range p {
		j, k := (i+1)%3, (i+2)%3
		t += p[i].t * p[j].margin * p[k].margin / ((p[i].margin - p[j].margin) * (p[i].margin - p[k].margin))
	}
	if math.IsInf(t, 0) {
		return math.NaN()
	}
	return t
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(v, high)) }
