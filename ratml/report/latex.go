package report

import (
	"strconv"
	"strings"
)

// latex writes a tabular in the style of the booktabs package, to be put into a table environment. What stands above and
// below the table is in comments.
func (g grid) latex() string {
	var b strings.Builder
	comment := func(lines []string) {
		for _, line := range lines {
			b.WriteString("% " + strings.Join(strings.Fields(line), " ") + "\n")
		}
	}
	comment(append([]string{`Needs \usepackage{booktabs}.`}, g.title...))
	b.WriteString(`\begin{tabular}{`)
	for _, c := range g.columns {
		b.WriteString(map[bool]string{false: "l", true: "r"}[c.right])
	}
	b.WriteString("}\n\\toprule\n")
	if groups := g.groups(); groups != nil {
		b.WriteString(latexGroups(groups))
	}
	var head []string
	for _, c := range g.columns {
		head = append(head, escapeLaTeX(c.name))
	}
	b.WriteString(latexRow(head) + "\\midrule\n")
	for _, row := range g.rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.latex())
		}
		b.WriteString(latexRow(cells))
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	if g.best != "" {
		comment([]string{"bold: " + g.best + "."})
	}
	comment(g.notes)
	return b.String()
}

// latexGroups writes the headings above several columns and a rule below each.
func latexGroups(groups []span) string {
	var cells []string
	rules := ""
	at := 1
	for _, s := range groups {
		if s.name == "" {
			cells = append(cells, strings.Repeat("& ", s.n-1))
		} else {
			cells = append(cells, `\multicolumn{`+strconv.Itoa(s.n)+`}{c}{`+escapeLaTeX(s.name)+`}`)
			rules += `\cmidrule(lr){` + strconv.Itoa(at) + "-" + strconv.Itoa(at+s.n-1) + "}"
		}
		at += s.n
	}
	return latexRow(cells) + rules + "\n"
}

func latexRow(cells []string) string { return strings.Join(cells, " & ") + " \\\\\n" }

func (c cell) latex() string {
	s := escapeLaTeX(c.value)
	if c.best {
		s = `\textbf{` + s + `}`
	}
	switch {
	case c.high == "":
		return s
	case c.low == "":
		return s + ` {\scriptsize $\pm$ ` + escapeLaTeX(c.high) + `}`
	}
	return s + ` {\scriptsize [` + escapeLaTeX(c.low) + ", " + escapeLaTeX(c.high) + `]}`
}

// A row that starts with a bracket or a star would be read as an argument of the line break before it.
var latexEscapes = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
	"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "[", "{[}", "*", "{*}", "<", `$<$`, ">", `$>$`,
	"|", `$|$`, "×", `$\times$`, "±", `$\pm$`, undefined, "--", "−", "$-$", "∞", `$\infty$`, "†", `\textdagger{}`, "\n", " ")

func escapeLaTeX(s string) string { return latexEscapes.Replace(s) }
