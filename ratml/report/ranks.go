package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/misd"
	"gonum.org/v1/gonum/stat/distuv"
)

// Ranks compares scores over several data sets by their rank on each, which unlike a mean of the metric does not let the
// hardest data set decide (Demšar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets").
type Ranks struct {
	Metric   string
	DataSets []string  // the columns, those where the metric is undefined for every score left out
	Rows     []RankRow // smallest mean rank first
	// Friedman is the p-value of Friedman's test that all scores are equally good (chi-squared, corrected for ties), an
	// approximation that wants about ten data sets or more; NaN for fewer than two scores or data sets, and where all
	// ranks tie.
	Friedman float64
	Notes    []string // what was left out
}

// RankRow is the standing of one score.
type RankRow struct {
	Score  string
	Mean   float64   // mean rank; 1 is best everywhere
	Wins   int       // data sets where no score is better; a draw counts for all who share it
	Ranks  []float64 // by data set; equally good scores share the mean of their ranks
	Values []float64 // of the metric, by data set; undefined values share the last ranks
}

// Rank ranks by the metric ("" means the first headline metric of the first report) the scores that all reports have,
// one report a data set. It returns an error if there are no reports, if no score is in all of them, if the metric is
// not one of scores, or if it is undefined everywhere.
func Rank(metric string, reports ...*Report) (*Ranks, error) {
	for i, r := range reports {
		if r == nil || r.Run == nil {
			return nil, fmt.Errorf("report: rank: report %d of %d is empty", i+1, len(reports))
		}
	}
	if len(reports) == 0 {
		return nil, errors.New("report: rank: no reports")
	}
	if metric == "" {
		metric = reports[0].Options.Headline[0]
	}
	if m, ok := misd.LookupMetric(metric); !ok || m.NeedsProbabilities {
		return nil, fmt.Errorf("report: rank: %q is no metric of a score", metric)
	}
	out := &Ranks{Metric: metric}
	if err := out.enter(reports); err != nil {
		return nil, fmt.Errorf("report: rank: %w", err)
	}
	names := columnNames(reports)
	for i, r := range reports {
		var values []float64
		for _, row := range out.Rows {
			values = append(values, r.Row(row.Score).Metrics[metric].Value)
		}
		if !slices.ContainsFunc(values, func(v float64) bool { return !math.IsNaN(v) }) {
			out.Notes = append(out.Notes, fmt.Sprintf("%s is left out: %s is undefined for every score.", names[i], metric))
			continue
		}
		out.DataSets = append(out.DataSets, names[i])
		out.add(values)
	}
	if len(out.DataSets) == 0 {
		return nil, fmt.Errorf("report: rank: %s is undefined for every score of every report", metric)
	}
	out.finish()
	return out, nil
}

// enter makes a row of every score that all reports have.
func (r *Ranks) enter(reports []*Report) error {
	missing := map[string]bool{}
	for _, rep := range reports {
		for _, row := range rep.Rows {
			switch {
			case slices.ContainsFunc(reports, func(other *Report) bool { return other.Row(row.Score) == nil }):
				if !missing[row.Score] {
					r.Notes = append(r.Notes, fmt.Sprintf("%s is left out: not every data set has it.", row.Score))
				}
				missing[row.Score] = true
			case rep == reports[0]:
				r.Rows = append(r.Rows, RankRow{Score: row.Score})
			}
		}
	}
	if len(r.Rows) == 0 {
		return errors.New("no score is in every report")
	}
	return nil
}

// add ranks the values of one data set.
func (r *Ranks) add(values []float64) {
	for i := range r.Rows {
		better, equal := 0, 0
		for j := range values {
			switch c := compareRounded(r.Metric, values[j], values[i]); {
			case c < 0:
				better++
			case c == 0:
				equal++
			}
		}
		row := &r.Rows[i]
		row.Ranks = append(row.Ranks, float64(better)+float64(equal+1)/2)
		row.Values = append(row.Values, values[i])
		row.Wins += btoi(better == 0)
	}
}

// compareRounded is compareValues that ignores what summing in another order does.
func compareRounded(metric string, x, y float64) int {
	if same(x, y) {
		return 0
	}
	return compareValues(metric, x, y)
}

func (r *Ranks) finish() {
	k, n := float64(len(r.Rows)), float64(len(r.DataSets))
	between, all := 0.0, 0.0
	for i := range r.Rows {
		row := &r.Rows[i]
		sum := 0.0
		for _, rank := range row.Ranks {
			sum += rank
			all += (rank - (k+1)/2) * (rank - (k+1)/2)
		}
		row.Mean = sum / n
		between += (row.Mean - (k+1)/2) * (row.Mean - (k+1)/2)
	}
	r.Friedman = math.NaN()
	if k > 1 && n > 1 && all > 0 {
		chi := n * n * (k - 1) * between / all
		r.Friedman = distuv.ChiSquared{K: k - 1}.Survival(chi)
	}
	slices.SortStableFunc(r.Rows, func(a, b RankRow) int { return compareValues("", a.Mean, b.Mean) })
}

