package misd

import (
	"fmt"
	"math"
	"testing"
)

// The cross table of degenerate cases: kinds of confidence by kinds of correctness, n = 100, with the values that the
// tests of fd-shifts expect (fd_shifts/tests/utils.py and analysis/test_metrics.py; e-AURC there is the trapezoid AURC
// minus the asymptotic optimum, fail-AURC the legacy AURC, and NaN what scikit-learn refuses).

const crossN = 100

var crossConfidence = map[string]func(i int) float64{
	"all equal":      func(int) float64 { return 0.37 },
	"alternating 01": func(i int) float64 { return float64(i % 2) },
	"alternating 10": func(i int) float64 { return float64((i + 1) % 2) },
	"ascending":      func(i int) float64 { return float64(i) / (crossN - 1) },
	"unnormalised":   func(i int) float64 { return float64(i - crossN/2) },
	"plateaus":       func(i int) float64 { return 0.2 * float64(1+i/(crossN/4)) },
	"ten steps":      func(i int) float64 { return 0.1 * float64(i/10) },
	"infinite":       func(i int) float64 { return math.Inf(2*(i%2) - 1) },
}

var crossCorrect = map[string]func(i int) bool{
	"all right": func(int) bool { return true },
	"all wrong": func(int) bool { return false },
	"half":      func(i int) bool { return i%2 == 1 },
}

func crossCurve(t *testing.T, confidence, correct string) *Curve {
	t.Helper()
	k, ok := make([]float64, crossN), make([]bool, crossN)
	for i := range k {
		k[i], ok[i] = crossConfidence[confidence](i), crossCorrect[correct](i)
	}
	c, err := NewCurve(k, ok)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCrossTableOneClass(t *testing.T) {
	for confidence := range crossConfidence {
		for correct, r := range map[string]float64{"all right": 0, "all wrong": 1} {
			c := crossCurve(t, confidence, correct)
			for name, e := range evaluate(t, c) {
				m, _ := LookupMetric(name)
				want := r // every AURC is the error rate
				switch {
				case m.needs == needsBothClasses || m.needs == needsTwoThresholds && c.Groups() < 2:
					want = math.NaN()
				case name == "aurc_rat": // its weights add up to 1-1/n
					want = r * (1 - 1.0/crossN)
				case name == "aurc_relu" && r == 1: // nothing below the first threshold
					want = 1 - ratio(c.cuts[1].n, c.Len())
				case name == "augrc":
					want = r / 2
				case name == "augrc_tu": // the mean of the centres of [1/n,1]
					want = r * (1 + 1.0/crossN) / 2
				case name == "eaurc" || name == "eaurc_asymptotic":
					want = 0
				case m.HigherIsBetter: // coverage_at_risk
					want = 1 - r
				}
				close12(t, fmt.Sprintf("%s of %s, %s", name, confidence, correct), e.Value, want)
				checkReason(t, name, e, c)
			}
		}
	}
}

// checkReason wants a reason for NaN and for nothing else.
func checkReason(t *testing.T, name string, e Estimate, c *Curve) {
	t.Helper()
	want := ""
	if math.IsNaN(e.Value) {
		switch {
		case c.Len() == 0:
			want = "no predictions"
		case name == "aurc_relu":
			want = "needs at least two distinct confidences"
		case name == "aurc_tu" || name == "augrc_tu":
			want = "needs at least two predictions"
		case c.Errors() == 0:
			want = "every prediction is right"
		default:
			want = "every prediction is wrong"
		}
	}
	if e.Reason != want {
		t.Errorf("%s = %v for reason %q, want %q", name, e.Value, e.Reason, want)
	}
}

func TestCrossTableHalf(t *testing.T) {
	ln2 := math.Ln2
	for _, want := range []struct {
		confidence                           string
		trapezoid, achievable, augrc, legacy float64
		auroc, fpr, apSuccess, apError       float64
	}{
		{"all equal", 0.5, 0.5, 0.25, 0.49002525252525254, 0.5, 1, 0.5, 0.5},
		{"alternating 01", 0.125, 0.5 - 0.5*ln2, 0.125, 0.12871212121212122, 1, 0, 1, 1},
		{"alternating 10", 0.875, 0.5, 0.375, 0.8612878787878789, 0, 1, 0.5, 0.5},
		{"ascending", 0.48281112575762547, 0.4719992328225763, 0.2475, 0.48281112575762546, 0.51, 0.94, 0.5293777484847491, 0.5293777484847491},
		{"unnormalised", 0.48281112575762547, 0.4719992328225763, 0.2475, 0.48281112575762546, 0.51, 0.94, 0.5293777484847491, 0.5293777484847491},
		{"plateaus", 0.49083333333333334, 0.4887532971076239, 0.2475, nan, nan, nan, nan, nan},
		{"ten steps", nan, nan, nan, nan, 0.5, 1, 0.5, 0.5},
		{"infinite", 0.125, 0.5 - 0.5*ln2, 0.125, 0.12871212121212122, 1, 0, 1, 1},
	} {
		c := crossCurve(t, want.confidence, "half")
		for _, v := range []struct {
			name      string
			got, want float64
		}{
			{"aurc_trapezoid", c.AURCTrapezoid(), want.trapezoid},
			{"aurc_achievable", c.AURCAchievable(), want.achievable},
			{"augrc", c.AUGRC(), want.augrc},
			{"aurc_rat", c.AURCRAT(), want.legacy},
			{"auroc", c.AUROC(), want.auroc},
			{"fpr95_success_fdshifts", c.FPR95SuccessFDShifts(), want.fpr},
			{"aupr_success", c.AveragePrecision(PositiveSuccess), want.apSuccess},
			{"aupr_error", c.AveragePrecision(PositiveError), want.apError},
		} {
			// Not every value is in fd-shifts' tests, and its legacy AURC of ten steps has numpy's unstable order in it.
			if !math.IsNaN(v.want) {
				close12(t, v.name+" of "+want.confidence, v.got, v.want)
			}
		}
		// e-AURC of fd-shifts: the optimum at r = 1/2 is (1 - ln 2)/2.
		close12(t, "optimum of "+want.confidence, c.AsymptoticOptimalAURC(), 0.5-0.5*ln2)
	}
}

var nan = math.NaN()

func TestEmpty(t *testing.T) {
	made, err := NewCurve(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Curve{made, new(Curve)} {
		for name, e := range evaluate(t, c) {
			if !math.IsNaN(e.Value) || e.Reason != "no predictions" || e.HasInterval() {
				t.Errorf("%s of nothing is %+v", name, e)
			}
		}
		if c.Len() != 0 || c.Errors() != 0 || c.Groups() != 0 {
			t.Errorf("empty curve has %d predictions, %d errors, %d groups", c.Len(), c.Errors(), c.Groups())
		}
		if c.RiskCoverage() != nil || c.GeneralizedRiskCoverage() != nil || c.RiskCoverageRAT() != nil ||
			c.ROC(PositiveError) != nil || c.PrecisionRecall(PositiveError) != nil {
			t.Error("empty curve has points")
		}
	}
}

func TestSingle(t *testing.T) {
	for _, correct := range []bool{true, false} {
		c, err := NewCurve([]float64{0.9}, []bool{correct})
		if err != nil {
			t.Fatal(err)
		}
		for name, e := range evaluate(t, c) {
			checkReason(t, name, e, c)
		}
	}
}

// evaluate computes the metrics of c without intervals.
func evaluate(t *testing.T, c *Curve) Evaluation {
	t.Helper()
	e, err := Bootstrap{Resamples: -1}.Evaluate(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
