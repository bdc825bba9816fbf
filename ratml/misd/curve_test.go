package misd

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestNewCurveErrors(t *testing.T) {
	if _, err := NewCurve([]float64{1, 2, nan, nan}, make([]bool, 4)); err == nil || !strings.Contains(err.Error(), "confidence 2 is NaN") {
		t.Errorf("NaN: %v", err)
	}
	if _, err := NewCurve([]float64{1}, []bool{true, false}); err == nil || !strings.Contains(err.Error(), "1 confidences but 2") {
		t.Errorf("lengths: %v", err)
	}
}

func TestNewCurveKeepsInput(t *testing.T) {
	confidence, correct := []float64{1, 3, 2}, []bool{true, false, true}
	c := sample{confidence, correct}.curve(t)
	confidence[1], correct[1] = 0, true
	if c.Errors() != 1 || c.RiskCoverage()[2].Risk != 1 {
		t.Error("the curve changed with its input")
	}
}

func TestInfinitiesAndSignedZerosTie(t *testing.T) {
	inf, zero := math.Inf(1), math.Copysign(0, -1)
	c := sample{[]float64{inf, inf, 0, zero, -inf, -inf}, []bool{true, true, true, false, false, false}}.curve(t)
	if c.Groups() != 3 {
		t.Errorf("%d groups, want 3", c.Groups())
	}
	close12(t, "auroc", c.AUROC(), 8.5/9)
}

func TestMetricsListed(t *testing.T) {
	want := strings.Fields(`aurc aurc_riemann aurc_threshold aurc_trapezoid aurc_rat aurc_tu aurc_relu aurc_achievable eaurc
		eaurc_asymptotic augrc augrc_tu auroc aupr_success aupr_success_trapezoid aupr_error aupr_error_trapezoid fpr95_error
		fpr95_error_rat fpr95_success fpr95_success_openmix fpr95_success_fdshifts fpr95_error_tu risk_at_coverage_70
		risk_at_coverage_80 risk_at_coverage_90 risk_at_coverage_95 coverage_at_risk_1 coverage_at_risk_2 coverage_at_risk_5
		coverage_at_risk_10 accuracy nll brier ece`)
	ms := Metrics()
	if len(ms) != len(want) {
		t.Fatalf("%d metrics, want %d", len(ms), len(want))
	}
	for i, m := range ms {
		if m.Name != want[i] || m.Doc == "" || strings.Contains(m.Doc, "\n") {
			t.Errorf("metric %d is %s (%q), want %s", i, m.Name, m.Doc, want[i])
		}
		if found, ok := LookupMetric(m.Name); !ok || found.Name != m.Name {
			t.Errorf("%s is not found", m.Name)
		}
	}
	if _, ok := LookupMetric("fpr95"); ok {
		t.Error("a bare fpr95 exists")
	}
	ms[0].Name = "changed"
	if Metrics()[0].Name != "aurc" {
		t.Error("the list can be changed from outside")
	}
}

// TestDirections compares a good score with a random one: HigherIsBetter must say which wins.
func TestDirections(t *testing.T) {
	n := 1000
	good, bad := sample{make([]float64, n), make([]bool, n)}, sample{make([]float64, n), make([]bool, n)}
	for i := range n {
		wrong := i%10 == 3 // of these, two in three are least confident
		good.correct[i], bad.correct[i] = !wrong, !wrong
		good.confidence[i], bad.confidence[i] = float64(i%1000), float64(i*7919%1000)
		if wrong && i%30 != 3 {
			good.confidence[i] -= 2000
		}
	}
	a, b := evaluate(t, good.curve(t)), evaluate(t, bad.curve(t))
	for name := range a {
		m, _ := LookupMetric(name)
		if better := a[name].Value > b[name].Value; a[name].Value == b[name].Value && !strings.HasPrefix(name, "fpr95") &&
			!strings.HasPrefix(name, "coverage_at_risk") || a[name].Value != b[name].Value && better != m.HigherIsBetter {
			t.Errorf("%s: good score %g, random score %g, higher is better: %v", name, a[name].Value, b[name].Value, m.HigherIsBetter)
		}
	}
}

