package report_test

import (
	"math"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

// tableOf makes reports whose auroc are the given values, [data set][score].
func tableOf(t *testing.T, values [][]float64) []*report.Report {
	var out []*report.Report
	for i, row := range values {
		rep := &report.Report{Run: &misd.Run{Dataset: string(rune('a' + i))}, Options: report.Options{Headline: []string{"auroc"}}}
		for j, v := range row {
			rep.Rows = append(rep.Rows, report.Row{Score: string(rune('A' + j)), Metrics: misd.Evaluation{"auroc": {Value: v, Reason: "x"}}})
		}
		out = append(out, rep)
	}
	return out
}

func TestRank(t *testing.T) {
	// As scipy.stats.friedmanchisquare([.1,.2,.3,.4], [.1,.4,.2,.5], [.9,.1,.1,.7]) has it.
	ranks, err := report.Rank("auroc", tableOf(t, [][]float64{{.1, .1, .9}, {.2, .4, .1}, {.3, .2, .1}, {.4, .5, .7}})...)
	require.NoError(t, err)
	require.InDelta(t, 0.9355069850316178, ranks.Friedman, 1e-12)
	require.Equal(t, []string{"a", "b", "c", "d"}, ranks.DataSets)
	require.Equal(t, report.RankRow{Score: "B", Mean: 1.875, Wins: 1, Ranks: []float64{2.5, 1, 2, 2}, Values: []float64{.1, .4, .2, .5}}, ranks.Rows[0])
	require.Equal(t, 2, ranks.Rows[1].Wins)
	require.Equal(t, []float64{1, 3, 3, 1}, ranks.Rows[1].Ranks)

	nan := math.NaN()
	ranks, err = report.Rank("", tableOf(t, [][]float64{{nan, nan}, {nan, .2}, {.1, .1}})...)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "c"}, ranks.DataSets)
	require.Contains(t, ranks.String(), "a is left out: auroc is undefined for every score.")
	require.Equal(t, []float64{2, 1.5}, ranks.Rows[1].Ranks, "undefined comes last")
	require.Equal(t, 2, ranks.Rows[0].Wins, "a draw counts for both")

	uneven := tableOf(t, [][]float64{{.1, .2}, {.1}})
	ranks, err = report.Rank("", uneven...)
	require.NoError(t, err)
	require.Contains(t, ranks.Notes, "B is left out: not every data set has it.")
	require.True(t, math.IsNaN(ranks.Friedman))
}

func TestRankErrors(t *testing.T) {
	rep := tableOf(t, [][]float64{{.1}})
	none := tableOf(t, [][]float64{{}})
	for _, c := range []struct {
		metric  string
		reports []*report.Report
		want    string
	}{
		{"", nil, "no reports"},
		{"", []*report.Report{nil}, "report 1 of 1 is empty"},
		{"ece", rep, `"ece" is no metric of a score`},
		{"", append(rep, none...), "no score is in every report"},
		{"", tableOf(t, [][]float64{{math.NaN()}}), "auroc is undefined for every score of every report"},
	} {
		_, err := report.Rank(c.metric, c.reports...)
		require.ErrorContains(t, err, c.want)
	}
}
