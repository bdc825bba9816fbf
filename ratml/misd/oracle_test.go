package misd

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"
)

func TestScalarOracles(t *testing.T) {
	for _, want := range loadOracles(t).Scalar {
		t.Run(want.Name, func(t *testing.T) {
			c := want.curve(t)
			if c.Len() != want.N || c.Errors() != want.Errors {
				t.Errorf("%d predictions with %d errors, want %d with %d", c.Len(), c.Errors(), want.N, want.Errors)
			}
			close12(t, "error rate", c.ErrorRate(), float64(want.ErrorRate))
			close12(t, "auroc", c.AUROC(), float64(want.AUROC))
			keyed(t, "fpr95", want.FPR95, map[string]float64{
				"rat_pos_error_first_ge95":            c.FPR95ErrorRAT(),
				"pos_error_first_ge95_no_drop":        c.FPRAtTPR(PositiveError, 0.95),
				"openmix_pos_correct_nearest":         c.FPR95SuccessOpenMix(),
				"fdshifts_pos_correct_min_ge0.9495":   c.FPR95SuccessFDShifts(),
				"pos_correct_first_ge95_no_drop":      c.FPRAtTPR(PositiveSuccess, 0.95),
				"torch_uncertainty_pos_error_nearest": c.FPR95ErrorTU(),
			})
			keyed(t, "aupr", want.AUPR, map[string]float64{
				"success_ap":            c.AveragePrecision(PositiveSuccess),
				"success_trapz_openmix": c.AUPRTrapezoid(PositiveSuccess),
				"error_ap":              c.AveragePrecision(PositiveError),
				"error_trapz":           c.AUPRTrapezoid(PositiveError),
			})
			keyed(t, "aurc", want.AURC, map[string]float64{
				"riemann_stable_order_openmix_crl": c.AURCRiemann(),
				"tie_averaged":                     c.AURC(),
				"geifman_threshold":                c.AURCThreshold(),
				"rat_official_legacy":              c.AURCRAT(),
				"fdshifts_trapezoid":               c.AURCTrapezoid(),
				"torch_uncertainty":                c.AURCTU(),
			})
			keyed(t, "optimum", want.AURCStar, map[string]float64{
				"asymptotic": c.AsymptoticOptimalAURC(), "finite": c.OptimalAURC(),
			})
			r, closed := c.ErrorRate(), c.AUROC()
			keyed(t, "augrc", want.AUGRC, map[string]float64{
				"fdshifts": c.AUGRC(), "torch_uncertainty": c.AUGRCTU(),
				"closed_form": (1-closed)*r*(1-r) + r*r/2, "optimal": r * r / 2,
			})
			keyed(t, "eaurc", want.EAURC, map[string]float64{
				"openmix": c.EAURCAsymptotic(), "tie_averaged_finite": c.EAURC(),
			})
		})
	}
}

// TestRegistryOracles checks that each name of the registry computes the convention it is named after.
func TestRegistryOracles(t *testing.T) {
	for _, o := range loadOracles(t).Scalar {
		c := o.curve(t)
		want := map[string]Float{
			"aurc": o.AURC["tie_averaged"], "aurc_riemann": o.AURC["riemann_stable_order_openmix_crl"],
			"aurc_threshold": o.AURC["geifman_threshold"], "aurc_trapezoid": o.AURC["fdshifts_trapezoid"],
			"aurc_rat": o.AURC["rat_official_legacy"], "aurc_tu": o.AURC["torch_uncertainty"],
			"aurc_relu": Float(c.AURCRelU()), "aurc_achievable": Float(c.AURCAchievable()),
			"eaurc": o.EAURC["tie_averaged_finite"], "eaurc_asymptotic": o.EAURC["openmix"],
			"augrc": o.AUGRC["fdshifts"], "augrc_tu": o.AUGRC["torch_uncertainty"], "auroc": o.AUROC,
			"aupr_success": o.AUPR["success_ap"], "aupr_success_trapezoid": o.AUPR["success_trapz_openmix"],
			"aupr_error": o.AUPR["error_ap"], "aupr_error_trapezoid": o.AUPR["error_trapz"],
			"fpr95_error": o.FPR95["pos_error_first_ge95_no_drop"], "fpr95_error_rat": o.FPR95["rat_pos_error_first_ge95"],
			"fpr95_success": o.FPR95["pos_correct_first_ge95_no_drop"], "fpr95_success_openmix": o.FPR95["openmix_pos_correct_nearest"],
			"fpr95_success_fdshifts": o.FPR95["fdshifts_pos_correct_min_ge0.9495"],
			"fpr95_error_tu":         o.FPR95["torch_uncertainty_pos_error_nearest"],
			"risk_at_coverage_70":    Float(c.RiskAtCoverage(0.7).Risk), "risk_at_coverage_80": o.AtCoverage["0.8"].Risk,
			"risk_at_coverage_90": o.AtCoverage["0.9"].Risk, "risk_at_coverage_95": Float(c.RiskAtCoverage(0.95).Risk),
			"coverage_at_risk_1": Float(c.CoverageAtRisk(0.01).Coverage), "coverage_at_risk_2": Float(c.CoverageAtRisk(0.02).Coverage),
			"coverage_at_risk_5": o.AtRisk["0.05"].Coverage, "coverage_at_risk_10": o.AtRisk["0.1"].Coverage,
		}
		e := evaluate(t, c)
		got := make(map[string]float64, len(e))
		for name, v := range e {
			got[name] = v.Value
			checkReason(t, name, v, c)
		}
		keyed(t, o.Name, want, got)
	}
}

