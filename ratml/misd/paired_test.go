package misd

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// twoScores are two rankings of n predictions by the same signal and noise of their own, the second gain times as much
// of it.
func twoScores(t *testing.T, n int, gain float64, seed uint64) [2]*Curve {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	var values [2][]float64
	var correct []bool
	for range n {
		easy := rng.Float64()
		correct = append(correct, rng.Float64() < 0.4+0.6*easy)
		values[0] = append(values[0], easy+rng.NormFloat64())
		values[1] = append(values[1], easy+gain*rng.NormFloat64())
	}
	var curves [2]*Curve
	for i := range curves {
		c, err := NewCurve(values[i], correct)
		if err != nil {
			t.Fatal(err)
		}
		curves[i] = c
	}
	return curves
}

func TestPairedAgreesWithDifference(t *testing.T) {
	c := twoScores(t, 150, 0.5, 1)
	b := Bootstrap{Resamples: 200, Seed: 5, Level: 0.9}
	want, err := b.Difference(t.Context(), c[0], c[1])
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Paired(t.Context(), c[:], "aurc", "auroc", "fpr95_error")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"aurc", "auroc", "fpr95_error"} {
		if got := p.Difference(m, 0, 1); got.Estimate != want[m] {
			t.Errorf("%s: %+v, want %+v", m, got.Estimate, want[m])
		}
		if x, y := p.Difference(m, 0, 1), p.Difference(m, 1, 0); x.P != y.P || x.Value != -y.Value {
			t.Errorf("%s: not symmetric: %+v, %+v", m, x, y)
		}
	}
	if got := p.Value("auroc", 1).Value; got != c[1].AUROC() {
		t.Errorf("auroc of the second is %v, want %v", got, c[1].AUROC())
	}
	if e := p.Value("nll", 0); !math.IsNaN(e.Value) || e.Reason != "not computed" {
		t.Errorf("a metric that was not asked for: %+v", e)
	}
	if d := p.Difference("auroc", 0, 2); !math.IsNaN(d.Value) || !math.IsNaN(d.P) {
		t.Errorf("a curve that is not there: %+v", d)
	}
}

func TestPValueOfWhatDiffersAndWhatDoesNot(t *testing.T) {
	c := twoScores(t, 400, 0.1, 2)
	p, err := Bootstrap{Resamples: 99}.Paired(t.Context(), []*Curve{c[0], c[1], c[0]}, "auroc")
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Difference("auroc", 1, 0); d.P != 0.02 || d.Value <= 0 {
		t.Errorf("a clear difference has %+v, want the smallest p there is, 2/100", d)
	}
	if d := p.Difference("auroc", 0, 2); d.P != 1 || d.Value != 0 || d.Lower != 0 || d.Upper != 0 {
		t.Errorf("a score against itself has %+v", d)
	}
}

// TestPValueKeepsItsLevel draws pairs of scores that are equally good.
func TestPValueKeepsItsLevel(t *testing.T) {
	const draws, alpha = 400, 0.1
	rejected := 0
	for seed := range uint64(draws) {
		c := twoScores(t, 100, 1, 1000+seed)
		p, err := Bootstrap{Resamples: 199, Seed: seed}.Paired(t.Context(), c[:], "augrc")
		if err != nil {
			t.Fatal(err)
		}
		if p.Difference("augrc", 0, 1).P <= alpha {
			rejected++
		}
	}
	// Four standard deviations of the binomial around the level.
	if share := float64(rejected) / draws; math.Abs(share-alpha) > 4*math.Sqrt(alpha*(1-alpha)/draws) {
		t.Errorf("rejected in a share %.3f of draws, want about %g", share, alpha)
	}
}

