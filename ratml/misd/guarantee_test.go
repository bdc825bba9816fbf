package misd

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// TestClopperPearsonSolvesItsEquation sums the binomial distribution at the bound.
func TestClopperPearsonSolvesItsEquation(t *testing.T) {
	for _, n := range []int{1, 2, 10, 59, 1000, 100000} {
		for _, errors := range []int{0, 1, 2, n / 10, n / 2, n - 1} {
			for _, delta := range []float64{1e-9, 0.001, 0.05, 0.5, 0.99} {
				if errors >= n {
					continue
				}
				b, err := ClopperPearsonUpper(errors, n, delta)
				if err != nil {
					t.Fatal(err)
				}
				// The probability falls in b; near b = 1 it is too steep to be compared itself.
				const step = 1e-10
				if binomialCDF(errors, n, b-step) < delta*(1-1e-9) || binomialCDF(errors, n, min(b+step, 1)) > delta*(1+1e-9) {
					t.Errorf("%d errors in %d: P(X <= errors | %.17g) = %g, want %g", errors, n, b, binomialCDF(errors, n, b), delta)
				}
			}
		}
	}
}

// binomialCDF sums the probabilities of 0...k errors in n trials.
func binomialCDF(k, n int, p float64) float64 {
	sum := 0.0
	lgN, _ := math.Lgamma(float64(n + 1))
	for j := 0; j <= k; j++ {
		a, _ := math.Lgamma(float64(j + 1))
		b, _ := math.Lgamma(float64(n - j + 1))
		sum += math.Exp(lgN - a - b + float64(j)*math.Log(p) + float64(n-j)*math.Log1p(-p))
	}
	return sum
}

func TestClopperPearsonEdges(t *testing.T) {
	for _, c := range []struct {
		errors, n int
		delta     float64
		want      float64
		message   string
	}{
		{0, 0, 0.05, 1, ""},
		{3, 3, 0.05, 1, ""},
		{0, 1, 0.05, 0.95, ""},
		{-1, 3, 0.05, 0, "-1 errors in 3 trials"},
		{4, 3, 0.05, 0, "4 errors in 3 trials"},
		{1, 3, 0, 0, "delta 0 is outside (0,1)"},
		{1, 3, 1, 0, "delta 1 is outside (0,1)"},
		{1, 3, nan, 0, "delta NaN is outside (0,1)"},
	} {
		got, err := ClopperPearsonUpper(c.errors, c.n, c.delta)
		if c.message == "" && err == nil {
			close12(t, "bound", got, c.want)
		} else if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("error %v, want %q", err, c.message)
		}
	}
}

// TestGuaranteesHold draws many sets of labelled predictions from a world whose risk is known: confidence k is uniform
// on [0,1] and wrong with probability (1-k)/2, so that accepting k >= t has selective risk (1-t)/4 and joint risk
// (1-t)²/4.
func TestGuaranteesHold(t *testing.T) {
	const trials, n, target, delta = 2000, 300, 0.15, 0.1
	rng := rand.New(rand.NewPCG(12, 1))
	broken, accepted, joint := 0, 0.0, 0.0
	for range trials {
		s := sample{make([]float64, n), make([]bool, n)}
		for i := range n {
			s.confidence[i] = rng.Float64()
			s.correct[i] = rng.Float64() >= (1-s.confidence[i])/2
		}
		c := s.curve(t)
		sgr, err := c.SGR(target, delta)
		if err != nil {
			t.Fatal(err)
		}
		if sgr.Feasible {
			accepted += sgr.Coverage() / trials
			if (1-sgr.Threshold)/4 > sgr.Bound {
				broken++
			}
		}
		crc, err := c.ConformalRisk(target)
		if err != nil {
			t.Fatal(err)
		}
		if crc.Feasible {
			joint += (1 - crc.Threshold) * (1 - crc.Threshold) / 4 / trials
		}
	}
	if broken > delta*trials {
		t.Errorf("SGR broke its bound in %d of %d trials, at most %g %% may", broken, trials, 100*delta)
	}
	if accepted < 0.1 {
		t.Errorf("SGR accepts only %g on average", accepted)
	}
	if joint > target || joint < 0.9*target {
		t.Errorf("mean joint risk %g, want just below %g", joint, target)
	}
}

func TestGuaranteesOnTiesAndOneClass(t *testing.T) {
	tied := make([]float64, 100)
	right, half := make([]bool, 100), make([]bool, 100)
	for i := range right {
		right[i], half[i] = true, i%2 == 0
	}
	for _, c := range []struct {
		name    string
		correct []bool
		want    bool
	}{{"all tied, all right", right, true}, {"all tied, half right", half, false}} {
		curve := sample{tied, c.correct}.curve(t)
		sgr, err := curve.SGR(0.1, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		crc, err := curve.ConformalRisk(0.1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []Selection{sgr, crc} {
			if s.Feasible != c.want || s.Feasible != (s.Accepted == 100) || s.Accept(0) != c.want || math.IsNaN(s.Bound) == c.want {
				t.Errorf("%s: %+v", c.name, s)
			}
		}
	}
	one := sample{[]float64{0.5}, []bool{true}}.curve(t)
	if s, err := one.SGR(0.99, 0.5); err != nil || !s.Feasible || s.Threshold != 0.5 {
		t.Errorf("a single prediction: %+v, %v", s, err)
	}
}

func TestGuaranteeErrors(t *testing.T) {
	c := sample{[]float64{1, 2}, []bool{true, false}}.curve(t)
	for _, bad := range []float64{0, 1, -1, nan} {
		if _, err := c.SGR(bad, 0.05); err == nil {
			t.Errorf("SGR takes risk %g", bad)
		}
		if _, err := c.SGR(0.05, bad); err == nil {
			t.Errorf("SGR takes delta %g", bad)
		}
		if _, err := c.ConformalRisk(bad); err == nil {
			t.Errorf("ConformalRisk takes alpha %g", bad)
		}
	}
	if _, err := new(Curve).SGR(0.1, 0.1); err == nil || !strings.Contains(err.Error(), "no predictions") {
		t.Errorf("SGR of nothing: %v", err)
	}
	if _, err := new(Curve).ConformalRisk(0.1); err == nil || !strings.Contains(err.Error(), "no predictions") {
		t.Errorf("ConformalRisk of nothing: %v", err)
	}
}

func TestSelectionSurvivesJSON(t *testing.T) {
	c := sample{[]float64{math.Inf(1), 3, 2, 1, math.Inf(-1)}, []bool{true, true, true, false, false}}.curve(t)
	for _, risk := range []float64{0.01, 0.9} {
		want, err := c.SGR(risk, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		var got Selection
		if err := json.Unmarshal([]byte(mustJSON(t, want)), &got); err != nil {
			t.Fatal(err)
		}
		if !want.Feasible { // NaN is not equal to itself
			if !math.IsNaN(got.Threshold) || !math.IsNaN(got.Bound) {
				t.Errorf("%+v came back as %+v", want, got)
			}
			want.Threshold, want.Bound, got.Threshold, got.Bound = 0, 0, 0, 0
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v", want, got)
		}
	}
	var damaged Selection
	if err := json.Unmarshal([]byte(`{"method":"crc"}`), &damaged); err != nil || damaged.Accept(math.Inf(1)) {
		t.Errorf("without a threshold: %+v, %v", damaged, err)
	}
}
