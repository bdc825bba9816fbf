package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// headView names a classifier and says how good it is without any score.
type headView struct {
	Model, Dataset string
	Numbers        []numberView
}

// Title returns classifier and data set in a line.
func (h headView) Title() string { return name(&misd.Run{Model: h.Model, Dataset: h.Dataset}) }

// numberView is a number with its name and, where there is one, its interval.
type numberView struct{ Name, Value, Interval string }

// heads returns one for each classifier of a report or a comparison, nil for other tables.
func heads(t Table) []headView {
	var out []headView
	for _, r := range reportsOf(t) {
		n, wrong := r.Run.Len(), r.errors()
		h := headView{Model: r.Run.Model, Dataset: r.Run.Dataset, Numbers: []numberView{
			{Name: "images", Value: strconv.Itoa(n)}, {Name: "errors", Value: strconv.Itoa(wrong)}}}
		if r.Probabilities == nil {
			h.Numbers = append(h.Numbers, numberView{Name: "accuracy", Value: significant(100*(1-float64(wrong)/float64(n)), 4) + " %"})
		} else {
			for _, m := range []string{"accuracy", "nll", "brier", "ece"} {
				label, unit, _ := strings.Cut(Label(m), " %")
				if label != Label(m) {
					unit = " %"
				}
				c := newCell(m, r.Probabilities[m], false)
				h.Numbers = append(h.Numbers, numberView{label, c.value + unit, c.interval()})
			}
		}
		out = append(out, h)
	}
	return out
}

// reportsOf returns the reports that a leaderboard shows.
func reportsOf(t Table) []*Report {
	switch t := t.(type) {
	case *Report:
		return []*Report{t}
	case *Comparison:
		return t.Reports
	}
	return nil
}

// tableView is a grid for the template.
type tableView struct {
	ID, Caption string
	Sortable    bool
	Long        bool // folded until it is asked for
	Groups      []groupView
	Columns     []columnView
	Rows        [][]cellView
	Notes       []string
}

type groupView struct {
	Name string
	Span int
}

type columnView struct {
	Name   string
	Label  string // with the heading above it
	Right  bool
	Sorted string // ascending or descending where rows are in that order already
	First  string // the order of the first click: that which puts the best on top
}

type cellView struct {
	Value, Interval string
	Right, Best     bool
	Head            bool   // names the row
	Key             string // to sort by: a number, or empty where there is none
}

// longTable is the number of rows from which on a table is folded.
const longTable = 60

func (g grid) view(id string) tableView {
	v := tableView{ID: id, Long: len(g.rows) >= longTable}
	if g.best != "" && slices.ContainsFunc(g.rows, func(row []cell) bool { return slices.ContainsFunc(row, func(c cell) bool { return c.best }) }) {
		v.Notes = append(v.Notes, "bold: "+g.best+".")
	}
	v.Notes = append(v.Notes, g.notes...)
	for _, s := range g.groups() {
		v.Groups = append(v.Groups, groupView{s.name, s.n})
	}
	for _, c := range g.columns {
		v.Columns = append(v.Columns, columnView{Name: c.name, Label: c.label(), Right: c.right, First: c.bestFirst()})
	}
	for _, row := range g.rows {
		var cells []cellView
		for j, c := range row {
			cells = append(cells, cellView{
				Value: c.value, Interval: c.interval(), Right: g.columns[j].right, Best: c.best, Head: j == 0, Key: c.key()})
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}

// leaderboardView is sortable; what searches cost has a table of its own.
func leaderboardView(t Table) tableView {
	g := t.grid()
	if r, ok := t.(*Report); ok {
		g.notes = slices.DeleteFunc(slices.Clone(g.notes), func(note string) bool { return slices.Contains(r.searches(), note) })
	}
	v := g.view("leaderboard")
	v.Caption, v.Sortable, v.Long = "Scores, best first", true, false
	if j := orderedBy(t, g); j >= 0 {
		v.Columns[j].Sorted = v.Columns[j].First
		v.Caption = "Scores, best first by " + g.columns[j].label()
	}
	return v
}

// orderedBy returns the column whose order the rows of a leaderboard are in, or -1.
func orderedBy(t Table, g grid) int {
	switch t := t.(type) {
	case *Report, *Repeats:
		return 1
	case *Comparison:
		return min(len(t.Reports), len(g.columns)-1)
	}
	return -1
}

// furtherView has the first line of the table's title as its caption.
func furtherView(t Table, id string) tableView {
	g := t.grid()
	v := g.view(id)
	v.Caption = "Table"
	if len(g.title) > 0 {
		v.Caption = g.title[0]
		v.Notes = append(slices.Clone(g.title[1:]), v.Notes...)
	}
	return v
}

// searchView shows what the searches of a leaderboard cost; nil where there are none.
func searchView(t Table) *tableView {
	reports := reportsOf(t)
	g := grid{columns: []column{{name: "score"}}}
	for _, name := range []string{"mean", "median", "95th percentile", "most", "never flipped", "cost"} {
		g.columns = append(g.columns, column{name: name, right: true})
	}
	for _, r := range reports {
		for _, row := range r.Rows {
			s := row.Search
			if s == nil {
				continue
			}
			label := row.Score
			if len(reports) > 1 {
				label += ", " + name(r.Run)
			}
			g.rows = append(g.rows, []cell{{value: label}, {value: fmt.Sprintf("%.1f", s.Mean)}, {value: fmt.Sprintf("%g", s.Median)},
				{value: fmt.Sprintf("%g", s.P95)}, {value: strconv.Itoa(s.Max)}, {value: strconv.Itoa(s.Unflipped)}, {value: formatCost(row.Cost)}})
		}
	}
	if g.rows == nil {
		return nil
	}
	g.notes = []string{"Forward passes an image after the gradient; never flipped: images whose prediction no radius tried changed; cost: forward equivalents an image, the gradient included."}
	v := g.view("searches")
	v.Caption, v.Long = "What the search for the radius costs", false
	return &v
}

// interval returns that of a cell as it is shown, or nothing.
func (c cell) interval() string {
	switch {
	case c.high == "":
		return ""
	case c.low == "":
		return "± " + c.high
	}
	return "[" + c.low + ", " + c.high + "]"
}

// key returns the number that a cell shows as JavaScript reads it.
func (c cell) key() string {
	v, err := strconv.ParseFloat(strings.NewReplacer("∞", "Inf", "<", "").Replace(c.value), 64)
	switch {
	case err != nil || math.IsNaN(v):
		return ""
	case math.IsInf(v, 0):
		return strings.Replace(fmt.Sprintf("%.0f", v), "Inf", "Infinity", 1)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// label returns the name of a column with the heading above it.
func (c column) label() string {
	if c.group == "" {
		return c.name
	}
	return c.group + ", " + c.name
}

// bestFirst returns the order that puts the best values of a column first.
func (c column) bestFirst() string {
	for _, m := range misd.Metrics() {
		if label := Label(m.Name); m.HigherIsBetter && (label == c.group || label == c.name) {
			return "descending"
		}
	}
	return "ascending"
}