func TestCurveOracles(t *testing.T) {
	for _, want := range loadOracles(t).Scalar {
		t.Run(want.Name, func(t *testing.T) {
			c := want.curve(t)
			samePoints(t, "risk-coverage", c.RiskCoverage(), want.RC)
			samePoints(t, "generalised", c.GeneralizedRiskCoverage(), want.GRC)
			samePoints(t, "rat", c.RiskCoverageRAT(), want.RCRAT)
			if len(want.AtCoverage) != 4 || len(want.AtRisk) != 5 || len(want.AtRiskTU) != 4 {
				t.Fatalf("%d coverages, %d risks, %d risks of torch-uncertainty", len(want.AtCoverage), len(want.AtRisk), len(want.AtRiskTU))
			}
			for key, w := range want.AtCoverage {
				samePoint(t, "risk at coverage "+key, c.RiskAtCoverage(number(t, key)), w)
			}
			for key, w := range want.AtRisk {
				samePoint(t, "coverage at risk "+key, c.CoverageAtRisk(number(t, key)), w)
			}
			for key, w := range want.AtRiskTU {
				close12(t, "torch-uncertainty's coverage at risk "+key, c.CoverageAtRiskTU(number(t, key)), float64(w))
			}
		})
	}
}

func samePoints(t *testing.T, what string, got []Point, want columns) {
	t.Helper()
	if len(got) != len(want.Coverage) {
		t.Fatalf("%s: %d points, want %d", what, len(got), len(want.Coverage))
	}
	for i, p := range got {
		close12(t, fmt.Sprintf("%s: coverage %d", what, i), p.Coverage, float64(want.Coverage[i]))
		close12(t, fmt.Sprintf("%s: risk %d", what, i), p.Risk, float64(want.Risk[i]))
	}
}