// columnNames names reports by data set, by classifier, or by both, whichever tells them apart.
func columnNames(reports []*Report) []string {
	for _, by := range []func(*misd.Run) string{
		func(r *misd.Run) string { return r.Dataset }, func(r *misd.Run) string { return r.Model }, name} {
		var names []string
		for _, r := range reports {
			if n := by(r.Run); n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if len(names) == len(reports) {
			return names
		}
	}
	var names []string
	for i, r := range reports {
		names = append(names, fmt.Sprintf("%s #%d", name(r.Run), i+1))
	}
	return names
}

// String returns the ranks as text: mean rank, wins, and the rank on each data set.
func (r *Ranks) String() string { return r.grid().text() }

// Markdown returns the ranks as a Markdown table, those that won in bold.
func (r *Ranks) Markdown() string { return r.grid().markdown() }

// HTML returns the ranks as an HTML table, those that won in bold.
func (r *Ranks) HTML() string { return r.grid().html() }

// LaTeX returns the ranks as a tabular for the booktabs package.
func (r *Ranks) LaTeX() string { return r.grid().latex() }

// Save writes the ranks in the format that the ending of path names, as [Report.Save] does; .json and .csv hold the
// values of the metric too.
func (r *Ranks) Save(path string) error { return save(path, r) }

func (r *Ranks) grid() grid {
	g := grid{title: []string{fmt.Sprintf("Ranks by %s over %s", Label(r.Metric), count(len(r.DataSets), "data set"))}, best: "no score is better there",
		columns: []column{{name: "score"}, {name: "mean rank", right: true}, {name: "wins", right: true}}}
	for _, d := range r.DataSets {
		g.columns = append(g.columns, column{name: d, right: true})
	}
	for _, row := range r.Rows {
		cells := []cell{{value: row.Score}, {value: fmt.Sprintf("%.2f", row.Mean)}, {value: fmt.Sprint(row.Wins)}}
		for i, rank := range row.Ranks {
			c := cell{value: strings.TrimSuffix(fmt.Sprintf("%.1f", rank), ".0"), best: len(r.Rows) > 1}
			for _, other := range r.Rows {
				c.best = c.best && compareRounded(r.Metric, other.Values[i], row.Values[i]) >= 0
			}
			cells = append(cells, c)
		}
		g.rows = append(g.rows, cells)
	}
	g.notes = append(g.notes, "Rank 1 is best; equally good scores share the mean of their ranks, and each counts the win.")
	if !math.IsNaN(r.Friedman) {
		g.notes = append(g.notes, fmt.Sprintf("Friedman's test that all scores are equally good: p = %s.", formatP(r.Friedman)))
	}
	g.notes = append(g.notes, r.Notes...)
	return g
}

// MarshalJSON implements [json.Marshaler]: metric, datasets, friedman_p, and a list of scores, best first, with
// mean_rank, wins, ranks and values by data set.
func (r *Ranks) MarshalJSON() ([]byte, error) {
	type rowJSON struct {
		Score  string       `json:"score"`
		Mean   float64      `json:"mean_rank"`
		Wins   int          `json:"wins"`
		Ranks  []float64    `json:"ranks"`
		Values []misd.Float `json:"values"`
	}
	out := struct {
		Metric   string     `json:"metric"`
		DataSets []string   `json:"datasets"`
		Friedman misd.Float `json:"friedman_p"`
		Scores   []rowJSON  `json:"scores"`
		Notes    []string   `json:"notes,omitempty"`
	}{r.Metric, r.DataSets, misd.Float(r.Friedman), nil, r.Notes}
	for _, row := range r.Rows {
		j := rowJSON{row.Score, row.Mean, row.Wins, row.Ranks, nil}
		for _, v := range row.Values {
			j.Values = append(j.Values, misd.Float(v))
		}
		out.Scores = append(out.Scores, j)
	}
	return json.Marshal(out)
}

func (r *Ranks) records() [][]string {
	head := []string{"score", "mean_rank", "wins"}
	for _, d := range r.DataSets {
		head = append(head, d+"_rank", d+"_"+r.Metric)
	}
	lines := [][]string{head}
	for _, row := range r.Rows {
		line := []string{row.Score, formatFloat(row.Mean), fmt.Sprint(row.Wins)}
		for i := range r.DataSets {
			line = append(line, formatFloat(row.Ranks[i]), formatFloat(row.Values[i]))
		}
		lines = append(lines, line)
	}
	return lines
}
