package radius

import (
	"math"
	"math/rand/v2"
	"testing"
)

// officialSearch is the loop of the official RobustRadiusTester, line for line, in float32.
func officialSearch(flips func(e float32) bool) (score, lo, hi float32) {
	lo, hi = 1e-6, float32(math.Inf(1))
	for range 24 {
		e := min((lo+hi)/2, 2*lo)
		if flips(e) {
			hi = e
		} else {
			lo = e
		}
	}
	if math.IsInf(float64(hi), 1) {
		hi = lo
	}
	return (lo + hi) / 2, lo, hi
}

func checkDoubling(t *testing.T, what any, flips func(e float32) bool) {
	t.Helper()
	d := &doubling{}
	n := 0
	for done := false; !done; n++ {
		if n == 100 {
			t.Fatal("no end after 100 evaluations")
		}
		e := float32(d.next())
		done = d.observe(nil, flips(e))
	}
	score, lo, hi := officialSearch(flips)
	want := Result{float64(score), float64(lo), float64(hi), lo == hi, 24}
	if got := d.result(); got != want {
		t.Errorf("%v: %+v, want %+v", what, got, want)
	}
}

func TestDoubling(t *testing.T) {
	for _, root := range []float32{0, 5e-7, 1e-6, 2e-6, 3e-6, 1e-3, 0.1, 0.5, 1, 16, 16.7, 17, 100} {
		checkDoubling(t, root, func(e float32) bool { return e > root })
	}
	for seed := range uint64(1000) {
		// Flips at any distances, as along a ray that crosses the boundary many times.
		checkDoubling(t, seed, func(e float32) bool {
			return rand.New(rand.NewPCG(seed, uint64(math.Float32bits(e)))).Float64() < 0.3
		})
	}
}

// What the official search makes of its two extremes.
func TestDoublingExtremes(t *testing.T) {
	for _, test := range []struct {
		flips  bool
		radius float64
	}{{false, 16.777216}, {true, 1e-6}} {
		d := &doubling{}
		for d.next(); !d.observe(nil, test.flips); d.next() {
		}
		if r := d.result(); math.Abs(r.Radius-test.radius) > 1e-6*test.radius || r.Unflipped == test.flips {
			t.Errorf("flipped %v: %+v, want radius %g", test.flips, r, test.radius)
		}
	}
}

// FuzzDoubling compares with the official loop for any 24 answers.
func FuzzDoubling(f *testing.F) {
	for _, answers := range []uint32{0, 1<<24 - 1, 1 << 12, 0xaaaaaa} {
		f.Add(answers)
	}
	f.Fuzz(func(t *testing.T, answers uint32) {
		seen := map[float32]bool{}
		n := 0
		checkDoubling(t, answers, func(e float32) bool {
			flips, ok := seen[e]
			if !ok {
				flips = answers>>n&1 == 1
				seen[e] = flips
				n++
			}
			return flips
		})
	})
}
