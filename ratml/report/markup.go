package report

import (
	"html"
	"strconv"
	"strings"
)

// markdown writes a table that GitHub shows, the title above and the notes below it.
func (g grid) markdown() string {
	var b strings.Builder
	for _, line := range g.title {
		b.WriteString(escapeMarkdown(line) + "\n\n")
	}
	rule := ""
	for _, c := range g.columns {
		b.WriteString("| " + escapeMarkdown(strings.TrimSpace(c.group+" "+c.name)) + " ")
		if c.right {
			rule += "| ---: "
		} else {
			rule += "| --- "
		}
	}
	b.WriteString("|\n" + rule + "|\n")
	for _, row := range g.rows {
		for _, c := range row {
			b.WriteString("| " + c.marked("**", "**", escapeMarkdown) + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	if g.best != "" {
		b.WriteString("- **bold**: " + g.best + ".\n")
	}
	for _, note := range g.notes {
		b.WriteString("- " + escapeMarkdown(note) + "\n")
	}
	return b.String()
}

func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`).Replace(s)
}

// html writes a table for a notebook.
func (g grid) html() string {
	var b strings.Builder
	paragraph := func(lines []string) {
		for i, line := range lines {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			b.WriteString(html.EscapeString(line))
		}
	}
	b.WriteString("<p>")
	paragraph(g.title)
	b.WriteString("</p>\n<table class=\"ratml-report\">\n<thead>\n")
	if groups := g.groups(); groups != nil {
		b.WriteString("<tr>")
		for _, s := range groups {
			b.WriteString(`<th style="text-align:center" colspan="` + strconv.Itoa(s.n) + `">` + html.EscapeString(s.name) + "</th>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("<tr>")
	for _, c := range g.columns {
		b.WriteString("<th" + c.style() + ">" + html.EscapeString(c.name) + "</th>")
	}
	b.WriteString("</tr>\n</thead>\n<tbody>\n")
	for _, row := range g.rows {
		b.WriteString("<tr>")
		for j, c := range row {
			b.WriteString("<td" + g.columns[j].style() + ">" + c.marked("<b>", "</b>", html.EscapeString) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n<p><small>")
	notes := g.notes
	if g.best != "" {
		b.WriteString("<b>bold</b>: ")
		notes = append([]string{g.best + "."}, notes...)
	}
	paragraph(notes)
	b.WriteString("</small></p>\n")
	return b.String()
}

func (c column) style() string {
	if c.right {
		return ` style="text-align:right"`
	}
	return ` style="text-align:left"`
}

// marked writes a cell with the best value between open and close.
func (c cell) marked(open, close string, escape func(string) string) string {
	s := escape(c.value)
	if c.best {
		s = open + s + close
	}
	switch {
	case c.high == "":
		return s
	case c.low == "":
		return s + " ± " + escape(c.high)
	}
	return s + " [" + escape(c.low) + ", " + escape(c.high) + "]"
}
