package nb

import (
	"fmt"
	"html"
	"strings"
	"text/tabwriter"
)

// Rows is a table of whatever is at hand, for [Table]: a line of names, and lines of values as fmt.Sprint prints them.
// A float64 is printed with four digits.
type Rows struct {
	Header []string
	Values [][]any
}

// Add adds a line.
func (r *Rows) Add(values ...any) { r.Values = append(r.Values, values) }

// String returns the table as text with aligned columns.
func (r *Rows) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range r.lines() {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	w.Flush() // into memory
	var out []string
	for line := range strings.Lines(b.String()) {
		out = append(out, strings.TrimRight(line, " \n"))
	}
	return strings.Join(out, "\n")
}

// HTML returns the table as HTML, whatever the values contain.
func (r *Rows) HTML() string {
	var b strings.Builder
	b.WriteString("<table>\n")
	for i, line := range r.lines() {
		cell := "td"
		if i == 0 {
			cell = "th"
		}
		b.WriteString("<tr>")
		for _, v := range line {
			fmt.Fprintf(&b, "<%s>%s</%s>", cell, html.EscapeString(v), cell)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>")
	return b.String()
}

// lines returns the header and the values as text on one line each.
func (r *Rows) lines() [][]string {
	all := [][]string{r.Header}
	for _, values := range r.Values {
		line := make([]string, len(values))
		for i, v := range values {
			line[i] = strings.Join(strings.Fields(cellText(v)), " ")
		}
		all = append(all, line)
	}
	return all
}

func cellText(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.4g", f)
	}
	return fmt.Sprint(v)
}
