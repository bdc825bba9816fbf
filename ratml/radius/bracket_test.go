package radius

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// marginFunc gives the margins to each other class at a distance; the prediction flips where one is negative.
type marginFunc func(t float64) []float64

func flippedAt(margins []float64) bool {
	for _, m := range margins {
		if m < 0 {
			return true
		}
	}
	return false
}

// solve runs a bracket to its end and returns an error where it breaks a promise.
func solve(f marginFunc, slope, tolerance float64) (Result, error) {
	b := newBracket(f(0), slope, tolerance, Cap)
	seen := map[float64]bool{0: false}
	for done := false; !done; {
		t := b.next()
		if !(t > b.lo && t < b.hi && t <= Cap) {
			return b.result(), fmt.Errorf("distance %v outside (%v, %v)", t, b.lo, b.hi)
		}
		if t != float64(float32(t)) {
			return b.result(), fmt.Errorf("distance %v is no float32", t)
		}
		m := f(t)
		seen[t] = flippedAt(m)
		done = b.observe(m, seen[t])
		if len(seen)-1 > maxEvaluations {
			return b.result(), fmt.Errorf("more than %d evaluations", maxEvaluations)
		}
	}
	r := b.result()
	return r, validBracket(r, seen, tolerance)
}

func validBracket(r Result, seen map[float64]bool, tolerance float64) error {
	if r.Evaluations != len(seen)-1 {
		return fmt.Errorf("%d evaluations reported, %d made", r.Evaluations, len(seen)-1)
	}
	if r.Radius != (r.Lower+r.Upper)/2 {
		return fmt.Errorf("radius %v is not the middle", r.Radius)
	}
	lower, known := seen[r.Lower]
	upper, too := seen[r.Upper]
	if !known || !too {
		return fmt.Errorf("an end of the bracket was not looked at")
	}
	if r.Unflipped {
		for t, flipped := range seen {
			if flipped {
				return fmt.Errorf("unflipped, but flipped at %v", t)
			}
		}
		if r.Lower != Cap || r.Upper != Cap {
			return fmt.Errorf("unflipped, but ends are not the cap")
		}
		return nil
	}
	if lower || !upper {
		return fmt.Errorf("flipped at Lower: %v, at Upper: %v", lower, upper)
	}
	if width := r.Upper - r.Lower; width > math.Max(tolerance*r.Radius, smallestStep) {
		return fmt.Errorf("bracket of relative width %g", width/r.Radius)
	}
	return nil
}

// shapes are families of margin functions of one class, drawn at random; each is positive at 0.
var shapes = []struct {
	name string
	mean float64 // evaluations that may be needed
	draw func(rng *rand.Rand) func(t float64) float64
}{
	{"line", 3.5, func(rng *rand.Rand) func(float64) float64 {
		root, slope := logUniform(rng, 1e-6, 2), logUniform(rng, 1e-3, 1e5)
		return func(t float64) float64 { return slope * (root - t) }
	}},
	{"curve", 8.2, func(rng *rand.Rand) func(float64) float64 {
		root, height, power := logUniform(rng, 1e-5, 2), logUniform(rng, 1e-3, 1e2), logUniform(rng, 0.2, 5)
		return func(t float64) float64 { return height * (1 - math.Pow(t/root, power)) }
	}},
	{"steep", 12.8, func(rng *rand.Rand) func(float64) float64 {
		root, steepness := logUniform(rng, 1e-4, 1), logUniform(rng, 1e2, 1e6)
		return func(t float64) float64 { return math.Tanh(steepness * (root - t)) }
	}},
	{"flat", 27, func(rng *rand.Rand) func(float64) float64 {
		root, flatness := logUniform(rng, 1e-4, 1), 3+2*float64(rng.IntN(8))
		return func(t float64) float64 { return -math.Pow(t/root-1, flatness) }
	}},
	{"plateau", 9.5, func(rng *rand.Rand) func(float64) float64 {
		from, to, level := rng.Float64(), rng.Float64(), logUniform(rng, 1e-6, 1)
		return func(t float64) float64 { return level + math.Max(0, from-t) - 3*math.Max(0, t-to) }
	}},
	{"step", 13.5, func(rng *rand.Rand) func(float64) float64 {
		at, drop := logUniform(rng, 1e-6, 2), logUniform(rng, 1e-3, 1e3)
		return func(t float64) float64 {
			if t > at {
				return 1 - 1.001*math.Max(drop, 1)
			}
			return 1 + t
		}
	}},
	{"waves", 7.1, func(rng *rand.Rand) func(float64) float64 {
		frequency, phase, trend := logUniform(rng, 1, 1e3), rng.Float64(), 3*rng.NormFloat64()
		return func(t float64) float64 { return 1.1 + math.Sin(frequency*t+phase) + trend*t }
	}},
	{"noise", 10.3, func(rng *rand.Rand) func(float64) float64 {
		seed, trend := rng.Uint64(), 2*rng.Float64()
		return func(t float64) float64 {
			if t == 0 {
				return 1
			}
			return 1 - trend*t + rand.New(rand.NewPCG(seed, math.Float64bits(t))).NormFloat64()
		}
	}},
	{"constant", 2, func(rng *rand.Rand) func(float64) float64 {
		return func(float64) float64 { return 0.5 }
	}},
	{"never", 6.7, func(rng *rand.Rand) func(float64) float64 {
		limit := logUniform(rng, 1e-6, 1)
		return func(t float64) float64 { return limit + math.Exp(-20*t) }
	}},
	{"tie", 5.9, func(rng *rand.Rand) func(float64) float64 {
		at := rng.Float64()
		return func(t float64) float64 { return math.Max(0, at-t) }
	}},
}

