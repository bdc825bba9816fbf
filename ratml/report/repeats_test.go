package report_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

// repeated returns reports of runs that simulate other trainings.
func repeated(t *testing.T, opts report.Options, seeds ...uint64) []*report.Report {
	var out []*report.Report
	for _, s := range seeds {
		out = append(out, evaluate(t, simulated("net", s), opts))
	}
	return out
}

func TestRepeatTellsSeedsFromSplits(t *testing.T) {
	r := repeated(t, quick, 1, 2, 3, 4)
	value := func(i int) float64 { return r[i].Row("MSR").Metrics["auroc"].Value }
	rep, err := report.Repeat([][]*report.Report{{r[0], r[1]}, {r[2], r[3]}})
	require.NoError(t, err)
	s := rep.Rows[0].Metrics["auroc"]
	a, b := (value(0)+value(1))/2, (value(2)+value(3))/2
	require.InDelta(t, (a+b)/2, s.Mean, 1e-12)
	require.InDelta(t, math.Abs(a-b)/math.Sqrt2, s.Seeds, 1e-12)
	da, db := value(0)-value(1), value(2)-value(3)
	require.InDelta(t, math.Sqrt((da*da/2+db*db/2)/2), s.Splits, 1e-12)
	require.Equal(t, [][]float64{{value(0), value(1)}, {value(2), value(3)}}, s.Values)
	require.Contains(t, rep.String(), "2 training seeds, 2 splits")
	require.Contains(t, rep.String(), "mean ± seeds")
	require.Nil(t, rep.Probabilities)

	seeds, err := report.Seeds(r...)
	require.NoError(t, err)
	require.True(t, math.IsNaN(seeds.Rows[0].Metrics["auroc"].Splits))
	require.Contains(t, seeds.String(), "±: standard deviation over 4 trainings.")
	splits, err := report.Splits(r...)
	require.NoError(t, err)
	require.Equal(t, seeds.Rows[0].Metrics["auroc"].Seeds, splits.Rows[0].Metrics["auroc"].Splits)
	require.True(t, math.IsNaN(splits.Rows[0].Metrics["auroc"].Seeds))
	require.Contains(t, splits.String(), "±: standard deviation over 4 splits")
	one, err := report.Seeds(r[0])
	require.NoError(t, err)
	require.NotContains(t, one.String(), "±")
}

func TestRepeatProbabilitiesAndJSON(t *testing.T) {
	rep := evaluate(t, goldenRun(t), quick)
	s, err := report.Seeds(rep, rep)
	require.NoError(t, err)
	require.InDelta(t, .778, s.Probabilities["accuracy"].Mean, 1e-12)
	require.Contains(t, s.String(), "accuracy 77.80 ± 0 (seeds)")
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var got struct {
		Seeds, Splits int
		Models        []string
		Scores        map[string]map[string]struct {
			Mean   float64
			SD     *float64 `json:"sd_seeds"`
			Split  *float64 `json:"sd_splits"`
			Values [][]float64
		}
	}
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, 2, got.Seeds)
	require.Equal(t, []string{"RAT"}, got.Models)
	m := got.Scores["MSR"]["aurc"]
	require.Equal(t, rep.Row("MSR").Metrics["aurc"].Value, m.Mean)
	require.Zero(t, *m.SD)
	require.Nil(t, m.Split)
	require.Len(t, m.Values, 2)
}

func TestRepeatUndefined(t *testing.T) {
	right := simulated("net", 1)
	copy(right.Pred, right.Label)
	s, err := report.Seeds(evaluate(t, simulated("net", 1), quick), evaluate(t, right, quick))
	require.NoError(t, err)
	require.True(t, math.IsNaN(s.Rows[0].Metrics["auroc"].Mean))
	require.Contains(t, s.String(), "– auroc: undefined in 1 of 2 reports: every prediction is right.")
	require.False(t, math.IsNaN(s.Rows[0].Metrics["aurc"].Mean))
}

func TestRepeatErrors(t *testing.T) {
	r := repeated(t, quick, 1, 2)
	few, err := r[1].Select("MSR")
	require.NoError(t, err)
	other := simulated("net", 3)
	other.Dataset = "moon"
	for _, c := range []struct {
		reports [][]*report.Report
		want    string
	}{
		{nil, "no reports"},
		{[][]*report.Report{{}}, "no reports"},
		{[][]*report.Report{{r[0]}, {r[0], r[1]}}, "seed 2 has 2 splits, the first has 1"},
		{[][]*report.Report{{r[0]}, {nil}}, "seed 2, split 1: the report is empty"},
		{[][]*report.Report{{r[0], few}}, "seed 1, split 2: the report has no score RR_fast"},
		{[][]*report.Report{{few, r[0]}}, "the report has a score RR_fast, which the first has not"},
		{[][]*report.Report{{r[0]}, {evaluate(t, other, quick)}}, `of data set "moon", the first of "simulated"`},
	} {
		_, err := report.Repeat(c.reports)
		require.ErrorContains(t, err, c.want)
	}
}
