package report_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nb"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

// What notebooks show as tables.
var _, _ nb.Renderer = (*report.Report)(nil), (*report.Comparison)(nil)

func evaluate(t testing.TB, run *misd.Run, opts report.Options) *report.Report {
	t.Helper()
	rep, err := report.Evaluate(run, opts)
	require.NoError(t, err)
	return rep
}

func TestEvaluateAgainstOfficialMetrics(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: -1})
	require.Len(t, rep.Rows, len(goldenScores))
	for _, row := range rep.Rows {
		want := f.Float64("metrics_" + row.Score) // AURC, AUROC, FPR95 of the official code
		require.InDelta(t, want[1], row.Metrics["auroc"].Value, 1e-9, row.Score)
		require.InDelta(t, want[2], row.Metrics["fpr95_error_rat"].Value, 1e-9, row.Score)
		require.False(t, row.Metrics["aurc"].HasInterval())
	}
	require.InDelta(t, .778, rep.Probabilities["accuracy"].Value, 1e-12)
}

func TestIntervalsHoldTheValue(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: 200, Seed: 4})
	for _, row := range rep.Rows {
		for _, m := range report.Headline() {
			e := row.Metrics[m]
			require.True(t, e.Lower < e.Value && e.Value < e.Upper, "%s %s: %+v", row.Score, m, e)
		}
	}
	again := evaluate(t, goldenRun(t), report.Options{Resamples: 200, Seed: 4})
	other := evaluate(t, goldenRun(t), report.Options{Resamples: 200, Seed: 5})
	require.Equal(t, rep.Rows[0].Metrics["aurc"], again.Rows[0].Metrics["aurc"])
	require.NotEqual(t, rep.Rows[0].Metrics["aurc"].Lower, other.Rows[0].Metrics["aurc"].Lower)
	wide := evaluate(t, goldenRun(t), report.Options{Resamples: 200, Seed: 4, Level: .5})
	require.Greater(t, wide.Rows[0].Metrics["aurc"].Lower, rep.Rows[0].Metrics["aurc"].Lower)
}

func TestScoresThatRankAlikeGetTheSameMetrics(t *testing.T) {
	run := goldenRun(t)
	twice := slices.Clone(run.Scores[0].Values)
	for i := range twice {
		twice[i] = 2*twice[i] - 5
	}
	flipped := slices.Clone(run.Scores[0].Values)
	for i := range flipped {
		flipped[i] = -flipped[i]
	}
	run.Scores = append(run.Scores[:1], misd.Score{Name: "twice", Values: twice}, misd.Score{Name: "flipped", Values: flipped})
	rep := evaluate(t, run, report.Options{Resamples: 50})
	require.Equal(t, rep.Rows[0].Metrics["aurc"], rep.Rows[1].Metrics["aurc"])
	require.InDelta(t, 1-rep.Rows[0].Metrics["auroc"].Value, rep.Rows[2].Metrics["auroc"].Value, 1e-12)
}

func TestScoresWithTiesRankDifferently(t *testing.T) {
	run := &misd.Run{Label: []int{0, 0, 0, 0}, Pred: []int{0, 0, 1, 1}, Classes: 2, Scores: []misd.Score{
		{Name: "distinct", Values: []float64{.9, .7, .8, .1}}, {Name: "tied", Values: []float64{.9, .8, .8, .1}}, {Name: "constant", Values: []float64{1, 1, 1, 1}}}}
	rep := evaluate(t, run, report.Options{Resamples: -1})
	require.Equal(t, .75, rep.Row("distinct").Metrics["auroc"].Value)
	require.Equal(t, .875, rep.Row("tied").Metrics["auroc"].Value)
	require.Equal(t, .5, rep.Row("constant").Metrics["auroc"].Value)

	// The constant score has no aurc_relu, so it comes last whatever the order of the columns.
	slices.Reverse(run.Scores)
	rows := evaluate(t, run, report.Options{Resamples: -1}).Ranked("aurc_relu")
	require.True(t, math.IsNaN(rows[2].Metrics["aurc_relu"].Value))
	require.Equal(t, "constant", rows[2].Score)
}

func TestNoBestOfOne(t *testing.T) {
	rep, err := evaluate(t, goldenRun(t), report.Options{Resamples: -1}).Select("MSR")
	require.NoError(t, err)
	require.NotContains(t, rep.String(), "103.2*")
	require.Contains(t, rep.String(), "103.2 ")
}

