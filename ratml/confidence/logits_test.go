package confidence_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/radius"
)

// oracles are scores that numpy computed (metric_oracles.json).
type oracles struct {
	Metrics struct{ Probs [][]float64 } `json:"prob_metrics"`
	Probs   map[string][]float64        `json:"prob_scores"`
	Logits  map[string]json.RawMessage  `json:"logit_scores"`
}

func loadOracles(t *testing.T) (o oracles) {
	t.Helper()
	data, err := os.ReadFile("../misd/testdata/metric_oracles.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// compare checks scores of rows of logits.
func compare(t *testing.T, name string, s confidence.Direct, rows [][]float64, want []float64, tolerance float64) {
	t.Helper()
	var logits []float32
	for _, row := range rows {
		for _, v := range row {
			logits = append(logits, float32(v))
		}
	}
	got := s.Values(logits, len(rows[0]), nil)
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d scores, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance*math.Max(1, math.Abs(w))) {
			t.Errorf("%s of row %d: %.9g, want %.9g", name, i, got[i], w)
		}
	}
}

// Probabilities reach the scores as logits, their logarithms, rounded to float32.
func TestProbabilityOracles(t *testing.T) {
	o := loadOracles(t)
	var logits [][]float64
	for _, p := range o.Metrics.Probs {
		var row []float64
		for _, v := range p {
			row = append(row, math.Max(math.Log(v), -100))
		}
		logits = append(logits, row)
	}
	tests := map[string]confidence.Direct{
		"MSR": confidence.MSR{}, "NE_sum_plogp_eps1e9": confidence.NE{}, "neg_gini_inv_minus1_over_sum_p2": confidence.TFDOCTOR{},
		"margin_top2": confidence.LinearMix{}, "ratio_top2": confidence.Ratio{}, "HPS_neg_second": confidence.HPS{},
	}
	if len(o.Probs) != len(tests) {
		t.Errorf("the oracle has %d scores, %d are tested", len(o.Probs), len(tests))
	}
	for name, s := range tests {
		compare(t, name, s, logits, o.Probs[name], 1e-6)
	}
}

func TestLogitOracles(t *testing.T) {
	o := loadOracles(t)
	read := func(name string, v any) {
		t.Helper()
		if err := json.Unmarshal(o.Logits[name], v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var logits [][]float64
	read("logits", &logits)
	for name, s := range map[string]confidence.Direct{
		"MSR": confidence.MSR{}, "MSR_T2": confidence.ODIN{Temperature: 2}, "MSR_T1000": confidence.ODIN{Temperature: 1000},
		"MLS": confidence.MLS{}, "logit_diff": confidence.LogitDiff{}, "soft_logit_diff_T1": confidence.SoftLogitDiff{},
		"doctor_alpha": confidence.DOCTOR{},
	} {
		var want []float64
		read(name, &want)
		compare(t, name, s, logits, want, 1e-12)
	}
}

// Parameters do what their comments say, on one row of logits.
func TestParameters(t *testing.T) {
	row := [][]float64{{math.Log(0.6), math.Log(0.3), math.Log(0.1)}}
	for _, test := range []struct {
		s    confidence.Direct
		want float64
	}{
		{confidence.ODIN{}, 0.6},
		{confidence.LinearMix{}, 0.3},
		{confidence.LinearMix{Lambda: 10}, 5.7},
		{confidence.Thresholded{}, 0.2},
		{confidence.Thresholded{Threshold: 0.4}, 0.1},
		{confidence.Thresholded{Threshold: 1}, 0.3},
		{confidence.DOCTOR{}, -1 / 0.46},
		{confidence.Ratio{}, 2},
		{confidence.TunedLogitDiff{}, math.Log(2)},
		{confidence.TunedLogitDiff{Lambda: 2}, math.Log(0.6) - 2*math.Log(0.3)},
		{confidence.SoftLogitDiff{}, math.Log(0.6 / 0.4)},
		{confidence.SoftLogitDiff{Temperature: 2}, math.Log(math.Sqrt(0.6) / (math.Sqrt(0.3) + math.Sqrt(0.1)))},
	} {
		compare(t, test.s.Name(), test.s, row, []float64{test.want}, 1e-6)
	}
}

// Logits far apart neither overflow nor end as NaN, and equal ones are a tie.
func TestExtremeLogits(t *testing.T) {
	for _, f := range scores(t, radius.Sound) {
		s, ok := f.(confidence.Direct)
		if !ok || f.Cost() != 1 {
			continue // not from logits alone
		}
		for _, row := range [][]float32{{1e4, -1e4, 0}, {700, 0, -3e38}, {2, 2, 2}, {-5, -5, -9}, {3e38, 3e38, -3e38}} {
			if v := s.Values(row, 3, nil); math.IsNaN(v[0]) {
				t.Errorf("%s of %v is %v", s.Name(), row, v)
			}
		}
		if v := s.Values(nil, 3, nil); len(v) != 0 {
			t.Errorf("%s of no logits: %v", s.Name(), v)
		}
	}
	level := []float32{2, 2, 1}
	for _, test := range []struct {
		s    confidence.Direct
		want float64
	}{
		{confidence.LogitDiff{}, 0}, {confidence.Ratio{}, 1}, {confidence.LinearMix{}, 0}, {confidence.SoftLogitDiff{}, -math.Log1p(math.Exp(-1))},
	} {
		if v := test.s.Values(level, 3, nil)[0]; math.Abs(v-test.want) > 1e-12 {
			t.Errorf("%s of level logits is %v, want %v", test.s.Name(), v, test.want)
		}
	}
}
