package misd

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// randomOracles are what scikit-learn, fd-shifts and torch-uncertainty say of random confidences
// (testdata/random_oracles.py; null is NaN).
type randomOracles struct {
	Scores []struct {
		Name       string
		Confidence []float64
		Correct    string // a digit a prediction
		Sklearn    map[string]Float
		FDShifts   map[string]Float `json:"fd_shifts"`
		TU         map[string]Float `json:"torch_uncertainty"`
	}
	Probabilities []struct {
		Classes int
		Logits  []float64
		Labels  []int
		Sklearn map[string]Float
		Numpy   map[string]Float
		TU      map[string]Float `json:"torch_uncertainty"`
	}
}

func loadRandomOracles(t *testing.T) randomOracles {
	t.Helper()
	data, err := os.ReadFile("testdata/random_oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	var o randomOracles
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Scores) != 240 || len(o.Probabilities) != 40 {
		t.Fatalf("%d scores and %d probabilities, want 240 and 40", len(o.Scores), len(o.Probabilities))
	}
	return o
}

// within compares values where the oracle has them; float32 arithmetic asks for a wider tolerance than 1e-12. It
// returns how many were compared.
func within(t *testing.T, name string, want map[string]Float, got map[string]float64, tolerance float64) int {
	t.Helper()
	for key, w := range want {
		g, ok := got[key]
		if !ok {
			t.Errorf("%s: %s is not computed", name, key)
		} else if math.IsNaN(g) != math.IsNaN(float64(w)) || math.Abs(g-float64(w)) > tolerance {
			t.Errorf("%s: %s = %.17g, want %.17g", name, key, g, w)
		}
	}
	return len(want)
}

func TestRandomScores(t *testing.T) {
	var sklearn, fdshifts, tu int
	for _, o := range loadRandomOracles(t).Scores {
		correct := make([]bool, len(o.Correct))
		for i, digit := range o.Correct {
			correct[i] = digit == '1'
		}
		c, err := NewCurve(o.Confidence, correct)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for name, e := range evaluate(t, c) {
			got[name] = e.Value
		}
		sklearn += within(t, o.Name+": scikit-learn", o.Sklearn, got, 1e-12)

		// Under the name e-AURC fd-shifts subtracts the asymptotic optimum from its trapezoids.
		got["eaurc"] = c.AURCTrapezoid() - c.AsymptoticOptimalAURC()
		fdshifts += within(t, o.Name+": fd-shifts", o.FDShifts, got, 1e-12)

		for key, risk := range map[string]float64{"cov_at_risk_0.01": 0.01, "cov_at_risk_0.05": 0.05, "cov_at_risk_0.1": 0.1} {
			got[key] = math.NaN() // what it says where nothing can be accepted
			if point := c.CoverageAtRisk(risk); point.Coverage > 0 {
				got[key] = point.Coverage
			}
		}
		for key, coverage := range map[string]float64{"risk_at_cov_0.8": 0.8, "risk_at_cov_0.9": 0.9} {
			got[key] = c.RiskAtCoverage(coverage).Risk
		}
		tu += within(t, o.Name+": torch-uncertainty", o.TU, got, 1e-6)
	}
	if sklearn != 1026 || fdshifts != 1290 || tu < 500 {
		t.Errorf("compared %d values of scikit-learn, %d of fd-shifts, %d of torch-uncertainty", sklearn, fdshifts, tu)
	}
}

func TestRandomProbabilities(t *testing.T) {
	for _, o := range loadRandomOracles(t).Probabilities {
		c, err := NewCalibrationFromLogits(o.Logits, o.Labels, o.Classes)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{"accuracy": c.Accuracy(), "nll": c.NLL(), "brier": c.Brier(), "ece": c.ECE(15)}
		n := within(t, "scikit-learn", o.Sklearn, got, 1e-9) + within(t, "numpy", o.Numpy, got, 1e-12) +
			within(t, "torch-uncertainty", o.TU, got, 1e-6)
		if n != 6 {
			t.Errorf("%d values compared, want 6", n)
		}
	}
}
