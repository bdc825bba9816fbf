package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/ratml/rat/ratml/misd"
)

// Comparison is the leaderboard of several classifiers side by side.
type Comparison struct {
	Reports []*Report
}

// Compare puts reports side by side, in the order given. All tables follow the headline of the first; scores that only
// some of them have are shown with gaps. It returns an error if there are no reports or one of them is nil.
func Compare(reports ...*Report) (*Comparison, error) {
	if len(reports) == 0 {
		return nil, errors.New("report: nothing to compare")
	}
	for i, r := range reports {
		if r == nil || r.Run == nil {
			return nil, fmt.Errorf("report: report %d of %d is empty", i+1, len(reports))
		}
	}
	return &Comparison{Reports: slices.Clone(reports)}, nil
}

// String returns the comparison as text: one line a score, below each metric one column a classifier, the first metric
// with half the width of its interval. The best of a column is marked, scores are ordered by the last classifier.
func (c *Comparison) String() string { return c.grid().text() }

// Markdown returns the comparison as a Markdown table, the best values in bold.
func (c *Comparison) Markdown() string { return c.grid().markdown() }

// HTML returns the comparison as an HTML table, the best values in bold.
func (c *Comparison) HTML() string { return c.grid().html() }

// LaTeX returns the comparison as a tabular for the booktabs package, the best values in bold.
func (c *Comparison) LaTeX() string { return c.grid().latex() }

func (c *Comparison) grid() grid {
	first := c.Reports[0]
	names, legend := c.shortNames()
	g := grid{title: c.title(), best: "best score for that classifier", columns: []column{{name: "score"}}}
	g.notes = append(legend, c.notes()...)
	for _, m := range first.Options.Headline {
		for _, name := range names {
			g.columns = append(g.columns, column{group: Label(m), name: name, right: true})
		}
	}
	g.columns = append(g.columns, column{name: "cost", right: true})
	for _, score := range c.scores() {
		cells := []cell{{value: score}}
		cost := 0.0
		for i, m := range first.Options.Headline {
			for _, r := range c.Reports {
				row := r.Row(score)
				if row == nil {
					cells = append(cells, cell{})
					continue
				}
				cost = max(cost, row.Cost)
				cells = append(cells, comparedCell(m, row.Metrics[m], r.isBest(m, *row), i == 0))
			}
		}
		g.rows = append(g.rows, append(cells, cell{value: formatCost(cost)}))
	}
	return g
}

// comparedCell shows only half the width of the interval, and that where it is wanted, so that lines stay short.
func comparedCell(metric string, e misd.Estimate, best, interval bool) cell {
	c := newCell(metric, e, best)
	c.low, c.high = "", ""
	if interval && e.HasInterval() {
		c.high = significant((e.Upper-e.Lower)/2*Scale(metric), 2)
	}
	return c
}

// scores lists the scores of all reports, those of the last report first and best first.
func (c *Comparison) scores() []string {
	var names []string
	for _, r := range slices.Backward(c.Reports) {
		for _, row := range r.Ranked(c.Reports[0].Options.Headline[0]) {
			if !slices.Contains(names, row.Score) {
				names = append(names, row.Score)
			}
		}
	}
	return names
}

// title gives what is known of the classifiers themselves.
func (c *Comparison) title() []string {
	var lines []string
	for _, r := range c.Reports {
		lines = append(lines, r.title()...)
	}
	return lines
}

// shortNames returns headings for the classifiers: their names if they are short and differ, else A, B, ... with a
// legend.
func (c *Comparison) shortNames() (names, legend []string) {
	plain := true
	for _, r := range c.Reports {
		if r.Run.Model == "" || utf8.RuneCountInString(r.Run.Model) > 8 || slices.Contains(names, r.Run.Model) {
			plain = false
		}
		names = append(names, r.Run.Model)
	}
	if plain {
		return names, nil
	}
	for i, r := range c.Reports {
		names[i] = string(rune('A' + i%26))
		legend = append(legend, names[i]+": "+name(r.Run)+".")
	}
	return names, legend
}

func (c *Comparison) notes() []string {
	first := c.Reports[0]
	notes := []string{direction(first.Options.Headline)}
	if first.Options.Resamples > 0 {
		notes = append(notes, fmt.Sprintf("±: half the width of the %g %% interval over images, %d bootstrap resamples.",
			100*first.Options.Level, first.Options.Resamples))
	}
	notes[len(notes)-1] += " cost: forward equivalents an image."
	for i, r := range c.Reports {
		for _, note := range reasons(r.Rows, first.Options.Headline) {
			notes = append(notes, fmt.Sprintf("%s (classifier %d)", note, i+1))
		}
		for _, row := range r.Rows {
			if s := row.Search; s != nil && !math.IsNaN(s.Mean) {
				notes = append(notes, fmt.Sprintf("%s, %s: %.1f forward passes an image after the gradient, %d images never flipped.",
					name(r.Run), row.Score, s.Mean, s.Unflipped))
			}
		}
	}
	return notes
}
