package policy

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestKolmogorovAgainstScipy(t *testing.T) {
	data, err := os.ReadFile("testdata/ks_by_scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	type sample struct {
		X, Y         []float64
		Statistic, P float64
	}
	var oracle struct {
		Exact, Tied []sample
		Tail        []struct{ V, P float64 }
	}
	if err := json.Unmarshal(data, &oracle); err != nil {
		t.Fatal(err)
	}
	if len(oracle.Exact) != 6 || len(oracle.Tied) != 4 || len(oracle.Tail) != 7 {
		t.Fatal("the oracle is not whole")
	}
	for _, c := range append(oracle.Exact, oracle.Tied...) {
		slices.Sort(c.X)
		slices.Sort(c.Y)
		d, p, exact := kolmogorovSmirnov(c.X, c.Y)
		if math.Abs(d-c.Statistic) > 1e-12 || math.Abs(p-c.P) > 1e-9*c.P || !exact {
			t.Errorf("%d and %d values: D %v, p %v, want %v, %v", len(c.X), len(c.Y), d, p, c.Statistic, c.P)
		}
	}
	for _, c := range oracle.Tail {
		if p := kolmogorovTail(c.V); math.Abs(p-c.P) > 1e-12 {
			t.Errorf("tail at %g is %v, want %v", c.V, p, c.P)
		}
	}
}

// Without drift the alarm rings at the stated rate, or less where ties make the test coarse; with drift it rings.
func TestFalseAlarms(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 0))
	draw := func(n int, shift, grain float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64() + shift
			if grain > 0 {
				v[i] = math.Round(v[i]/grain) * grain
			}
		}
		return v
	}
	const draws = 2000
	for _, c := range []struct {
		name               string
		shift, grain, rate float64
		least, most        float64 // shares of alarms
	}{
		// Bounds are the rate and four standard deviations of a share of 2000 draws.
		{"5 %", 0, 0, 0.05, 0.02, 0.05 + 4*0.0049},
		{"1 %", 0, 0, 0.01, 0.002, 0.01 + 4*0.0022},
		{"ties", 0, 1, 0.05, 0.005, 0.05 + 4*0.0049},
		{"drift", 0.5, 0, 0.01, 0.8, 1},
	} {
		alarms := 0
		for range draws {
			p := &Policy{Scores: slices.Sorted(slices.Values(draw(150, 0, c.grain))), AlarmRate: c.rate}
			d, err := p.Drift(draw(120, c.shift, c.grain))
			if err != nil {
				t.Fatal(err)
			}
			if d.Drifted {
				alarms++
			}
		}
		if share := float64(alarms) / draws; share < c.least || share > c.most {
			t.Errorf("%s: %.4f of the draws alarm, want between %.4f and %.4f", c.name, share, c.least, c.most)
		}
	}
}

// Large samples use the limit distribution, which agrees with the exact one where both can be computed.
func TestLargeSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	draw := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.Float64()
		}
		slices.Sort(v)
		return v
	}
	if _, p, exact := kolmogorovSmirnov(draw(20000), draw(20000)); exact || !(p > 0 && p <= 1) {
		t.Errorf("p %v, exact %v of 20000 and 20000 values", p, exact)
	}
	x, y := draw(3000), draw(2000)
	d, p, exact := kolmogorovSmirnov(x, y)
	if limit := kolmogorovTail(d * math.Sqrt(1200)); !exact || math.Abs(p-limit) > 0.03 {
		t.Errorf("p is %v, in the limit %v", p, limit)
	}
}

func TestDriftOfBadScores(t *testing.T) {
	p := &Policy{Scores: []float64{1, 2}, AlarmRate: 0.01}
	for want, scores := range map[string][]float64{"no scores": nil, "NaN": {1, math.NaN(), 2}} {
		if _, err := p.Drift(scores); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	d, err := p.Drift([]float64{math.Inf(1), math.Inf(1), math.Inf(1)})
	if err != nil || d.Statistic != 1 || d.New != 3 || !strings.Contains(d.String(), "D = 1") {
		t.Errorf("infinite scores: %v, %v", d, err)
	}
}
