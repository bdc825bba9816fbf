package misd

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
)

func TestCalibrationErrors(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name    string
		values  []float64
		labels  []int
		classes int
		logits  bool
		want    string
	}{
		{"no classes", nil, nil, 0, false, "0 classes"},
		{"rows", []float64{0.5, 0.5, 1}, []int{0}, 2, false, "3 values are not 1 rows (one a label) of 2 classes"},
		{"labels", []float64{0.5, 0.5}, []int{0, 1}, 2, false, "2 values are not 2 rows"},
		{"label high", []float64{0.5, 0.5}, []int{2}, 2, false, "label 0 is 2, outside [0,2)"},
		{"label negative", []float64{0.5, 0.5}, []int{-1}, 2, true, "label 0 is -1, outside [0,2)"},
		{"logits as probabilities", []float64{3, -2}, []int{0}, 2, false, "row 0, class 0: 3 is no probability"},
		{"negative", []float64{1, 0, -0.1, 1.1}, []int{0, 0}, 2, false, "row 1, class 0: -0.1 is no probability"},
		{"NaN", []float64{nan, 1}, []int{0}, 2, false, "row 0, class 0: NaN is no probability"},
		{"sum", []float64{0.5, 0.4}, []int{0}, 2, false, "row 0 sums to 0.9, not 1"},
		{"sum almost", []float64{0.5, 0.515}, []int{0}, 2, false, "row 0 sums to 1.015"},
		{"NaN logit", []float64{1, nan}, []int{0}, 2, true, "row 0, class 1: logit is NaN"},
		{"infinite logit", []float64{1, inf}, []int{0}, 2, true, "row 0, class 1: logit is +Inf"},
		{"no finite logit", []float64{-inf, -inf}, []int{0}, 2, true, "row 0: every logit is -Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			make := NewCalibration[float64]
			if c.logits {
				make = NewCalibrationFromLogits[float64]
			}
			if _, err := make(c.values, c.labels, c.classes); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestLogitsAgreeWithProbabilities(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	const n, classes = 200, 10
	logits, probs, labels := make([]float32, n*classes), make([]float64, n*classes), make([]int, n)
	for i := range n {
		row := probs[i*classes : (i+1)*classes]
		for j := range row {
			logits[i*classes+j] = float32(4 * rng.NormFloat64())
			row[j] = float64(logits[i*classes+j])
		}
		norm := floats.LogSumExp(row)
		for j := range row {
			row[j] = math.Exp(row[j] - norm)
		}
		labels[i] = rng.IntN(classes)
	}
	a, err := NewCalibrationFromLogits(logits, labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewCalibration(probs, labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	close12(t, "nll", a.NLL(), b.NLL())
	close12(t, "brier", a.Brier(), b.Brier())
	close12(t, "accuracy", a.Accuracy(), b.Accuracy())
	close12(t, "ece", a.ECE(15), b.ECE(15))
}

func TestExtremeLogits(t *testing.T) {
	c, err := NewCalibrationFromLogits([]float32{1e30, -1e30, 0, float32(math.Inf(-1))}, []int{0, 0}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.NLL() != 0 || c.Brier() != 0 || c.ECE(15) != 0 || c.Accuracy() != 1 {
		t.Errorf("certain and right: nll %g, brier %g, ece %g", c.NLL(), c.Brier(), c.ECE(15))
	}
	c, err = NewCalibrationFromLogits([]float64{0, math.Inf(-1)}, []int{1}, 2)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Bootstrap{Resamples: 10}.Evaluate(t.Context(), nil, c)
	if err != nil {
		t.Fatal(err)
	}
	if v := e["nll"]; !math.IsInf(v.Value, 1) || v.Reason != "infinite: a label has probability 0" {
		t.Errorf("nll of an impossible label is %+v", v)
	}
	if got := mustJSON(t, e["nll"]); !strings.HasPrefix(got, `{"value":"Infinity","reason":"infinite`) {
		t.Errorf("as JSON %s", got)
	}
	if e["brier"].Value != 2 || e["ece"].Value != 1 || e["accuracy"].Value != 0 || len(e) != 4 {
		t.Errorf("certain and wrong: %+v", e)
	}
}

// TestBinsCoverEveryConfidence compares bins with comparisons against every edge.
func TestBinsCoverEveryConfidence(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	for _, bins := range []int{1, 2, 3, 5, 7, 10, 15, 20, 100} {
		confidences := []float64{1, math.SmallestNonzeroFloat64, math.Nextafter(1, 0)}
		for i := 1; i <= bins; i++ {
			edge := ratio(i, bins)
			confidences = append(confidences, edge, math.Nextafter(edge, 0), min(1, math.Nextafter(edge, 2)))
		}
		for range 1000 {
			confidences = append(confidences, 1-rng.Float64())
		}
		for _, p := range confidences {
			i := binOf(p, bins)
			if i < 0 || i >= bins || !(p > ratio(i, bins)) || !(p <= ratio(i+1, bins)) {
				t.Errorf("%v is put into bin %d of %d", p, i, bins)
			}
		}
	}
}

func TestCalibrationWithoutPredictionsOrBins(t *testing.T) {
	c, err := NewCalibration([]float64{}, nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{"accuracy": c.Accuracy(), "nll": c.NLL(), "brier": c.Brier(), "ece": c.ECE(15)} {
		if !math.IsNaN(v) {
			t.Errorf("%s of nothing is %g", name, v)
		}
	}
	for _, build := range []func([]float64, []int, int) (*Calibration, error){NewCalibration[float64], NewCalibrationFromLogits[float64]} {
		if _, err := build(nil, nil, math.MaxInt); err != nil { // allocates no row of that many classes
			t.Error(err)
		}
	}
	e, err := Bootstrap{}.Evaluate(t.Context(), nil, c)
	if err != nil {
		t.Fatal(err)
	}
	if e["ece"].Reason != "no predictions" {
		t.Errorf("ece: %+v", e["ece"])
	}
	one := calibrated(t, []float64{0.5, 0.499, 0}, []int{0}) // rounded as in float16
	if got := one.ECE(1); got != 0.5 || !math.IsNaN(one.ECE(0)) {
		t.Errorf("ece of one bin is %g, of none %g", got, one.ECE(0))
	}
	if c.Reliability(0) != nil || !math.IsNaN(c.ECE(0)) || !math.IsNaN(c.ECE(-1)) {
		t.Error("no bins, yet a diagram")
	}
	if got := c.Reliability(4); len(got) != 4 || got[3].N != 0 || !math.IsNaN(got[3].Accuracy) {
		t.Errorf("empty diagram %+v", got)
	}
}
