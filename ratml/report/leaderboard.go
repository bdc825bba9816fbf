package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// String returns the leaderboard as text: one line a score, best first by the first headline metric, areas under risk
// curves times 1000 and rates in percent, each with its interval. It is at most 120 columns wide for the default
// headline and names of up to 12 letters.
func (r *Report) String() string { return r.grid().text() }

// Markdown returns the leaderboard as a Markdown table, the best values in bold.
func (r *Report) Markdown() string { return r.grid().markdown() }

// HTML returns the leaderboard as an HTML table, the best values in bold.
func (r *Report) HTML() string { return r.grid().html() }

// LaTeX returns the leaderboard as a tabular for the booktabs package, the best values in bold, title and notes as
// comments.
func (r *Report) LaTeX() string { return r.grid().latex() }

func (r *Report) grid() grid {
	g := grid{title: r.title(), best: "best", columns: []column{{name: "score"}}}
	for _, m := range r.Options.Headline {
		g.columns = append(g.columns, column{name: Label(m), right: true})
	}
	g.columns = append(g.columns, column{name: "cost", right: true})
	for _, row := range r.Ranked(r.Options.Headline[0]) {
		cells := []cell{{value: row.Score}}
		for _, m := range r.Options.Headline {
			cells = append(cells, newCell(m, row.Metrics[m], r.isBest(m, row)))
		}
		g.rows = append(g.rows, append(cells, cell{value: formatCost(row.Cost)}))
	}
	g.notes = r.notes()
	return g
}

// title names the classifier and says how good it is without any score.
func (r *Report) title() []string {
	n, wrong := r.Run.Len(), r.errors()
	head := fmt.Sprintf("%s: %d images, %d errors", name(r.Run), n, wrong)
	if r.Probabilities == nil {
		return []string{head}
	}
	var parts []string
	for _, m := range []string{"accuracy", "nll", "brier", "ece"} {
		c := newCell(m, r.Probabilities[m], false).marked("", "", func(s string) string { return s })
		if unit := unitOf(m).suffix; unit != "" {
			c += " " + unit
		}
		parts = append(parts, strings.TrimSuffix(Label(m), " %")+" "+c)
	}
	return []string{head, strings.Join(parts, ", ")}
}

func name(run *misd.Run) string {
	switch {
	case run.Model == "" && run.Dataset == "":
		return "Scores"
	case run.Dataset == "":
		return run.Model
	case run.Model == "":
		return run.Dataset
	}
	return run.Model + " on " + run.Dataset
}

// isBest tells whether no other score does better by the metric.
func (r *Report) isBest(metric string, row Row) bool {
	best := r.Ranked(metric)[0].Metrics[metric].Value
	return len(r.Rows) > 1 && same(row.Metrics[metric].Value, best)
}

// same ignores what summing in another order does.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(1, math.Abs(b)) }

func formatCost(cost float64) string {
	if cost == 0 {
		return undefined
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", cost), ".0")
}

func (r *Report) notes() []string {
	notes := []string{direction(r.Options.Headline)}
	if r.Options.Resamples > 0 {
		notes = append(notes, fmt.Sprintf("[low high]: %g %% interval over images, %d bootstrap resamples, seed %d.",
			100*r.Options.Level, r.Options.Resamples, r.Options.Seed))
	}
	notes[len(notes)-1] += " cost: forward equivalents an image."
	notes = append(notes, r.searches()...)
	return append(notes, reasons(r.Rows, r.Options.Headline)...)
}

// searches says what each search cost.
func (r *Report) searches() []string {
	var notes []string
	for _, row := range r.Rows {
		if s := row.Search; s != nil {
			notes = append(notes, fmt.Sprintf("%s: %.1f forward passes an image after the gradient (median %g, 95th percentile %g, most %d), %d images never flipped.",
				row.Score, s.Mean, s.Median, s.P95, s.Max, s.Unflipped))
		}
	}
	return notes
}

// direction says what is better.
func direction(metrics []string) string {
	var up, down []string
	for _, name := range metrics {
		label, _, _ := strings.Cut(Label(name), " ")
		if m, _ := misd.LookupMetric(name); m.HigherIsBetter {
			up = append(up, label)
		} else {
			down = append(down, label)
		}
	}
	var parts []string
	if len(down) > 0 {
		parts = append(parts, "Lower is better: "+strings.Join(down, ", ")+".")
	}
	if len(up) > 0 {
		parts = append(parts, "Higher is better: "+strings.Join(up, ", ")+".")
	}
	return strings.Join(parts, " ")
}

// reasons says why values are missing.
func reasons(rows []Row, metrics []string) []string {
	found := map[string]bool{}
	for _, row := range rows {
		for _, m := range metrics {
			if reason := row.Metrics[m].Reason; reason != "" {
				found[fmt.Sprintf("%s %s: %s.", undefined, m, reason)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
