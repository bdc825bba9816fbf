package misd

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// oracles are the values that numpy, scikit-learn and scipy give (testdata/metric_oracles.json; null is NaN).
type oracles struct {
	Scalar         []scalarCase `json:"scalar_cases"`
	Prob           probCase     `json:"prob_metrics"`
	ClopperPearson []struct {
		K, M         int
		Delta, Upper float64
	} `json:"clopper_pearson_upper"`
	SGR sgrCase                    `json:"sgr"`
	CRC map[string]json.RawMessage `json:"crc_joint_risk"`
}

type scalarCase struct {
	Name       string
	Confidence []float64
	Correct    []int
	N, Errors  int
	ErrorRate  Float `json:"error_rate"`
	AUROC      Float
	FPR95      map[string]Float
	AUPR       map[string]Float
	AURC       map[string]Float
	AURCStar   map[string]Float `json:"aurc_star"`
	AUGRC      map[string]Float
	EAURC      map[string]Float
	RC         columns              `json:"rc_curve_fdshifts"`
	GRC        columns              `json:"grc_curve_fdshifts"`
	RCRAT      columns              `json:"rc_curve_rat"`
	AtCoverage map[string]pointJSON `json:"risk_at_coverage"`
	AtRisk     map[string]pointJSON `json:"coverage_at_risk"`
	AtRiskTU   map[string]Float     `json:"torch_uncertainty_cov_at_risk"`
}

type columns struct{ Coverage, Risk []Float }

type probCase struct {
	Probs    [][]float64
	Labels   []int
	Accuracy Float
	NLL      Float        `json:"nll_mean"`
	Brier    Float        `json:"brier_sum_over_classes_mean"`
	BrierPer Float        `json:"brier_mean_over_classes"`
	Pred     []int        `json:"pred_argmax_first"`
	ECE15    Float        `json:"ece15"`
	ECE10    Float        `json:"ece10"`
	ECE5     Float        `json:"ece5"`
	Bins     [][4]float64 `json:"ece15_bins"`
}

type sgrCase struct {
	Confidence []float64
	ErrorIdx   []int `json:"error_idx"`
	RStar      float64
	Delta      float64
	Steps      int     `json:"k_steps"`
	PerStep    float64 `json:"delta_per_step"`
	Trace      []sgrOracleStep
	Result     sgrOracleStep
}

type sgrOracleStep struct {
	Z, Accepted, Errors int
	Theta, Bound        float64
	OK                  bool
}

func loadOracles(t *testing.T) oracles {
	t.Helper()
	data, err := os.ReadFile("testdata/metric_oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	var o oracles
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Scalar) != 16 || len(o.ClopperPearson) != 7 || len(o.CRC) != 5 || len(o.Prob.Bins) != 7 || len(o.SGR.Trace) != 8 {
		t.Fatalf("oracles incomplete: %d scalar cases, %d bounds, %d conformal, %d bins, %d steps",
			len(o.Scalar), len(o.ClopperPearson), len(o.CRC), len(o.Prob.Bins), len(o.SGR.Trace))
	}
	return o
}

const tolerance = 1e-12

func (c scalarCase) curve(t *testing.T) *Curve {
	t.Helper()
	correct := make([]bool, len(c.Correct))
	for i, ok := range c.Correct {
		correct[i] = ok == 1
	}
	curve, err := NewCurve(c.Confidence, correct)
	if err != nil {
		t.Fatal(err)
	}
	return curve
}

// keyed compares computed values with a group of the oracle, which must have the same keys.
func keyed(t *testing.T, group string, want map[string]Float, got map[string]float64) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: oracle has %d values, test computes %d", group, len(want), len(got))
	}
	for key, w := range want {
		g, ok := got[key]
		if !ok {
			t.Errorf("%s: no value for oracle key %q", group, key)
		}
		close12(t, group+" "+key, g, float64(w))
	}
}

// close12 wants got within 1e-12 of want; NaN equals NaN.
func close12(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.17g, want %.17g", what, got, want)
	}
}
