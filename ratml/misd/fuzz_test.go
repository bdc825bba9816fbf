package misd

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
)

// fuzzSample reads nine bytes a prediction: a confidence of any bit pattern and the correctness.
func fuzzSample(data []byte) sample {
	var s sample
	for ; len(data) >= 9; data = data[9:] {
		s.confidence = append(s.confidence, math.Float64frombits(binary.LittleEndian.Uint64(data)))
		s.correct = append(s.correct, data[8]&1 == 1)
	}
	return s
}

func (s sample) bytes() []byte {
	var data []byte
	for i, k := range s.confidence {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(k))
		flag := byte(0)
		if s.correct[i] {
			flag = 1
		}
		data = append(data, flag)
	}
	return data
}

// FuzzMetrics checks that any curve gives defined metrics in range, whatever its confidences.
func FuzzMetrics(f *testing.F) {
	inf := math.Inf(1)
	for _, s := range []sample{
		{},
		{[]float64{0.5}, []bool{true}},
		{[]float64{0.5}, []bool{false}},
		{[]float64{1, 1, 1, 0.2}, []bool{true, false, true, false}},
		{[]float64{inf, -inf, 0, math.Copysign(0, -1)}, []bool{true, false, false, true}},
		{[]float64{1, nan}, []bool{true, false}},
		{[]float64{math.MaxFloat64, math.SmallestNonzeroFloat64, -1e300, 3}, []bool{false, false, true, true}},
	} {
		f.Add(s.bytes(), 0.3)
	}
	f.Fuzz(func(t *testing.T, data []byte, level float64) {
		s := fuzzSample(data)
		c, err := NewCurve(s.confidence, s.correct)
		if err != nil {
			for _, k := range s.confidence {
				if math.IsNaN(k) {
					return
				}
			}
			t.Fatal(err)
		}
		e, err := Bootstrap{Resamples: 3, Seed: uint64(len(data))}.Evaluate(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range e {
			if math.IsNaN(v.Value) != (v.Reason != "") {
				t.Errorf("%s = %v for reason %q", name, v.Value, v.Reason)
			}
			low := -1e-12
			if name == "eaurc_asymptotic" {
				low = -1
			}
			if v.Value < low || v.Value > 1+1e-12 {
				t.Errorf("%s = %v", name, v.Value)
			}
		}
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
		touch(t, c, level)
	})
}

// touch calls what Evaluate does not.
func touch(t *testing.T, c *Curve, level float64) {
	t.Helper()
	points := append(append(c.RiskCoverage(), c.GeneralizedRiskCoverage()...), c.RiskCoverageRAT()...)
	points = append(points, c.RiskAtCoverage(level), c.CoverageAtRisk(level))
	if _, err := json.Marshal(points); err != nil {
		t.Error(err)
	}
	for _, p := range []Positive{PositiveError, PositiveSuccess} {
		if a, b := len(c.ROC(p)), len(c.PrecisionRecall(p)); a != b || a != 0 && a != c.Groups()+1 {
			t.Errorf("%d and %d points of %d groups", a, b, c.Groups())
		}
		if f := c.FPRAtTPR(p, level); f < 0 || f > 1 {
			t.Errorf("FPR %g", f)
		}
	}
	if r := c.CoverageAtRiskTU(level); r < 0 || r > 1 {
		t.Errorf("coverage %g", r)
	}
	for _, choose := range []func() (Selection, error){
		func() (Selection, error) { return c.SGR(level, 0.1) },
		func() (Selection, error) { return c.ConformalRisk(level) },
	} {
		s, err := choose()
		if err != nil {
			continue
		}
		if s.Feasible == math.IsNaN(s.Threshold) || s.Feasible && s.Bound > level || s.Errors > s.Accepted || s.Accepted > s.N {
			t.Errorf("%+v for %g", s, level)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Error(err)
		}
	}
}

// FuzzFloatJSON checks that a Float reads back what it writes and takes nothing else.
func FuzzFloatJSON(f *testing.F) {
	for _, s := range []string{"null", `"Infinity"`, `"-Infinity"`, "1e-300", "-0", "1e999", `""`, "{}", "0x10", "1_0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var x, back Float
		if json.Unmarshal(data, &x) != nil {
			return
		}
		out, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		if back != x && !(math.IsNaN(float64(x)) && math.IsNaN(float64(back))) {
			t.Errorf("%q is %v, written %s, read %v", data, x, out, back)
		}
	})
}

// FuzzCalibration checks that logits of any value give an error or finite numbers in range.
func FuzzCalibration(f *testing.F) {
	f.Add(sample{[]float64{1, 2, 3, 4}, []bool{true, false, true, false}}.bytes(), 2)
	f.Add(sample{[]float64{1e300, -1e300, math.Inf(-1), 0}, []bool{true, false, true, false}}.bytes(), 2)
	f.Add(sample{[]float64{0.25, 0.75, 0}, []bool{true, true, true}}.bytes(), 3)
	f.Fuzz(func(t *testing.T, data []byte, classes int) {
		s := fuzzSample(data)
		rows := 0
		if classes > 0 {
			rows = len(s.confidence) / classes
		}
		labels := make([]int, rows)
		for i := range labels {
			if classes > 1 && s.correct[i] {
				labels[i] = 1
			}
		}
		for _, build := range []func([]float64, []int, int) (*Calibration, error){NewCalibration[float64], NewCalibrationFromLogits[float64]} {
			c, err := build(s.confidence, labels, classes)
			if err != nil {
				continue
			}
			for _, v := range []float64{c.Accuracy(), c.Brier() / 2, c.ECE(15)} {
				if v < 0 || v > 1.1 || math.IsNaN(v) != (rows == 0) {
					t.Errorf("accuracy %g, brier %g, ece %g", c.Accuracy(), c.Brier(), c.ECE(15))
				}
			}
			if v := c.NLL(); v < -1e-2 || math.IsNaN(v) != (rows == 0) {
				t.Errorf("nll %g", v)
			}
		}
	})
}
