package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

func TestGroups(t *testing.T) {
	run := simulated("net", 1)
	labels := make([]string, run.Len())
	for i := range labels {
		labels[i] = []string{"10", "9"}[i%2]
	}
	labels[0] = ""
	var notes []string
	opts := quick
	opts.Progress = func(done, total int, note string) { notes = append(notes, note) }
	g, err := report.EvaluateGroups(t.Context(), run, "site", labels, opts)
	require.NoError(t, err)
	require.Equal(t, []string{"site ", "site 9", "site 10"}, notes)
	require.True(t, g.Parts[0].Small)
	require.False(t, g.Parts[1].Small)
	require.Equal(t, 250, g.Parts[1].Report.Run.Len())
	mean, n := g.Mean("MSR", "auroc")
	require.Equal(t, 2, n, "undefined for a single image")
	x, y := g.Parts[1].Report.Row("MSR").Metrics["auroc"].Value, g.Parts[2].Report.Row("MSR").Metrics["auroc"].Value
	require.InDelta(t, (x+y)/2, mean, 1e-12)
	g.Shown = "auroc"
	s := g.String()
	require.Contains(t, s, "(none) †")
	require.Contains(t, s, "mean of 2 groups")
	require.Contains(t, s, "– auroc: every prediction is right.")
	require.Equal(t, []string{"cat", "1", "-3"}, report.ClassNames([]int{0, 1, -3}, []string{"cat", ""}))
	mean, n = g.Mean("no such score", "auroc")
	require.True(t, math.IsNaN(mean) && n == 0)
}

func TestGroupsErrors(t *testing.T) {
	run := simulated("net", 1)
	labels := make([]string, run.Len())
	_, err := report.EvaluateGroups(t.Context(), run, "site", labels[:3], quick)
	require.ErrorContains(t, err, "column site has 3 labels for 500 images")
	_, err = report.EvaluateGroups(t.Context(), nil, "site", labels, quick)
	require.ErrorContains(t, err, "there is no run")
	_, err = report.EvaluateGroups(t.Context(), &misd.Run{Scores: []misd.Score{{Name: "a"}}}, "site", nil, quick)
	require.ErrorContains(t, err, "no images to group")
	run.Scores[0].Values[9] = math.NaN()
	_, err = report.EvaluateGroups(t.Context(), run, "site", labels, quick)
	require.ErrorContains(t, err, "confidence 9 is NaN")
	many := make([]string, 1001)
	for i := range many {
		many[i] = strings.Repeat("x", i)
	}
	big := &misd.Run{Label: make([]int, 1001), Pred: make([]int, 1001), Classes: 1, Scores: []misd.Score{{Name: "a", Values: make([]float64, 1001)}}}
	_, err = report.EvaluateGroups(t.Context(), big, "file", many, quick)
	require.ErrorContains(t, err, "column file has 1001 different labels")
}