func TestSearchSummary(t *testing.T) {
	run := &misd.Run{Classes: 2, Scores: []misd.Score{{Name: "RR_fgsm", Cost: 7}}}
	for i := range 100 {
		run.Label, run.Pred = append(run.Label, 0), append(run.Pred, i%2)
		s := &run.Scores[0]
		s.Values = append(s.Values, float64(i))
		s.Evaluations = append(s.Evaluations, 100-i)
		s.Unflipped = append(s.Unflipped, i < 3)
	}
	rep := evaluate(t, run, report.Options{Resamples: -1})
	require.Equal(t, &report.Search{Mean: 50.5, Median: 50.5, P95: 95, Max: 100, Unflipped: 3}, rep.Row("RR_fgsm").Search)
	require.Nil(t, rep.Row("MSR"))
	require.Contains(t, rep.String(), "RR_fgsm: 50.5 forward passes an image after the gradient (median 50.5, 95th percentile 95, most 100), 3 images never flipped.")
}

func TestEvaluateErrors(t *testing.T) {
	nan := goldenRun(t)
	nan.Scores[2].Values[7] = math.NaN()
	badLogits := goldenRun(t)
	badLogits.Logits[25] = float32(math.Inf(1))
	for _, c := range []struct {
		run  *misd.Run
		opts report.Options
		want string
	}{
		{nil, report.Options{}, "there is no run"},
		{&misd.Run{}, report.Options{}, "the run has no scores"},
		{nan, report.Options{Resamples: -1}, "score HPS: misd: curve: confidence 7 is NaN"},
		{badLogits, report.Options{Resamples: -1}, "row 2, class 5"},
		{goldenRun(t), report.Options{Level: 1.5}, "level 1.5 is outside (0,1)"},
		{goldenRun(t), report.Options{Headline: []string{"fpr95"}}, `there is no metric "fpr95"`},
		{goldenRun(t), report.Options{Headline: []string{"nll"}}, "metric nll judges the classifier"},
		{goldenRun(t), report.Options{Headline: []string{}}, "headline metrics is empty"},
	} {
		_, err := report.Evaluate(c.run, c.opts)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "report: ")
	}
	ctx, cancel := context.WithCancel(context.Background())
	opts := report.Options{Progress: func(done, total int, note string) { cancel() }}
	_, err := report.EvaluateContext(ctx, goldenRun(t), opts)
	require.ErrorIs(t, err, context.Canceled)
}

func TestProgress(t *testing.T) {
	var notes []string
	evaluate(t, goldenRun(t), report.Options{Resamples: -1, Progress: func(done, total int, note string) {
		notes = append(notes, note)
		require.Equal(t, len(notes), done)
		require.Equal(t, len(goldenScores), total)
	}})
	require.Equal(t, goldenScores, notes)
}

func TestSelectAndRanked(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: -1})
	few, err := rep.Select("RR_fgsm", "MSR")
	require.NoError(t, err)
	require.Len(t, rep.Rows, len(goldenScores), "the report itself is as before")
	require.Equal(t, "RR_fgsm", few.Rows[0].Score)
	require.Equal(t, "MSR", few.Run.Scores[1].Name)
	require.Equal(t, rep.Row("MSR"), few.Row("MSR"))
	_, err = rep.Select("RR_slow")
	require.ErrorContains(t, err, `no score "RR_slow", only [MSR`)

	up := rep.Ranked("auroc")
	down := rep.Ranked("aurc")
	require.Equal(t, "RR_exp", up[0].Score)
	require.Equal(t, "MLS", down[len(down)-1].Score)
	require.True(t, slices.IsSortedFunc(down, func(a, b report.Row) int {
		return int(math.Copysign(1, a.Metrics["aurc"].Value-b.Metrics["aurc"].Value))
	}))
}

func TestTextIsReadable(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: 100})
	s := rep.String()
	for _, line := range strings.Split(s, "\n") {
		if !strings.HasPrefix(line, "RR_fgsm: ") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 120, line)
		}
	}
	require.Less(t, strings.Index(s, "RR_exp "), strings.Index(s, "MLS "), "best first")
	require.Contains(t, s, "95.60*[")
	require.Contains(t, s, "accuracy 77.80 [")
	require.Equal(t, 5, strings.Count(s, "*["), "one best value a metric:\n%s", s)
	plain := evaluate(t, goldenRun(t), report.Options{Resamples: -1}).String()
	require.NotContains(t, plain, "[")
}

