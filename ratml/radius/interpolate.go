package radius

import "math"

// crossing estimates from two or three points where the margin to one class falls to zero: by inverse quadratic
// interpolation, if that does not stray far from the line through the two points with the least margins, whose root is
// the second result. Both are +Inf where that line rises.
func crossing(seen []point, class int) (root, line float64) {
	var p [3]sample
	for i, s := range seen {
		x := sample{s.t, s.margins[class]}
		at := i
		for ; at > 0 && math.Abs(x.v) < math.Abs(p[at-1].v); at-- {
			p[at] = p[at-1]
		}
		p[at] = x
	}
	if !((p[0].v-p[1].v)*(p[0].t-p[1].t) < 0) {
		return math.Inf(1), math.Inf(1)
	}
	line = secant(p[0], p[1])
	if len(seen) == 2 {
		return line, line
	}
	root = inverseQuadratic(p)
	if !(math.Abs(root-line) <= math.Abs(p[0].t-p[1].t)/2) {
		return line, line
	}
	return root, line
}

// sample is the value of a function at t.
type sample struct{ t, v float64 }

// secant returns where the line through two points is 0.
func secant(p, q sample) float64 { return p.t - p.v*(q.t-p.t)/(q.v-p.v) }

// inverseQuadratic returns t at value 0 of the parabola t(v) through three points; it is not finite where two values
// are equal.
func inverseQuadratic(p [3]sample) float64 {
	t := 0.0
	for i := range p {
		j, k := (i+1)%3, (i+2)%3
		t += p[i].t * p[j].v * p[k].v / ((p[i].v - p[j].v) * (p[i].v - p[k].v))
	}
	return t
}
