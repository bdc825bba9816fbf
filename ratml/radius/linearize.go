package radius

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// This file moves images to linearised boundaries: to where f(x) + g·(y-x) = 0, with all of y within [0,1]. A step of
// "reach" t changes value i towards the boundary by t (L-infinity) or t|g_i| (L2), as far as it has room, which brings
// f nearer to 0 by the sum of min(t a_i, b_i): a concave function of t, whose root Newton's method finds from below,
// after no more steps than values run out of room one after the other. (Croce & Hein 2020, appendix, sort the b_i/a_i.)

const newtonSteps = 24 // far more than values run out of room at distinct places in practice

// project returns the step from x to the nearest y in [0,1] with f + g·(y-x) = 0, or, where there is none, to the one
// that comes nearest to that. Its length is at most what rounding makes of the least.
func project(n Norm, x, g []float32, f float64) (step []float32) {
	step = make([]float32, len(x))
	need, toward := math.Abs(f), float32(-1)
	if f < 0 {
		toward = 1
	}
	reach := 0.0
	for range newtonSteps {
		gain, slope := 0.0, 0.0
		for i, v := range g {
			a, b := gains(n, v, room(x[i], toward*v))
			if reach*a < b {
				gain += reach * a
				slope += a
			} else {
				gain += b
			}
		}
		if slope == 0 || gain >= need*(1-1e-12) {
			break
		}
		reach += (need - gain) / slope
	}
	for i, v := range g {
		s := reach
		if n == L2 {
			s *= math.Abs(float64(v))
		}
		step[i] = float32(math.Min(s, float64(room(x[i], toward*v)))) * sign(toward*v)
	}
	return step
}

// gains returns the rate and the limit of what a value with gradient g and the given room can bring.
func gains(n Norm, g, room float32) (rate, limit float64) {
	rate = math.Abs(float64(g))
	limit = rate * float64(room)
	if n == L2 {
		rate *= rate
	}
	return rate, limit
}

// room returns how far a value can move in the direction of d within [0,1].
func room(x, d float32) float32 {
	switch {
	case d > 0:
		return max(0, 1-x)
	case d < 0:
		return max(0, x)
	}
	return 0
}

// boxDistance returns the L-infinity or L2 distance [batch] from x to the nearest y in [0,1] with f + g·(y-x) = 0, or
// farthest where there is none.
func boxDistance(f, g, x *Node, n Norm) *Node {
	wide := func(v *Node) *Node { return Reshape(v, -1, 1, 1, 1) }
	sum := func(v *Node) *Node { return ReduceSum(v, 1, 2, 3) }
	zero := ZerosLike(g)
	toward := Neg(Mul(Sign(wide(f)), Sign(g)))
	space := Max(zero, Where(GreaterThan(toward, zero), OneMinus(x), x))
	a := Abs(g)
	b := Mul(a, space)
	if n == L2 {
		a = Square(g)
	}
	need, reach := Abs(f), ZerosLike(f)
	for range newtonSteps {
		moved := Mul(wide(reach), a)
		free := LessThan(moved, b)
		gain := sum(Where(free, moved, b))
		slope := sum(Where(free, a, zero))
		more := Where(GreaterThan(slope, ZerosLike(slope)), Div(Sub(need, gain), MaxScalar(slope, 1e-37)), ZerosLike(f))
		reach = Add(reach, MaxScalar(more, 0))
	}
	out := LessThan(sum(b), MulScalar(need, 1-1e-6))
	if n == L2 {
		reach = Sqrt(sum(Square(Min(Mul(wide(reach), Abs(g)), space))))
	}
	return Where(out, MulScalar(OnesLike(f), farthest), reach)
}
