package report_test

import (
	"math"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

func TestShift(t *testing.T) {
	own, shifted := simulated("net", 1), simulated("net", 2)
	shifted.Dataset = "fog"
	opts := report.Options{Resamples: 20}
	joint, err := report.EvaluateShift(t.Context(), misd.Joint, own, []misd.Shift{{Run: shifted}}, opts)
	require.NoError(t, err)
	row := joint.Rows[0]
	for m, p := range row.Parts {
		require.InDelta(t, row.All[m].Value, p.Misclassified+p.UnderShift, 1e-12, m)
	}
	require.Contains(t, joint.String(), "simulated: 410 images right, 90 misclassified\nfog: 421 images right, 79 failures under shift")
	only, err := report.EvaluateShift(t.Context(), misd.ShiftOnly, own, []misd.Shift{{Run: shifted}}, opts)
	require.NoError(t, err)
	require.Equal(t, row.UnderShift["auroc"].Value, only.Rows[0].All["auroc"].Value)
	require.Contains(t, only.String(), "– auroc: every prediction is right.", "nothing is misclassified there")
	detection, err := report.EvaluateShift(t.Context(), misd.Detection, own, []misd.Shift{{Run: shifted, Novel: true}}, opts)
	require.NoError(t, err)
	require.Equal(t, 500, detection.Mixture.Run.Len()-500)
	require.Contains(t, detection.String(), "original mode")
	groups, err := report.EvaluateGroups(t.Context(), joint.Mixture.Run, "data set", joint.Mixture.Origin(), opts)
	require.NoError(t, err)
	require.Equal(t, "fog", groups.Parts[0].Name)

	shifted.Classes = 9
	_, err = report.EvaluateShift(t.Context(), misd.Joint, own, []misd.Shift{{Run: shifted}}, opts)
	require.ErrorContains(t, err, "classifier of 9 classes")
	own.Scores[0].Values[0] = math.NaN()
	_, err = report.EvaluateShift(t.Context(), misd.Joint, own, []misd.Shift{{Run: simulated("net", 3)}}, opts)
	require.ErrorContains(t, err, "score MSR: misd: curve: confidence 0 is NaN")
	_, err = report.EvaluateShift(t.Context(), misd.Joint, own, nil, report.Options{Headline: []string{"x"}})
	require.ErrorContains(t, err, `no metric "x"`)
}
