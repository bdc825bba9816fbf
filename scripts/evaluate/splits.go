package main

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"

	"github.com/google/renameio/v2"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// spread is a metric over several splits.
type spread struct {
	Mean   misd.Float   `json:"mean"`
	SD     misd.Float   `json:"sd"` // n-1 in the denominator
	Values []misd.Float `json:"values"`
}

func newSpread(values []float64) spread {
	mean, sd := stat.MeanStdDev(values, nil)
	s := spread{Mean: misd.Float(mean), SD: misd.Float(sd)}
	for _, v := range values {
		s.Values = append(s.Values, misd.Float(v))
	}
	return s
}

// over returns a metric of a score in each report.
func over(reports []*report.Report, row int, metric string) spread {
	var values []float64
	for _, r := range reports {
		values = append(values, r.Rows[row].Metrics[metric].Value)
	}
	return newSpread(values)
}

// aggregate writes metrics.json of several splits: every metric of every score with its mean and spread.
func (j judgement) aggregate(out string, reports []*report.Report) error {
	if len(reports) == 1 {
		return nil
	}
	scores := map[string]map[string]spread{}
	for i, row := range reports[0].Rows {
		scores[row.Score] = map[string]spread{}
		for metric := range row.Metrics {
			scores[row.Score][metric] = over(reports, i, metric)
		}
	}
	data, err := json.MarshalIndent(map[string]any{
		"dataset": j.Dataset, "model": j.Title(), "splits": len(reports), "images_per_split": j.Images, "scores": scores,
	}, "", " ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(out, "metrics.json"), append(data, '\n'), 0o644, renameio.WithTempDir(out))
}

// table returns the leaderboard, of several splits with mean and standard deviation.
func (j judgement) table(reports []*report.Report) string {
	if len(reports) == 1 {
		return reports[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s: mean ± standard deviation over %d splits of the test images, one classifier\n", j.Title(), j.Dataset, len(reports))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "score")
	for _, m := range report.Headline() {
		fmt.Fprint(w, "\t", report.Label(m))
	}
	fmt.Fprintln(w)
	for i, row := range reports[0].Rows {
		fmt.Fprint(w, row.Score)
		for _, m := range report.Headline() {
			s, f := over(reports, i, m), report.Scale(m)
			fmt.Fprintf(w, "\t%s ± %s", digits(float64(s.Mean)*f), digits(float64(s.SD)*f))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}

func digits(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.4g", v)
}
