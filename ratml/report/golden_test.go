package report_test

import (
	"testing"

	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
)

// goldenScores are the scores of all 1,000 images that the official code computed.
var goldenScores = []string{"MSR", "NE", "HPS", "DOCTOR", "MLS", "ratio", "thr", "RR_fast", "RR_exp", "RR_soft", "RR_fgsm"}

// goldenRun is the run of the official code on a RAT-trained net.
func goldenRun(t testing.TB) *misd.Run {
	f := golden.Open(t, "scores_rat.npz")
	run := &misd.Run{Dataset: "stripes", Model: "RAT", Classes: f.Shape("full_logits")[1], Logits: golden.Read[float32](f, "full_logits")}
	for i, y := range golden.Read[int64](f, "full_labels") {
		row := run.Logits[i*run.Classes : (i+1)*run.Classes]
		pred := 0
		for j, z := range row {
			if z > row[pred] {
				pred = j
			}
		}
		run.Label, run.Pred = append(run.Label, int(y)), append(run.Pred, pred)
	}
	for _, name := range goldenScores {
		run.Scores = append(run.Scores, misd.Score{Name: name, Values: f.Float64("full_" + name), Cost: 1})
	}
	bs := run.Score("RR_fgsm")
	bs.Cost = 27
	bs.Evaluations = make([]int, run.Len())
	bs.Unflipped = make([]bool, run.Len())
	for i, v := range bs.Values {
		bs.Evaluations[i], bs.Unflipped[i] = 24, v > 16
	}
	return run
}
