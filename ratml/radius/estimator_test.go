package radius

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestEstimators(t *testing.T) {
	for _, test := range []struct {
		e     Estimator
		name  string
		cost  float64
		shown string
	}{
		{Fast{}, "RR_fast", 4, "RR_fast at temperature 1"},
		{Fast{Temperature: 0.2}, "RR_fast", 4, "RR_fast at temperature 0.2"},
		{Margin{}, "RR_exp", 3, "{sound}"},
		{SoftMargin{Temperature: 3}, "RR_soft", 3, "RR_soft at temperature 3"},
		{BoundarySearch{}, "RR_fgsm", 3, "RR_fgsm at temperature 1"},
	} {
		if test.e.Name() != test.name || test.e.Cost() != test.cost || fmt.Sprint(test.e) != test.shown {
			t.Errorf("%v: name %q, cost %v; want %q called %q at cost %v", test.e, test.e.Name(), test.e.Cost(), test.shown, test.name, test.cost)
		}
	}
}

func TestCandidates(t *testing.T) {
	type fitter interface{ Candidates() []Estimator }
	for _, test := range []struct {
		f     fitter
		n     int
		first Estimator
	}{
		{Fast{Step: 2}, 15, Fast{Step: 2, Temperature: 0.2}},
		{Fast{Protocol: Official}, 1, Fast{Protocol: Official, Temperature: 0.2}},
		{SoftMargin{}, 15, SoftMargin{Temperature: 0.2}},
		{SoftMargin{Protocol: Official}, 1, SoftMargin{Protocol: Official, Temperature: 0.2}},
		{BoundarySearch{Tolerance: 0.1}, 15, BoundarySearch{Tolerance: 0.1, Temperature: 0.2}},
		{BoundarySearch{Protocol: Official}, 15, BoundarySearch{Protocol: Official, Temperature: 0.2}},
	} {
		c := test.f.Candidates()
		if len(c) != test.n || c[0] != test.first {
			t.Errorf("%#v: %d candidates, the first %#v; want %d, the first %#v", test.f, len(c), c[0], test.n, test.first)
		}
	}
}

// The official code's TEMP_RANGE, which all that is fitted by temperature goes through in order.
func TestTemperatures(t *testing.T) {
	want := []float64{0.2, 0.4, 0.6, 0.8, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 2, 2.5, 3, 100, 1000}
	if !slices.Equal(Temperatures, want) {
		t.Errorf("temperatures %v, want %v", Temperatures, want)
	}
	for i, e := range (BoundarySearch{}).Candidates() {
		if e != (BoundarySearch{Temperature: want[i]}) {
			t.Errorf("candidate %d is %v, want temperature %g", i, e, want[i])
		}
	}
}

func TestProtocolString(t *testing.T) {
	if s := fmt.Sprint(Sound, Official); s != "sound official" {
		t.Errorf("protocols are %q", s)
	}
}

// The arithmetic after the passes, on numbers small enough to check by hand.
func TestClosedFormValues(t *testing.T) {
	logits := []float32{3, 1, 0}
	after := []float32{2.9, 1.1, -1} // margins 2 -> 1.8, 3 -> 3.9
	norm := []float32{20}
	soft := 2 - math.Log1p(math.Exp(-1)) // 3 - logsumexp(1, 0)
	for _, test := range []struct {
		e     direct
		built []float32
		want  float64
	}{
		{Fast{}, after, 0.01}, // 2 / (0.2/0.001)
		{Fast{Step: 0.1}, after, 1},
		{Fast{Step: 0.01}, after, 0.1},
		{Fast{}, []float32{2.9, 1.1, 0.9}, 0.003}, // margins 2 -> 1.8, 3 -> 2: 3 / (1/0.001)
		{Fast{Protocol: Official, Temperature: 2}, after, 1},
		{Margin{}, norm, 0.1},
		{Margin{}, []float32{1}, 1},
		{Margin{}, []float32{0}, 1},
		{Margin{Protocol: Official}, []float32{1}, 2},
		{SoftMargin{}, norm, soft / 20},
		{SoftMargin{}, []float32{0.5}, 1},
		{SoftMargin{Protocol: Official}, []float32{0.5}, soft / 0.5},
		{SoftMargin{Temperature: 2}, norm, (1 - math.Log1p(math.Exp(-0.5))) / 20},
	} {
		if got := test.e.Values(logits, 3, [][]float32{test.built})[0]; math.Abs(got-test.want) > 1e-6 {
			t.Errorf("%#v on %v: %v, want %v", test.e, test.built, got, test.want)
		}
	}
}

// A rate below 1 counts too: a margin of 0.25 that shrinks by 0.5 a unit is gone after half a unit.
func TestSlowRate(t *testing.T) {
	if got := (Fast{Step: 0.5}).Values([]float32{0.25, 0}, 2, [][]float32{{0, 0}})[0]; got != 0.5 {
		t.Errorf("radius %v, want 0.5", got)
	}
}