func logUniform(rng *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, rng.Float64())
}

// rounded is f as a network would give it.
func rounded(f func(t float64) float64) func(t float64) float64 {
	return func(t float64) float64 { return float64(float32(f(t))) }
}

func TestBracketProperties(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			evaluations, most := 0, 0
			const n = 3000
			for seed := range uint64(n) {
				rng := rand.New(rand.NewPCG(seed, 1))
				classes := make([]func(float64) float64, 1+rng.IntN(3))
				for j := range classes {
					classes[j] = rounded(shape.draw(rng))
				}
				f := func(t float64) []float64 {
					m := make([]float64, len(classes))
					for j := range m {
						m[j] = classes[j](t)
					}
					return m
				}
				if flippedAt(f(0)) {
					continue
				}
				tolerance := []float64{1e-2, 1e-3, 1e-4}[rng.IntN(3)]
				r, err := solve(f, guessedSlope(rng, f), tolerance)
				if err != nil {
					t.Fatalf("seed %d: %v: %+v", seed, err, r)
				}
				evaluations += r.Evaluations
				most = max(most, r.Evaluations)
			}
			mean := float64(evaluations) / n
			t.Logf("%.2f evaluations in the mean, at most %d", mean, most)
			if mean > shape.mean {
				t.Errorf("%.2f evaluations in the mean, want at most %g", mean, shape.mean)
			}
		})
	}
}

// guessedSlope returns the slope of the least margin at 0, or one that is wrong, or none.
func guessedSlope(rng *rand.Rand, f marginFunc) float64 {
	least := func(t float64) float64 {
		m := math.Inf(1)
		for _, v := range f(t) {
			m = math.Min(m, v)
		}
		return m
	}
	slope := (least(1e-4) - least(0)) / 1e-4
	switch rng.IntN(8) {
	case 0:
		return 0
	case 1:
		return slope * logUniform(rng, 1e-3, 1e3)
	case 2:
		return -slope
	}
	return slope
}

// A line needs an evaluation on either side of its root, the first guess being exact.
func TestBracketLine(t *testing.T) {
	for _, root := range []float64{1e-5, 0.0123, 0.4999} {
		r, err := solve(func(t float64) []float64 { return []float64{3 * (root - t)} }, -3, 1e-3)
		if err != nil || r.Evaluations > 3 || math.Abs(r.Radius-root) > math.Max(1e-3*root, smallestStep) {
			t.Errorf("root %g: %+v, %v; want it in at most 3 evaluations", root, r, err)
		}
	}
}

// The prediction flips at the first of several distances. Where that is in reach of the tangent, it is found.
func TestBracketFirstFlip(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		first := logUniform(rng, 1e-3, 0.3)
		second, third := first*(1.3+rng.Float64()), first*(2.5+rng.Float64())
		slow := rng.Float64()
		f := func(t float64) []float64 {
			return []float64{(first - t) * (second - t) * (third - t) / (first * first), 1 + slow - t}
		}
		if third > 1 {
			continue
		}
		slope := -(first*second + first*third + second*third) / (first * first)
		r, err := solve(f, slope, 1e-3)
		if err != nil || math.Abs(r.Radius/first-1) > 1e-3 {
			t.Errorf("seed %d: flips at %g, %g, %g, found %+v, %v", seed, first, second, third, r, err)
		}
	}
}

// Scaling margins scales nothing else.
func TestBracketScale(t *testing.T) {
	f := func(t float64) []float64 { return []float64{math.Cos(9 * t), 1.5 - 8*t - 2*t*t} }
	want, err := solve(f, -0.1, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []float64{1e-3, 0.5, 64} {
		got, err := solve(func(t float64) []float64 {
			m := f(t)
			return []float64{k * m[0], k * m[1]}
		}, -0.1*k, 1e-3)
		if err != nil || got.Evaluations != want.Evaluations || math.Abs(got.Radius-want.Radius) > 1e-9 {
			t.Errorf("times %g: %+v, %v, want %+v", k, got, err, want)
		}
	}
}

// With no other class nothing can flip.
func TestBracketNoOtherClass(t *testing.T) {
	r, err := solve(func(float64) []float64 { return nil }, 0, 1e-3)
	if err != nil || !r.Unflipped || r.Radius != Cap {
		t.Errorf("%+v, %v, want unflipped", r, err)
	}
}

// FuzzBracket takes margins from data: what is seen at a distance is the float32 that its place in [0,1] points to, so
// that any finite sequence of margins can come.
func FuzzBracket(f *testing.F) {
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\x80\xbf"), -1.0, 1e-3)
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\x00\x00\xff\xff\x7f\xff"), -1e9, 1e-2)
	f.Add([]byte("\x01\x00\x00\x00\x01\x00\x00\x80"), 0.0, 1e-4)
	f.Add([]byte("\xff\xff\x7f\x7f\xff\xff\x7f\x7f\xff\xff\x7f\xff\x00\x00\x00\x80"), math.Inf(-1), 0.5)
	f.Add([]byte("\x00\x00\x80\x3f"), math.NaN(), 1e-3)
	f.Fuzz(func(t *testing.T, data []byte, slope, tolerance float64) {
		if len(data) < 4 || !(tolerance >= 1e-4 && tolerance <= 1) {
			return
		}
		n := len(data) / 4
		at := func(x float64) []float64 {
			i := min(n-1, int(x*float64(n)))
			m := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
			if math.IsNaN(m) || math.IsInf(m, 0) {
				m = 1
			}
			if x == 0 {
				m = math.Abs(m)
			}
			return []float64{m, 1 + m*m}
		}
		if r, err := solve(at, slope, tolerance); err != nil {
			t.Errorf("%v: %+v", err, r)
		}
	})
}