func TestMarkdownAndHTML(t *testing.T) {
	run := goldenRun(t)
	run.Model, run.Scores[0].Name = "a<b>", "x|<y>"
	rep := evaluate(t, run, report.Options{Resamples: 100})
	md := rep.Markdown()
	require.Contains(t, md, "| RR_exp | **95.60** [")
	require.Contains(t, md, `| x\|&lt;y> |`)
	rows := 0
	for _, line := range strings.Split(md, "\n") {
		if strings.HasPrefix(line, "|") {
			rows++
			require.Equal(t, 8, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), line)
		}
	}
	require.Equal(t, 2+len(goldenScores), rows)

	html := rep.HTML()
	require.Contains(t, html, "a&lt;b&gt; on stripes")
	require.Contains(t, html, "x|&lt;y&gt;")
	require.Contains(t, html, "<b>95.60</b> [")
	require.NotContains(t, html, "<y>")
}

// degenerate runs have metrics that do not exist.
func degenerate() map[string]*misd.Run {
	values := []float64{.9, .8, .8, .1}
	run := func(pred ...int) *misd.Run {
		return &misd.Run{Label: make([]int, len(pred)), Pred: pred, Classes: 2, Scores: []misd.Score{
			{Name: "MSR", Values: values[:len(pred)]}, {Name: "MLS", Values: values[:len(pred)]}}}
	}
	return map[string]*misd.Run{"all right": run(0, 0, 0, 0), "all wrong": run(1, 1, 1, 1), "one": run(0), "empty": run()}
}

func TestDegenerateRuns(t *testing.T) {
	for name, run := range degenerate() {
		t.Run(name, func(t *testing.T) {
			rep := evaluate(t, run, report.Options{Resamples: 20})
			require.True(t, math.IsNaN(rep.Rows[0].Metrics["auroc"].Value))
			s := rep.String()
			require.Contains(t, s, "– auroc: ")
			require.NotContains(t, s, "NaN")
			require.NotContains(t, s, "–*")
			c, err := report.Compare(rep, rep)
			require.NoError(t, err)
			require.NotContains(t, c.String(), "NaN")

			data, err := json.Marshal(rep)
			require.NoError(t, err)
			var got struct {
				Scores map[string]map[string]struct {
					Value     *float64
					Low, High *float64
					Reason    string
				}
			}
			require.NoError(t, json.Unmarshal(data, &got))
			require.Nil(t, got.Scores["MSR"]["auroc"].Value)
			require.NotEmpty(t, got.Scores["MSR"]["auroc"].Reason)
			for _, ext := range []string{".csv", ".md", ".html", ".txt", ".json"} {
				require.NoError(t, rep.Save(filepath.Join(t.TempDir(), "r"+ext)))
			}
		})
	}
}

func TestCompare(t *testing.T) {
	rat := evaluate(t, goldenRun(t), report.Options{Resamples: 100})
	run := goldenRun(t)
	run.Model, run.Scores = "plain", run.Scores[:9]
	for i := range 40 {
		run.Pred[i*20] = run.Label[i*20]
	}
	run.Logits = nil
	plain := evaluate(t, run, report.Options{Resamples: 100})
	c, err := report.Compare(plain, rat)
	require.NoError(t, err)
	s := c.String()
	for _, line := range strings.Split(s, "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 120, line)
	}
	require.Contains(t, s, "RAT on stripes: 1000 images, 222 errors")
	require.Regexp(t, `AURC ×1000 +AUGRC ×1000 +AUROC %`, s)
	require.Regexp(t, `score +plain +RAT +plain +RAT`, s)
	require.Regexp(t, `(?m)^RR_exp +\d\d\.\d\d\*?±\d+ +95\.60\*±\d+ `, s)
	require.Regexp(t, `(?m)^RR_fgsm +99\.00 ±\d+ +61\.36 .* 27$`, s, "a gap where only one classifier has the score")
	require.Less(t, strings.Index(s, "RR_soft "), strings.Index(s, "thr "), "in the order of the last classifier, though the first has no RR_soft")
	require.Contains(t, c.HTML(), `colspan="2"`)
	require.Contains(t, c.Markdown(), "| AURC ×1000 plain | AURC ×1000 RAT |")

	odd := goldenRun(t)
	odd.Model = "<b>"
	escaped, err := report.Compare(plain, evaluate(t, odd, report.Options{Resamples: -1}))
	require.NoError(t, err)
	require.Contains(t, escaped.HTML(), ">&lt;b&gt;</th>")

	long := goldenRun(t)
	long.Model = "a very long name"
	c, err = report.Compare(rat, evaluate(t, long, report.Options{Resamples: -1}))
	require.NoError(t, err)
	require.Contains(t, c.String(), "B: a very long name on stripes.")
	require.Regexp(t, `score +A +B +A +B`, c.String())

	_, err = report.Compare()
	require.ErrorContains(t, err, "nothing to compare")
	_, err = report.Compare(rat, nil)
	require.ErrorContains(t, err, "report 2 of 2 is empty")
}

