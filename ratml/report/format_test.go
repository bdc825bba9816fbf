package report

import (
	"math"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/stretchr/testify/require"
)

func TestSignificant(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{
		{96.801, 4, "96.80"}, {103.09, 4, "103.1"}, {9.9996, 4, "10.00"}, {99.999, 4, "100.0"}, {0.48213, 4, "0.4821"},
		{0.0123456, 3, "0.012"}, {1234.5, 3, "1234"}, {-0.0284, 3, "-0.028"}, {-12.345, 4, "-12.35"}, {0, 4, "0"}, {100, 3, "100"},
		{math.NaN(), 4, "–"}, {math.Inf(1), 4, "+∞"}, {math.Inf(-1), 4, "-∞"}, {1e-5, 4, "0.0000"}, {21.4, 2, "21"},
	} {
		require.Equal(t, c.want, significant(c.v, c.digits), "%g", c.v)
	}
}

func TestLabel(t *testing.T) {
	for metric, want := range map[string]string{
		"aurc": "AURC ×1000", "aurc_rat": "AURC (rat) ×1000", "eaurc": "E-AURC ×1000", "augrc": "AUGRC ×1000", "auroc": "AUROC %",
		"fpr95_error": "FPR95-error %", "fpr95_success": "FPR95-success %", "fpr95_error_rat": "FPR95 (error rat) %",
		"risk_at_coverage_90": "risk % at coverage 90 %", "coverage_at_risk_5": "coverage % at risk 5 %",
		"accuracy": "accuracy %", "nll": "NLL", "brier": "Brier score", "ece": "ECE %", "aupr_error": "AUPR (error) %",
	} {
		require.Equal(t, want, Label(metric))
	}
	seen := map[string]bool{}
	for _, m := range misd.Metrics() {
		require.False(t, seen[Label(m.Name)], "two metrics have the label %s", Label(m.Name))
		seen[Label(m.Name)] = true
	}
	require.Equal(t, []float64{1000, 1000, 100, 100, 1}, []float64{Scale("aurc_tu"), Scale("eaurc"), Scale("auroc"), Scale("ece"), Scale("nll")})
}
