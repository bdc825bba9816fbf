package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// String returns the means as text, best first by the first headline metric. With seeds or splits alone, ± is their
// standard deviation; with both, a column of its own holds that over splits.
func (r *Repeats) String() string { return r.grid().text() }

// Markdown returns the table of [Repeats.String] as Markdown, the best means in bold.
func (r *Repeats) Markdown() string { return r.grid().markdown() }

// HTML returns the table of [Repeats.String] as HTML, the best means in bold.
func (r *Repeats) HTML() string { return r.grid().html() }

// LaTeX returns the table of [Repeats.String] as a tabular for the booktabs package.
func (r *Repeats) LaTeX() string { return r.grid().latex() }

// Save writes the table in the format that the ending of path names, as [Report.Save] does; .json and .csv hold all
// metrics as plain fractions, .json every single value too.
func (r *Repeats) Save(path string) error { return save(path, r) }

func (r *Repeats) grid() grid {
	first := r.Reports[0][0]
	headline := first.Options.Headline
	both := r.seeds() > 1 && r.splits() > 1
	g := grid{title: r.title(), best: "best mean", columns: []column{{name: "score"}}, notes: r.notes()}
	for _, m := range headline {
		if both {
			g.columns = append(g.columns, column{group: Label(m), name: "mean ± seeds", right: true}, column{group: Label(m), name: "± splits", right: true})
		} else {
			g.columns = append(g.columns, column{name: Label(m), right: true})
		}
	}
	g.columns = append(g.columns, column{name: "cost", right: true})
	for _, row := range ranked(r.Rows, headline[0], func(row RepeatedRow) float64 { return row.Metrics[headline[0]].Mean }) {
		cells := []cell{{value: row.Score}}
		for _, m := range headline {
			s := row.Metrics[m]
			best := ranked(r.Rows, m, func(row RepeatedRow) float64 { return row.Metrics[m].Mean })[0].Metrics[m].Mean
			c := cell{value: significant(s.Mean*Scale(m), 4), best: len(r.Rows) > 1 && same(s.Mean, best)}
			over := s.Seeds
			if r.seeds() == 1 {
				over = s.Splits
			}
			if !math.IsNaN(over) {
				c.high = significant(over*Scale(m), 2)
			}
			cells = append(cells, c)
			if both {
				cells = append(cells, cell{value: significant(s.Splits*Scale(m), 2)})
			}
		}
		g.rows = append(g.rows, append(cells, cell{value: formatCost(row.Cost)}))
	}
	return g
}

func (r *Repeats) seeds() int  { return len(r.Reports) }
func (r *Repeats) splits() int { return len(r.Reports[0]) }

func (r *Repeats) title() []string {
	run := *r.Reports[0][0].Run
	if r.seeds() > 1 {
		run.Model = strings.Join(r.models(), ", ")
	}
	lines := []string{fmt.Sprintf("%s: %s, %s", name(&run), count(r.seeds(), "training seed"), count(r.splits(), "split"))}
	if r.Probabilities == nil {
		return lines
	}
	var parts []string
	for _, m := range []string{"accuracy", "nll", "brier", "ece"} {
		s := r.Probabilities[m]
		text := strings.TrimSuffix(Label(m), " %") + " " + significant(s.Mean*Scale(m), 4)
		for _, kind := range []struct {
			name string
			sd   float64
		}{{"seeds", s.Seeds}, {"splits", s.Splits}} {
			if !math.IsNaN(kind.sd) {
				text += " ± " + significant(kind.sd*Scale(m), 2) + " (" + kind.name + ")"
			}
		}
		parts = append(parts, text)
	}
	return append(lines, strings.Join(parts, ", "))
}

// models lists the names of the classifiers, each once.
func (r *Repeats) models() []string {
	var names []string
	seen := map[string]bool{"": true}
	for _, splits := range r.Reports {
		if m := splits[0].Run.Model; !seen[m] {
			seen[m] = true
			names = append(names, m)
		}
	}
	return names
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (r *Repeats) notes() []string {
	headline := r.Reports[0][0].Options.Headline
	notes := []string{direction(headline)}
	if r.seeds() > 1 {
		notes = append(notes, fmt.Sprintf("± seeds: standard deviation over %d trainings.", r.seeds()))
	}
	if r.splits() > 1 {
		notes = append(notes, fmt.Sprintf("± splits: standard deviation over %d splits into validation and test images, of one training.", r.splits()))
	}
	if r.seeds() > 1 != (r.splits() > 1) {
		notes[1] = strings.NewReplacer("± seeds", "±", "± splits", "±").Replace(notes[1])
	}
	notes[len(notes)-1] += " cost: forward equivalents an image."
	var rows []Row
	for _, row := range r.Rows {
		e := misd.Evaluation{}
		for m, s := range row.Metrics {
			e[m] = misd.Estimate{Reason: s.Reason}
		}
		rows = append(rows, Row{Metrics: e})
	}
	return append(notes, reasons(rows, headline)...)
}

type spreadJSON struct {
	Mean   misd.Float     `json:"mean"`
	Seeds  *misd.Float    `json:"sd_seeds,omitempty"`
	Splits *misd.Float    `json:"sd_splits,omitempty"`
	Reason string         `json:"reason,omitempty"`
	Values [][]misd.Float `json:"values"`
}

// MarshalJSON implements [json.Marshaler]. Under "scores" is an object a score, in it an object a metric with mean,
// sd_seeds, sd_splits (left out where there is one only) and values[seed][split].
func (r *Repeats) MarshalJSON() ([]byte, error) {
	out := struct {
		Dataset       string                           `json:"dataset"`
		Models        []string                         `json:"models"`
		Seeds         int                              `json:"seeds"`
		Splits        int                              `json:"splits"`
		Probabilities map[string]spreadJSON            `json:"probabilities,omitempty"`
		Scores        map[string]map[string]spreadJSON `json:"scores"`
	}{r.Reports[0][0].Run.Dataset, r.models(), r.seeds(), r.splits(), nil, map[string]map[string]spreadJSON{}}
	if r.Probabilities != nil {
		out.Probabilities = spreadsJSON(r.Probabilities)
	}
	for _, row := range r.Rows {
		out.Scores[row.Score] = spreadsJSON(row.Metrics)
	}
	return json.Marshal(out)
}

func spreadsJSON(spreads map[string]Spread) map[string]spreadJSON {
	out := map[string]spreadJSON{}
	for m, s := range spreads {
		j := spreadJSON{Mean: misd.Float(s.Mean), Seeds: known(s.Seeds), Splits: known(s.Splits), Reason: s.Reason}
		for _, splits := range s.Values {
			var values []misd.Float
			for _, v := range splits {
				values = append(values, misd.Float(v))
			}
			j.Values = append(j.Values, values)
		}
		out[m] = j
	}
	return out
}

// known returns nil for NaN.
func known(v float64) *misd.Float {
	if math.IsNaN(v) {
		return nil
	}
	f := misd.Float(v)
	return &f
}

func (r *Repeats) records() [][]string {
	lines := [][]string{{"score", "metric", "mean", "sd_seeds", "sd_splits", "seeds", "splits"}}
	for _, row := range r.Rows {
		for _, m := range scoreMetrics() {
			s := row.Metrics[m]
			lines = append(lines, []string{row.Score, m, formatFloat(s.Mean), formatFloat(s.Seeds), formatFloat(s.Splits),
				fmt.Sprint(r.seeds()), fmt.Sprint(r.splits())})
		}
	}
	return lines
}
