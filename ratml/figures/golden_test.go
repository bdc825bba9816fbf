package figures_test

import (
	"strconv"
	"testing"

	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

// officialRun is the run of the official code on 1,000 images with a RAT-trained net.
func officialRun(t testing.TB) *misd.Run {
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
	for _, name := range []string{"MSR", "NE", "HPS", "DOCTOR", "MLS", "ratio", "thr", "RR_fast", "RR_exp", "RR_soft", "RR_fgsm"} {
		cost := map[string]float64{"RR_fast": 4, "RR_exp": 3, "RR_soft": 3, "RR_fgsm": 7.2}[name]
		run.Scores = append(run.Scores, misd.Score{Name: name, Values: f.Float64("full_" + name), Cost: max(1, cost)})
	}
	return run
}

// officialReports are the reports of that run and of half its images under another name, which stands for a second
// classifier.
func officialReports(t testing.TB, resamples int) []*report.Report {
	run := officialRun(t)
	half := &misd.Run{Dataset: run.Dataset, Model: "first half", Classes: run.Classes}
	n := run.Len() / 2
	half.Label, half.Pred, half.Logits = run.Label[:n], run.Pred[:n], run.Logits[:n*run.Classes]
	for _, s := range run.Scores[2:] {
		half.Scores = append(half.Scores, misd.Score{Name: s.Name, Values: s.Values[:n], Cost: s.Cost})
	}
	var out []*report.Report
	for _, r := range []*misd.Run{half, run} {
		rep, err := report.Evaluate(r, report.Options{Resamples: resamples})
		require.NoError(t, err)
		out = append(out, rep)
	}
	return out
}

func parse(t testing.TB, s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}
