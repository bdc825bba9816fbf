package misd

import (
	"strings"
	"testing"
)

func testRun() *Run {
	return &Run{
		Label: []int{0, 1, 1}, Pred: []int{0, 1, 0}, Classes: 2, Logits: []float32{2, 0, 0, 3, 1, 0.5},
		Scores: []Score{{Name: "MSR", Values: []float64{0.9, 0.95, 0.6}}},
	}
}

func TestRunErrors(t *testing.T) {
	for want, spoil := range map[string]func(*Run){
		"3 labels but 2 predictions":         func(r *Run) { r.Pred = r.Pred[:2] },
		"has 5 logits, want 3 images x 2":    func(r *Run) { r.Logits = r.Logits[:5] },
		"image 1: label 2 or prediction 1":   func(r *Run) { r.Label[1] = 2 },
		"score MSR has 2 values, want 3":     func(r *Run) { r.Scores[0].Values = r.Scores[0].Values[:2] },
		"the run has no score \"MSR\"":       func(r *Run) { r.Scores[0].Name = "MLS" },
		"score MSR: misd: curve: confidence": func(r *Run) { r.Scores[0].Values[0] = nan },
	} {
		r := testRun()
		spoil(r)
		if _, err := r.Curve("MSR"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	r := testRun()
	r.Logits = nil
	if _, err := r.Calibration(); err == nil || !strings.Contains(err.Error(), "no logits") {
		t.Errorf("without logits: %v", err)
	}
	r.Label[0] = -1
	if _, err := r.Calibration(); err == nil || !strings.Contains(err.Error(), "label -1") {
		t.Errorf("with a bad label: %v", err)
	}
}

func TestRunCurveAndCalibrationAgree(t *testing.T) {
	r := testRun()
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	c, err := r.Curve("MSR")
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Calibration()
	if err != nil {
		t.Fatal(err)
	}
	if c.Len() != r.Len() || p.Len() != r.Len() {
		t.Errorf("%d and %d predictions of %d", c.Len(), p.Len(), r.Len())
	}
	close12(t, "accuracy", p.Accuracy(), 1-c.ErrorRate())
	if r.Score("ODIN") != nil || r.Score("MSR") != &r.Scores[0] {
		t.Error("scores are not found by name")
	}
}