// TestTorchUncertaintyRounds checks the tie that float32 makes of recalls 0.9 and 1, both 0.05 away from 0.95.
func TestTorchUncertaintyRounds(t *testing.T) {
	s := sample{make([]float64, 20), make([]bool, 20)}
	for i := range s.correct { // by ascending confidence: 9 errors, 5 right, the tenth error, 5 right
		s.confidence[i], s.correct[i] = float64(i), i >= 9 && i != 14
	}
	c := s.curve(t)
	close12(t, "fpr95_error_tu", c.FPR95ErrorTU(), 0.5)
	close12(t, "fpr95_error", c.FPRAtTPR(PositiveError, 0.95), 0.5)
	close12(t, "FPR at TPR 0.9", c.FPRAtTPR(PositiveError, 0.9), 0)
	close12(t, "FPR at TPR 0", c.FPRAtTPR(PositiveError, 0), 0)
	close12(t, "FPR at TPR 1", c.FPRAtTPR(PositiveError, 1), 0.5)
	for _, bad := range []float64{-0.1, 1.1, nan} {
		if got := c.FPRAtTPR(PositiveError, bad); !math.IsNaN(got) {
			t.Errorf("FPR at TPR %g is %g", bad, got)
		}
	}
}

func TestRelUMissesTheFirstGroup(t *testing.T) {
	c := sample{[]float64{3, 3, 3, 2, 1}, []bool{true, false, false, true, true}}.curve(t)
	// Coverages 3/5, 4/5, 1 with risks 2/3, 1/2, 2/5.
	close12(t, "aurc_relu", c.AURCRelU(), ((2.0/3+1.0/2)/2+(1.0/2+2.0/5)/2)/5)
	close12(t, "aurc_trapezoid", c.AURCTrapezoid(), c.AURCRelU()+2.0/3*3/5)
}

func TestCoverageAtRiskTUOfNothing(t *testing.T) {
	if got := new(Curve).CoverageAtRiskTU(0.1); !math.IsNaN(got) {
		t.Errorf("of nothing: %g", got)
	}
	c := sample{[]float64{2, 1}, []bool{false, false}}.curve(t)
	if a, b := c.CoverageAtRiskTU(nan), c.CoverageAtRiskTU(1); !math.IsNaN(a) || b != 1 {
		t.Errorf("at risk NaN %g, at risk 1 %g", a, b)
	}
}

func TestFloatJSON(t *testing.T) {
	for x, want := range map[Float]string{1.5: "1.5", Float(math.Inf(1)): `"Infinity"`, Float(math.Inf(-1)): `"-Infinity"`, 0: "0"} {
		got := mustJSON(t, x)
		var back Float
		if err := json.Unmarshal([]byte(got), &back); err != nil || got != want || back != x {
			t.Errorf("%v is %s, back %v, %v; want %s", x, got, back, err, want)
		}
	}
	back := Float(1)
	if err := json.Unmarshal([]byte("null"), &back); err != nil || !math.IsNaN(float64(back)) || mustJSON(t, back) != "null" {
		t.Errorf("null is %v, %v", back, err)
	}
	for _, bad := range []string{`"NaN"`, `true`, `{}`, `[]`, `"1.5"`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is taken for %v", bad, back)
		}
	}
}

func TestPointJSON(t *testing.T) {
	for _, want := range []Point{{0.5, 0.25, math.Inf(1)}, {0, 0, nan}} {
		var got Point
		if err := json.Unmarshal([]byte(mustJSON(t, want)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Coverage != want.Coverage || got.Risk != want.Risk || mustJSON(t, got) != mustJSON(t, want) {
			t.Errorf("%+v came back as %+v", want, got)
		}
	}
}

func TestEstimateJSON(t *testing.T) {
	for _, c := range []struct {
		e    Estimate
		want string
	}{
		{Estimate{0.5, "", 0.25, 0.75, 1000}, `{"value":0.5,"lower":0.25,"upper":0.75,"resamples":1000}`},
		{Estimate{0.5, "", nan, nan, 0}, `{"value":0.5}`},
		{Estimate{0.5, "", 0.25, nan, 0}, `{"value":0.5}`}, // half an interval is none
		{Estimate{nan, "every prediction is right", nan, nan, 0}, `{"value":null,"reason":"every prediction is right"}`},
	} {
		got := mustJSON(t, c.e)
		var back Estimate
		if err := json.Unmarshal([]byte(got), &back); err != nil || got != c.want || mustJSON(t, back) != c.want {
			t.Errorf("%+v is %s, want %s; back %+v, %v", c.e, got, c.want, back, err)
		}
	}
}
