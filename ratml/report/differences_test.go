package report_test

import (
	"context"
	"math"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

func TestCompareScoresCorrects(t *testing.T) {
	run := simulated("net", 2)
	run.Scores = append(run.Scores, misd.Score{Name: "twin", Values: run.Scores[0].Values})
	d, err := report.CompareScores(t.Context(), run, "", report.Options{Resamples: 199, Headline: []string{"auroc"}})
	require.NoError(t, err)
	require.Len(t, d.Rows, 3)
	var p []float64
	for _, row := range d.Rows {
		p = append(p, row.Metrics["auroc"].P)
	}
	for i, want := range misd.Holm(p) {
		require.Equal(t, want, d.Rows[i].Metrics["auroc"].Holm)
	}
	require.Equal(t, "MSR − twin", d.Rows[1].Name())
	require.Equal(t, 1., d.Rows[1].Metrics["auroc"].P)
	x, y := evaluate(t, run, quick).Row("MSR"), evaluate(t, run, quick).Row("RR_fast")
	require.InDelta(t, x.Metrics["auroc"].Value-y.Metrics["auroc"].Value, d.Rows[0].Metrics["auroc"].Value, 1e-12)
	few, err := report.CompareScores(t.Context(), run, "", report.Options{Resamples: 20, Headline: []string{"auroc"}})
	require.NoError(t, err)
	require.Contains(t, few.String(), "The smallest corrected p that 20 resamples can give is 0.29: ask for more.")
	none, err := report.CompareScores(t.Context(), run, "MSR", report.Options{Resamples: -1, Headline: []string{"auroc"}})
	require.NoError(t, err)
	require.Len(t, none.Rows, 2)
	require.True(t, math.IsNaN(none.Rows[0].Metrics["auroc"].Holm))
}

func TestCompareErrors(t *testing.T) {
	run := simulated("net", 1)
	nan := simulated("net", 1)
	nan.Scores[1].Values[3] = math.NaN()
	short, err := run.Subset([]int{1, 2})
	require.NoError(t, err)
	moved := simulated("net", 1)
	moved.Label[4] = 1
	stranger := simulated("net", 1)
	stranger.Scores = []misd.Score{{Name: "other", Values: run.Scores[0].Values}}
	one := simulated("net", 1)
	one.Scores = one.Scores[:1]
	for _, c := range []struct {
		run      *misd.Run
		baseline string
		opts     report.Options
		want     string
	}{
		{nil, "", quick, "there is no run"},
		{one, "", quick, "needs two scores"},
		{run, "ODIN", quick, `no score "ODIN" to compare with`},
		{nan, "", quick, "score RR_fast: misd: curve: confidence 3 is NaN"},
		{run, "", report.Options{Headline: []string{"nll"}}, "metric nll judges the classifier"},
		{run, "", report.Options{Level: 3}, "level 3"},
	} {
		_, err := report.CompareScores(t.Context(), c.run, c.baseline, c.opts)
		require.ErrorContains(t, err, c.want)
	}
	for _, c := range []struct {
		first  *misd.Run
		others []*misd.Run
		want   string
	}{
		{run, nil, "needs two classifiers"},
		{run, []*misd.Run{nil}, "classifier 2: there is no run"},
		{nil, []*misd.Run{run}, "classifier 1: there is no run"},
		{run, []*misd.Run{short}, "other images than the first: 500 images and 2"},
		{run, []*misd.Run{run, moved}, "classifier 3 (net on simulated) was scored on other images than the first: image 4 has label 0 and 1"},
		{run, []*misd.Run{stranger}, "no score in common"},
		{run, []*misd.Run{nan}, "confidence 3 is NaN"},
	} {
		_, err := report.CompareNets(t.Context(), c.first, c.others, quick)
		require.ErrorContains(t, err, c.want)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = report.CompareScores(done, run, "", quick)
	require.ErrorIs(t, err, context.Canceled)
}