func samePoint(t *testing.T, what string, got Point, want pointJSON) {
	t.Helper()
	close12(t, what+": coverage", got.Coverage, float64(want.Coverage))
	close12(t, what+": risk", got.Risk, float64(want.Risk))
	close12(t, what+": threshold", got.Threshold, float64(want.Threshold))
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestProbabilityOracles(t *testing.T) {
	want := loadOracles(t).Prob
	classes := len(want.Probs[0])
	var probs, logits []float64
	for _, row := range want.Probs {
		for _, p := range row {
			probs = append(probs, p)
			logits = append(logits, math.Log(p)+3) // softmax undoes both; log 0 is a class ruled out
		}
	}
	fromProbs, err := NewCalibration(probs, want.Labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	fromLogits, err := NewCalibrationFromLogits(logits, want.Labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Calibration{"probabilities": fromProbs, "logits": fromLogits} {
		t.Run(name, func(t *testing.T) {
			close12(t, "accuracy", c.Accuracy(), float64(want.Accuracy))
			close12(t, "nll", c.NLL(), float64(want.NLL))
			close12(t, "brier", c.Brier(), float64(want.Brier))
			close12(t, "brier over classes", c.Brier()/float64(classes), float64(want.BrierPer))
			close12(t, "ece of 7 bins", c.ECE(7), fromProbs.ECE(7))
			for i, y := range want.Labels {
				if c.correct[i] != (want.Pred[i] == y) {
					t.Errorf("prediction %d: right is %v, label %d, want class %d", i, c.correct[i], y, want.Pred[i])
				}
			}
		})
	}
	// Confidences such as 0.6 = 9/15 lie on edges of 5, 10 and 15 bins, which softmax of logits misses by an ulp.
	close12(t, "ece of 5 bins", fromProbs.ECE(5), float64(want.ECE5))
	close12(t, "ece of 10 bins", fromProbs.ECE(10), float64(want.ECE10))
	close12(t, "ece of 15 bins", fromProbs.ECE(15), float64(want.ECE15))
	e, err := Bootstrap{Resamples: -1}.Evaluate(t.Context(), nil, fromProbs)
	if err != nil {
		t.Fatal(err)
	}
	keyed(t, "registry", map[string]Float{"accuracy": want.Accuracy, "nll": want.NLL, "brier": want.Brier, "ece": want.ECE15},
		map[string]float64{"accuracy": e["accuracy"].Value, "nll": e["nll"].Value, "brier": e["brier"].Value, "ece": e["ece"].Value})
	checkBins(t, fromProbs.Reliability(15), want.Bins)
}

func checkBins(t *testing.T, bins []Bin, want [][4]float64) {
	t.Helper()
	for i, b := range bins {
		close12(t, "lower edge", b.Lower, float64(i)/15)
		close12(t, "upper edge", b.Upper, float64(i+1)/15)
		if b.N == 0 {
			continue
		}
		if len(want) == 0 {
			t.Fatalf("bin %d has %d predictions, want none", i, b.N)
		}
		w := want[0]
		want = want[1:]
		if i != int(w[0]) || b.N != int(w[1]) {
			t.Errorf("%d predictions in bin %d, want %g in %g", b.N, i, w[1], w[0])
		}
		close12(t, fmt.Sprintf("confidence of bin %d", i), b.Confidence, w[2])
		close12(t, fmt.Sprintf("accuracy of bin %d", i), b.Accuracy, w[3])
	}
	if len(want) > 0 {
		t.Errorf("%d bins are missing", len(want))
	}
}

func TestClopperPearsonOracles(t *testing.T) {
	for _, want := range loadOracles(t).ClopperPearson {
		got, err := ClopperPearsonUpper(want.K, want.M, want.Delta)
		if err != nil {
			t.Fatal(err)
		}
		close12(t, fmt.Sprintf("bound of %d errors in %d at %g", want.K, want.M, want.Delta), got, want.Upper)
	}
}

func (s sgrCase) curve(t *testing.T) *Curve {
	t.Helper()
	correct := make([]bool, len(s.Confidence))
	for i := range correct {
		correct[i] = true
	}
	for _, i := range s.ErrorIdx {
		correct[i] = false
	}
	c, err := NewCurve(s.Confidence, correct)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSGROracle(t *testing.T) {
	want := loadOracles(t).SGR
	got, err := want.curve(t).SGR(want.RStar, want.Delta)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Steps) != want.Steps {
		t.Fatalf("%d steps, want %d", len(got.Steps), want.Steps)
	}
	for i, w := range want.Trace {
		s := got.Steps[i]
		if s.Rank != w.Z || s.Accepted != w.Accepted || s.Errors != w.Errors || s.OK != w.OK || s.Threshold != w.Theta {
			t.Errorf("step %d: %+v, want %+v", i, s, w)
		}
		close12(t, fmt.Sprintf("bound of step %d", i), s.Bound, w.Bound)
	}
	r := want.Result
	if !got.Feasible || got.Threshold != r.Theta || got.Accepted != r.Accepted || got.Errors != r.Errors || got.N != 200 {
		t.Errorf("%+v, want %+v", got, r)
	}
	close12(t, "bound", got.Bound, r.Bound)
}

func TestConformalRiskOracle(t *testing.T) {
	o := loadOracles(t)
	c := o.SGR.curve(t)
	for key, raw := range o.CRC {
		if key == "data" {
			continue
		}
		want := struct {
			LambdaHat  Float `json:"lambda_hat"`
			Risk       Float `json:"emp_generalized_risk"`
			Adjusted   Float
			Coverage   Float
			Infeasible bool
		}{Adjusted: Float(math.NaN())}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		got, err := c.ConformalRisk(number(t, key))
		if err != nil {
			t.Fatal(err)
		}
		if got.Feasible == want.Infeasible {
			t.Errorf("alpha %s: feasible is %v", key, got.Feasible)
		}
		close12(t, "threshold for "+key, got.Threshold, float64(want.LambdaHat))
		close12(t, "coverage for "+key, got.Coverage(), float64(want.Coverage))
		close12(t, "joint risk for "+key, ratio(got.Errors, got.N), float64(want.Risk))
		close12(t, "bound for "+key, got.Bound, float64(want.Adjusted))
	}
}
