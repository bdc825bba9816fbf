package report

import (
	"strings"
	"unicode/utf8"
)

// grid is a table before it is written as text, Markdown or HTML.
type grid struct {
	title   []string // lines above the table
	best    string   // what the mark of the best value means; empty where nothing is marked
	columns []column
	rows    [][]cell
	notes   []string
}

type column struct {
	group string // heading above the headings of neighbouring columns; empty where there is none
	name  string
	right bool // numbers
}

// span is a heading above n columns.
type span struct {
	name string
	n    int
}

// groups joins neighbouring columns of one group; it is nil if there are no groups.
func (g grid) groups() []span {
	var spans []span
	any := false
	for j, c := range g.columns {
		any = any || c.group != ""
		if j > 0 && c.group == g.columns[j-1].group {
			spans[len(spans)-1].n++
			continue
		}
		spans = append(spans, span{c.group, 1})
	}
	if !any {
		return nil
	}
	return spans
}

// gap separates the columns of text.
const gap = 2

// text draws the table for a terminal. Values stand below each other whatever follows them.
func (g grid) text() string {
	parts, body := g.widths(), make([][]string, len(g.rows))
	widths := make([]int, len(g.columns))
	for j, c := range g.columns {
		widths[j] = runes(c.name)
	}
	for i, row := range g.rows {
		for j, c := range row {
			body[i] = append(body[i], parts[j].align(c, g.columns[j].right))
			widths[j] = max(widths[j], runes(body[i][j]))
		}
	}
	lines := append([]string(nil), g.title...)
	if groups := g.groups(); groups != nil {
		lines = append(lines, line(fitGroups(groups, widths)))
	}
	var head []string
	total := -gap
	for j, c := range g.columns {
		head = append(head, padRight(c.name, widths[j]))
		total += widths[j] + gap
	}
	lines = append(lines, line(head), strings.Repeat("─", total))
	for _, cells := range body {
		for j := range cells {
			cells[j] = padRight(cells[j], widths[j])
		}
		lines = append(lines, line(cells))
	}
	if g.best != "" {
		lines = append(lines, "* "+g.best+".")
	}
	return strings.Join(append(lines, g.notes...), "\n")
}

// fitGroups widens the last column of each group until the group's heading fits, and returns the headings padded.
func fitGroups(groups []span, widths []int) []string {
	var cells []string
	j := 0
	for _, s := range groups {
		have := (s.n - 1) * gap
		for _, w := range widths[j : j+s.n] {
			have += w
		}
		j += s.n
		if need := runes(s.name); need > have {
			widths[j-1] += need - have
			have = need
		}
		cells = append(cells, padRight(s.name, have))
	}
	return cells
}

func line(cells []string) string {
	return strings.TrimRight(strings.Join(cells, strings.Repeat(" ", gap)), " ")
}

func runes(s string) int { return utf8.RuneCountInString(s) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-runes(s))) + s }

func padRight(s string, n int) string { return s + strings.Repeat(" ", max(0, n-runes(s))) }

// width is what the parts of the cells of a column need.
type width struct{ value, low, high int }

func (g grid) widths() []width {
	w := make([]width, len(g.columns))
	for _, row := range g.rows {
		for j, c := range row {
			w[j] = width{max(w[j].value, runes(c.value)), max(w[j].low, runes(c.low)), max(w[j].high, runes(c.high))}
		}
	}
	return w
}

func (w width) align(c cell, right bool) string {
	s := c.value
	if right {
		s = padLeft(c.value, w.value)
	}
	if c.best {
		s += "*"
	} else if right {
		s += " "
	}
	switch {
	case c.high == "":
		return s
	case c.low == "":
		return s + "±" + c.high
	}
	return s + "[" + padLeft(c.low, w.low) + " " + padLeft(c.high, w.high) + "]"
}