func TestPairedUndefined(t *testing.T) {
	right, err := NewCurve([]float64{1, 2, 3}, []bool{true, true, true})
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := NewCurve([]float64{1, 2, 3}, []bool{true, false, true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Bootstrap{Resamples: 20}.Paired(t.Context(), []*Curve{right, mixed, new(Curve)}[:2], "auroc", "aurc")
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Difference("auroc", 0, 1); !math.IsNaN(d.Value) || !math.IsNaN(d.P) || d.Reason != "every prediction is right" {
		t.Errorf("auroc: %+v", d)
	}
	if d := p.Difference("aurc", 0, 1); math.IsNaN(d.P) {
		t.Errorf("aurc: %+v", d)
	}
	none, err := Bootstrap{}.Paired(t.Context(), []*Curve{{}, {}}, "aurc")
	if err != nil {
		t.Fatal(err)
	}
	if d := none.Difference("aurc", 0, 1); d.Reason != "no predictions" || !math.IsNaN(d.P) {
		t.Errorf("of nothing: %+v", d)
	}
	plain, err := Bootstrap{Resamples: -1}.Paired(t.Context(), []*Curve{right, mixed}, "aurc")
	if err != nil {
		t.Fatal(err)
	}
	if d := plain.Difference("aurc", 1, 0); d.HasInterval() || !math.IsNaN(d.P) || d.Value != mixed.AURC() {
		t.Errorf("without resamples: %+v", d)
	}
}

func TestPairedErrors(t *testing.T) {
	c := twoScores(t, 10, 1, 1)
	short := twoScores(t, 9, 1, 1)[0]
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		ctx     context.Context
		b       Bootstrap
		curves  []*Curve
		metrics []string
		want    string
	}{
		{t.Context(), Bootstrap{}, nil, nil, "no curves"},
		{t.Context(), Bootstrap{}, []*Curve{c[0], nil}, nil, "curve 1 is nil"},
		{t.Context(), Bootstrap{}, []*Curve{c[0], short}, nil, "10 and 9 predictions"},
		{t.Context(), Bootstrap{Level: 2}, c[:], nil, "level 2"},
		{t.Context(), Bootstrap{}, c[:], []string{"aurq"}, `"aurq" is no metric of a score`},
		{t.Context(), Bootstrap{}, c[:], []string{"nll"}, `"nll" is no metric of a score`},
		{done, Bootstrap{}, c[:], []string{"aurc"}, "canceled"},
	} {
		if _, err := tc.b.Paired(tc.ctx, tc.curves, tc.metrics...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}

func TestHolm(t *testing.T) {
	for _, tc := range []struct{ p, want []float64 }{ // as p.adjust(p, "holm") of R
		{[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{[]float64{0.5, 0.6}, []float64{1, 1}},
		{[]float64{0.02}, []float64{0.02}},
		{[]float64{0.01, 0.01, 0.01}, []float64{0.03, 0.03, 0.03}},
		{[]float64{nan, 0.02, nan, 0.01}, []float64{nan, 0.02, nan, 0.02}},
		{nil, nil},
	} {
		got := Holm(tc.p)
		if len(got) != len(tc.want) {
			t.Fatalf("%v has %d values", tc.p, len(got))
		}
		for i := range got {
			close12(t, "corrected", got[i], tc.want[i])
		}
	}
}

func TestMeanDifference(t *testing.T) {
	a, b := twoScores(t, 200, 0.5, 3), twoScores(t, 200, 0.2, 4)
	curves := []*Curve{a[0], a[1], b[0], b[1]}
	p, err := Bootstrap{Resamples: 300, Seed: 2}.Paired(t.Context(), curves, "aurc", "auroc")
	if err != nil {
		t.Fatal(err)
	}
	d := p.MeanDifference("auroc", []int{0, 1}, []int{2, 3})
	if want := (curves[0].AUROC()+curves[1].AUROC())/2 - (curves[2].AUROC()+curves[3].AUROC())/2; math.Abs(d.Value-want) > 1e-15 {
		t.Errorf("value %v, want %v", d.Value, want)
	}
	// The interval is that of the mean of two differences over the same resamples.
	var column []float64
	below := 1
	for _, row := range p.table {
		v := (row[1]-row[5])/2 + (row[3]-row[7])/2
		column = append(column, v)
		if v <= 0 {
			below++
		}
	}
	low, high, n := percentiles(column, 0.95)
	if math.Abs(d.Lower-low) > 1e-12 || math.Abs(d.Upper-high) > 1e-12 || d.Resamples != n {
		t.Errorf("interval %v to %v over %d, want %v to %v over %d", d.Lower, d.Upper, d.Resamples, low, high, n)
	}
	if want := min(1, 2*float64(min(below, 302-below))/301); math.Abs(d.P-want) > 1e-12 {
		t.Errorf("p is %v, want %v", d.P, want)
	}
	// Means vary less than single values.
	if one := p.Difference("auroc", 0, 2); one.Upper-one.Lower <= d.Upper-d.Lower {
		t.Errorf("the interval of one difference, %v, is not wider than that of the mean of two, %v", one, d)
	}
	if same := p.MeanDifference("aurc", []int{0, 3}, []int{3, 0}); same.Value != 0 || same.P != 1 {
		t.Errorf("the same curves in another order: %+v", same)
	}
	for _, none := range []Difference{p.MeanDifference("aurc", nil, []int{0}), p.MeanDifference("aurc", []int{0, 4}, []int{1}), p.MeanDifference("nll", []int{0}, []int{1})} {
		if !math.IsNaN(none.Value) || !math.IsNaN(none.P) || !math.IsNaN(none.Lower) {
			t.Errorf("undefined differences are NaN, not %+v", none)
		}
	}
}
