package report_test

import (
	"encoding/csv"
	"encoding/json"
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
	if run.Len() > 0 {
		ranks, err := report.Rank("", rep, rep)
		add("ranks", ranks, err)
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