func TestMetricsJSON(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: 50, Seed: 9})
	path := filepath.Join(t.TempDir(), "metrics.json")
	require.NoError(t, rep.Save(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var got struct {
		Dataset, Model string
		Images, Errors int
		Accuracy       float64
		Bootstrap      struct{ Resamples, Seed int }
		Probabilities  map[string]map[string]float64
		Scores         map[string]map[string]map[string]float64
		Cost           map[string]float64            `json:"cost_forward_equivalents"`
		Evaluations    float64                       `json:"forward_evaluations_per_image"`
		Searches       map[string]map[string]float64 `json:"forward_evaluations"`
	}
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, "stripes", got.Dataset)
	require.Equal(t, "RAT", got.Model)
	require.Equal(t, 1000, got.Images)
	require.Equal(t, 222, got.Errors)
	require.InDelta(t, .778, got.Accuracy, 1e-12)
	require.Equal(t, 50, got.Bootstrap.Resamples)
	require.Equal(t, 9, got.Bootstrap.Seed)
	require.Len(t, got.Probabilities, 4)
	require.Len(t, got.Scores, len(goldenScores))
	for name, row := range got.Scores {
		want := rep.Row(name).Metrics
		require.Len(t, row, len(want))
		for m, e := range row {
			require.Equal(t, want[m].Value, e["value"])
			require.Equal(t, want[m].Lower, e["low"])
			require.Equal(t, want[m].Upper, e["high"])
		}
	}
	require.Equal(t, 27., got.Cost["RR_fgsm"])
	require.Equal(t, 24., got.Evaluations)
	require.Equal(t, 24., got.Searches["RR_fgsm"]["mean"])
}

func TestForwardEvaluationsOfSeveralSearches(t *testing.T) {
	run := goldenRun(t)
	for _, name := range []string{"RR_fast", "RR_exp"} {
		run.Score(name).Evaluations = make([]int, run.Len())
	}
	mean := func(run *misd.Run) any {
		data, err := json.Marshal(evaluate(t, run, report.Options{Resamples: -1}))
		require.NoError(t, err)
		var got map[string]any
		require.NoError(t, json.Unmarshal(data, &got))
		return got["forward_evaluations_per_image"]
	}
	require.Equal(t, 24., mean(run))
	run.Score("RR_fgsm").Evaluations = nil
	require.Nil(t, mean(run), "which of two searches is meant is not clear")
	run.Score("RR_exp").Evaluations = nil
	require.Equal(t, 0., mean(run))
}

func TestMetricsCSV(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: -1})
	c, err := report.Compare(rep, rep)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "metrics.csv")
	require.NoError(t, c.Save(path))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+2*len(goldenScores))
	at := slices.Index(rows[0], "auroc")
	v, err := strconv.ParseFloat(rows[1][at], 64)
	require.NoError(t, err)
	require.Equal(t, rep.Rows[0].Metrics["auroc"].Value, v)
	require.Equal(t, []string{"stripes", "RAT", "MSR", "1", ""}, rows[1][:5])
	require.Equal(t, "24", rows[len(rows)-1][4])
}

func TestSaveErrors(t *testing.T) {
	rep := evaluate(t, goldenRun(t), report.Options{Resamples: -1})
	require.ErrorContains(t, rep.Save("x.pdf"), `x.pdf: the ending ".pdf" is none of`)
	require.ErrorContains(t, rep.Save(filepath.Join(t.TempDir(), "no", "m.json")), "create it first")
}
