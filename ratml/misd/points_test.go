package misd

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCurves checks the points for figures against the numbers that sum them up.
func TestCurves(t *testing.T) {
	overSamples(t, func(t *testing.T, _ *rand.Rand, s sample) {
		c := s.curve(t)
		area := func(x0, y0, x1, y1 float64) float64 { return (x1 - x0) * (y0 + y1) / 2 }
		rc, grc := c.RiskCoverage(), c.GeneralizedRiskCoverage()
		aurc, augrc := 0.0, 0.0
		for i := 1; i < len(rc); i++ {
			aurc += area(rc[i].Coverage, rc[i].Risk, rc[i-1].Coverage, rc[i-1].Risk)
			augrc += area(grc[i].Coverage, grc[i].Risk, grc[i-1].Coverage, grc[i-1].Risk)
		}
		close12(t, "area under risk-coverage", aurc, c.AURCTrapezoid())
		close12(t, "area under generalised risk", augrc, c.AUGRC())
		for _, p := range []Positive{PositiveError, PositiveSuccess} {
			roc, pr := c.ROC(p), c.PrecisionRecall(p)
			auroc, aupr, ap := 0.0, 0.0, 0.0
			for i := 1; i < len(roc); i++ {
				auroc += area(roc[i-1].FPR, roc[i-1].TPR, roc[i].FPR, roc[i].TPR)
				aupr += area(pr[i-1].Recall, pr[i-1].Precision, pr[i].Recall, pr[i].Precision)
				ap += (pr[i].Recall - pr[i-1].Recall) * pr[i].Precision
				checkPicked(t, s, p, roc[i], pr[i])
			}
			if c.twoClasses() {
				close12(t, "area under ROC", auroc, c.AUROC())
				close12(t, "area under precision-recall", aupr, c.AUPRTrapezoid(p))
				close12(t, "average precision", ap, c.AveragePrecision(p))
			}
		}
	})
}

// TestRATCurveThresholds checks that each threshold is the lowest confidence of as many predictions as are accepted.
func TestRATCurveThresholds(t *testing.T) {
	overSamples(t, func(t *testing.T, _ *rand.Rand, s sample) {
		descending := slices.Clone(s.confidence)
		slices.SortFunc(descending, func(a, b float64) int { return cmp.Compare(b, a) })
		for _, p := range s.curve(t).RiskCoverageRAT() {
			accepted := int(math.Round(p.Coverage * float64(len(descending))))
			if accepted > 0 && p.Threshold != descending[accepted-1] || accepted == 0 && !math.IsNaN(p.Threshold) {
				t.Errorf("threshold %g of %d accepted in %v", p.Threshold, accepted, descending)
			}
		}
	})
}

// checkPicked counts what the threshold of a point picks.
func checkPicked(t *testing.T, s sample, p Positive, roc ROCPoint, pr PRPoint) {
	t.Helper()
	var picked, found, positives, negatives float64
	for i, k := range s.confidence {
		positive := s.correct[i] == (p == PositiveSuccess)
		if positive {
			positives++
		} else {
			negatives++
		}
		if p == PositiveSuccess && k >= roc.Threshold || p == PositiveError && k <= roc.Threshold {
			picked++
			if positive {
				found++
			}
		}
	}
	if pr.Threshold != roc.Threshold || pr.Precision != found/picked || pr.Recall != found/positives ||
		roc.TPR != found/positives || roc.FPR != (picked-found)/negatives {
		t.Errorf("%+v and %+v, but %g of %g picked are positive, of %g and %g", roc, pr, found, picked, positives, negatives)
	}
}

func TestWorkingPoints(t *testing.T) {
	overSamples(t, func(t *testing.T, rng *rand.Rand, s sample) {
		c := s.curve(t)
		target := 1 - rng.Float64()
		at := c.RiskAtCoverage(target)
		best := c.CoverageAtRisk(1 - target)
		for _, p := range c.RiskCoverage() {
			if p.Coverage >= target && p.Coverage < at.Coverage {
				t.Errorf("coverage %g chosen for %g, but %g is possible", at.Coverage, target, p.Coverage)
			}
			if p.Risk <= 1-target && p.Coverage > best.Coverage {
				t.Errorf("coverage %g chosen for risk %g, but %+v is possible", best.Coverage, 1-target, p)
			}
		}
		if at.Coverage < target || best.Risk > 1-target {
			t.Errorf("%+v for coverage %g, %+v for risk %g", at, target, best, 1-target)
		}
	})
	c := randomSample(rand.New(rand.NewPCG(1, 1)), 10, 5).curve(t)
	for _, bad := range []float64{0, -1, 1.5, nan} {
		if p := c.RiskAtCoverage(bad); !math.IsNaN(p.Risk) {
			t.Errorf("risk at coverage %g is %+v", bad, p)
		}
	}
	if p := c.CoverageAtRisk(nan); !math.IsNaN(p.Coverage) {
		t.Errorf("coverage at risk NaN is %+v", p)
	}
	if p := c.CoverageAtRisk(-1); p.Coverage != 0 || !math.IsNaN(p.Threshold) {
		t.Errorf("coverage at risk -1 is %+v", p)
	}
}
