package radius

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Inverse quadratic interpolation is exact where t is a parabola of the value, the secant where it is a line.
func TestInverseQuadratic(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 3))
		root, a, b := rng.Float64(), rng.NormFloat64(), rng.NormFloat64()
		at := func(v float64) sample { return sample{root + a*v + b*v*v, v} }
		p := [3]sample{at(rng.Float64() + 0.1), at(-rng.Float64() - 0.1), at(rng.Float64() + 2)}
		if got := inverseQuadratic(p); math.Abs(got-root) > 1e-12 {
			t.Errorf("seed %d: root %v, want %v", seed, got, root)
		}
		line := func(v float64) sample { return sample{root + a*v, v} }
		if got := secant(line(p[0].v), line(p[2].v)); math.Abs(got-root) > 1e-12 {
			t.Errorf("seed %d: root of the line %v, want %v", seed, got, root)
		}
	}
}

func TestCrossing(t *testing.T) {
	inf := math.Inf(1)
	seen := func(tv ...float64) []point {
		var p []point
		for i := 0; i < len(tv); i += 2 {
			p = append(p, point{t: tv[i], margins: []float64{99, tv[i+1]}})
		}
		return p
	}
	for _, test := range []struct {
		name       string
		seen       []point
		root, line float64
	}{
		{"two points", seen(0, 2, 1, 1), 2, 2},
		{"two points, in any order", seen(1, 1, 0, 2), 2, 2},
		{"line between", seen(0, 1, 1, -1), 0.5, 0.5},
		{"rising", seen(0, 1, 1, 2), inf, inf},
		{"level", seen(0, 1, 1, 1), inf, inf},
		{"three points on a line", seen(0, 4, 1, 3, 3, 1), 4, 4},
		{"the two nearest count for the line", seen(3, 1, 1, 4, 2, 2), 4 + 1.0/3, 4}, // t = 13/3 - 3v/2 + v²/6
		{"the nearest last", seen(1, 4, 2, 2, 3, 1), 4 + 1.0/3, 4},
		{"rising at the end", seen(0, 4, 1, 1, 2, 2), inf, inf},
		{"equal values", seen(0, 1, 1, 1, 2, -2), inf, inf},
		{"interpolation astray", seen(0, 1, 1, -1, 0.1, 1.001), 0.5, 0.5},
	} {
		root, line := crossing(test.seen, 1)
		if math.Abs(root-test.root) > 1e-12 && root != test.root || math.Abs(line-test.line) > 1e-12 && line != test.line {
			t.Errorf("%s: root %v, line %v; want %v, %v", test.name, root, line, test.root, test.line)
		}
	}
}
