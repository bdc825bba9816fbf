package report_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nb"
	"github.com/ratml/rat/ratml/report"
	"github.com/stretchr/testify/require"
)

// judgement is what every table offers.
type judgement interface {
	nb.Renderer
	json.Marshaler
	Markdown() string
	LaTeX() string
	Save(path string) error
}

var quick = report.Options{Resamples: 50, Headline: []string{"aurc", "auroc"}}

// judgements has one table of each kind, of a run that may be degenerate.
func judgements(t *testing.T, run *misd.Run) map[string]judgement {
	t.Helper()
	rep := evaluate(t, run, quick)
	out := map[string]judgement{"report": rep}
	add := func(name string, j judgement, err error) {
		require.NoError(t, err, name)
		out[name] = j
	}
	both, err := report.Compare(rep, rep)
	add("comparison", both, err)
	repeats, err := report.Repeat([][]*report.Report{{rep, rep}, {rep, rep}, {rep, rep}})
	add("repeats", repeats, err)
	splits, err := report.Splits(rep)
	add("one split", splits, err)
	scores, err := report.CompareScores(t.Context(), run, "", quick)
	add("scores", scores, err)
	nets, err := report.CompareNets(t.Context(), run, []*misd.Run{run}, quick)
	add("nets", nets, err)
	ranks, err := report.Rank("", rep, rep)
	add("ranks", ranks, err)
	if run.Len() > 0 {
		groups, err := report.EvaluateGroups(t.Context(), run, "class", report.ClassNames(run.Label, nil), quick)
		add("groups", groups, err)
		shift, err := report.EvaluateShift(t.Context(), misd.Joint, run, []misd.Shift{{Run: run, Novel: true}}, quick)
		add("shift", shift, err)
	}
	return out
}

func TestEveryTableInEveryFormat(t *testing.T) {
	golden, err := goldenRun(t).Subset([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
	require.NoError(t, err)
	golden.Scores = golden.Scores[:3]
	runs := degenerate()
	delete(runs, "empty")
	runs["usual"] = golden
	constant := &misd.Run{Label: []int{0, 0, 1, 1}, Pred: []int{0, 1, 1, 0}, Classes: 2, Scores: []misd.Score{
		{Name: "a&b_c", Values: []float64{1, 1, 1, 1}}, {Name: "[x]|*", Values: []float64{2, 2, 2, 2}}}}
	runs["constant"] = constant
	for kind, run := range runs {
		for name, j := range judgements(t, run) {
			t.Run(kind+"/"+name, func(t *testing.T) { checkFormats(t, j) })
		}
	}
}

func checkFormats(t *testing.T, j judgement) {
	for _, s := range []string{j.String(), j.Markdown(), j.HTML(), j.LaTeX()} {
		require.NotContains(t, s, "NaN")
		require.NotContains(t, s, "%!")
	}
	data, err := json.Marshal(j)
	require.NoError(t, err)
	require.True(t, json.Valid(data))
	checkMarkdown(t, j.Markdown())
	checkLaTeX(t, j.LaTeX())
	dir := t.TempDir()
	for _, ext := range []string{".json", ".csv", ".md", ".html", ".tex", ".txt"} {
		require.NoError(t, j.Save(filepath.Join(dir, "t"+ext)))
	}
	require.ErrorContains(t, j.Save(filepath.Join(dir, "t.pdf")), "is none of .json")
	require.ErrorContains(t, j.Save(filepath.Join(dir, "no", "t.tex")), "create it first")
	tex, err := os.ReadFile(filepath.Join(dir, "t.tex"))
	require.NoError(t, err)
	require.Equal(t, j.LaTeX(), string(tex))
	f, err := os.Open(filepath.Join(dir, "t.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll() // all lines of one length
	require.NoError(t, err)
	require.Greater(t, len(rows), 1)
}

func checkMarkdown(t *testing.T, md string) {
	columns := 0
	for _, line := range strings.Split(md, "\n") {
		if strings.HasPrefix(line, "|") {
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if columns == 0 {
				columns = n
			}
			require.Equal(t, columns, n, line)
		}
	}
	require.Positive(t, columns)
}

// checkLaTeX counts the cells of each line, special characters escaped.
func checkLaTeX(t *testing.T, tex string) {
	_, body, ok := strings.Cut(tex, `\begin{tabular}{`)
	require.True(t, ok)
	alignment, body, _ := strings.Cut(body, "}\n")
	body, _, ok = strings.Cut(body, `\end{tabular}`)
	require.True(t, ok)
	body = strings.NewReplacer(`\&`, "", `\_`, "", `\%`, "", `\#`, "", `\$`, "").Replace(body)
	for _, line := range strings.Split(body, "\n") {
		cells, isRow := strings.CutSuffix(line, `\\`)
		if !isRow {
			continue
		}
		n := 1 + strings.Count(cells, "&")
		for _, span := range strings.Split(cells, `\multicolumn{`)[1:] {
			n += int(span[0]-'0') - 1
		}
		require.Equal(t, len(alignment), n, line)
		require.NotContains(t, cells, "_")
		require.NotContains(t, cells, "%")
		require.Zero(t, strings.Count(cells, "$")%2, line)
		require.Equal(t, strings.Count(cells, "{"), strings.Count(cells, "}"), line)
		require.False(t, strings.HasPrefix(cells, "["), line)
	}
	for _, rule := range []string{"\\toprule\n", "\\midrule\n", "\\bottomrule\n"} {
		require.Equal(t, 1, strings.Count(tex, rule))
	}
}

func TestLaTeXEscapes(t *testing.T) {
	run := &misd.Run{Label: []int{0, 0}, Pred: []int{0, 1}, Classes: 2, Model: "100 %\nnet", Scores: []misd.Score{{Name: `[a_b & c%$#{}~^<1`, Values: []float64{2, 1}}}}
	tex := evaluate(t, run, report.Options{Resamples: -1}).LaTeX()
	require.Contains(t, tex, "\n"+`{[}a\_b \& c\%\$\#\{\}\textasciitilde{}\textasciicircum{}$<$1 & `)
	require.Contains(t, tex, "% 100 % net: 2 images, 1 errors\n")
	require.Contains(t, tex, `AURC $\times$1000`)
}

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
