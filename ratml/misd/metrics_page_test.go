package misd_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/stretchr/testify/require"
)

// TestMetricsPage checks that METRICS.md has every metric, with its direction and behaviour under ties, and that the
// numbers of its worked table are what is computed.
func TestMetricsPage(t *testing.T) {
	text, err := os.ReadFile("METRICS.md")
	require.NoError(t, err)
	page := string(text)
	for _, m := range misd.Metrics() {
		better, ties := "lower", "no"
		if m.HigherIsBetter {
			better = "higher"
		}
		if m.TieSafe {
			ties = "yes"
		}
		if m.NeedsProbabilities {
			ties = "–"
		}
		row := regexp.MustCompile("(?m)^\\|.*`" + m.Name + "`.*$").FindString(page)
		if want := fmt.Sprintf("| %s | %s |", better, ties); !strings.HasSuffix(row, want) {
			t.Errorf("%s: the first row with it is %q, want one that ends in %q", m.Name, row, want)
		}
	}

	confidence := []float64{.9, .9, .9, .7, .7, .5, .5, .3}
	for column, right := range []string{"10110100", "01101010"} {
		var correct []bool
		for _, c := range right {
			correct = append(correct, c == '1')
		}
		curve, err := misd.NewCurve(confidence, correct)
		require.NoError(t, err)
		evaluation, err := misd.Bootstrap{}.Evaluate(t.Context(), curve, nil)
		require.NoError(t, err)
		rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([\\d.]+) \\| ([\\d.]+) \\|$").FindAllStringSubmatch(page, -1)
		require.Greater(t, len(rows), 10)
		for _, row := range rows {
			require.Equal(t, row[2+column], fmt.Sprintf("%.4f", evaluation[row[1]].Value), "%s, order %s", row[1], right)
		}
	}
}
