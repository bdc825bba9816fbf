package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A problem is what is wrong with a cell.
type problem struct {
	cell cell
	what string
}

func (p problem) String() string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(p.cell.Source)), "\n")
	return fmt.Sprintf("cell %s (%.60s): %s", p.cell.ID, line, p.what)
}

// check returns what is wrong with an executed notebook: cells that failed, and figures and tables that are not those
// of the notebook before, or nil for it to leave these out.
func check(before, now *notebook) []problem {
	for _, c := range now.Cells {
		if fault := c.fault(); fault != "" {
			return []problem{{c, fault}} // what follows was not executed, or on what is not there
		}
	}
	var out []problem
	for i, c := range now.Cells {
		if c.Kind != "code" {
			continue
		}
		for _, what := range c.badFigures() {
			out = append(out, problem{c, what})
		}
		if before == nil {
			continue
		}
		if i >= len(before.Cells) || before.Cells[i].ID != c.ID {
			return append(out, problem{c, "the notebook before has another cell in its place"})
		}
		out = append(out, compare(before.Cells[i], c)...)
	}
	return out
}

// A command or magic that fails leaves its cell without an error: only stderr tells.
var silent = regexp.MustCompile(`(?m)^exit status \d+$|unknown or not implemented yet`)

// fault returns why a cell failed, with all it has put out; "" if it did not.
func (c cell) fault() string {
	if c.Kind != "code" {
		return ""
	}
	failed := c.Count == nil
	var said []string
	for _, o := range c.Outputs {
		failed = failed || o.Kind == "error" || o.Stream == "stderr" && silent.MatchString(string(o.Text))
		if t := o.plain(); t != "" {
			said = append(said, t)
		}
	}
	switch {
	case !failed:
		return ""
	case len(c.Outputs) == 0:
		return "it was not executed"
	}
	return "it failed:\n" + strings.Join(said, "\n")
}

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	styles  = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`)
	tags    = regexp.MustCompile(`<[^>]+>`)
)

// plain returns an output as text.
func (o output) plain() string {
	t := string(o.Text)
	switch {
	case o.Kind == "error":
		t = strings.Join(append([]string{o.Name + ": " + o.Value}, o.Traceback...), "\n")
	case o.Data["text/plain"] != nil:
		t = o.data("text/plain")
	case o.Data["text/html"] != nil:
		t = html.UnescapeString(tags.ReplaceAllString(styles.ReplaceAllString(o.data("text/html"), ""), ""))
	}
	return strings.TrimSpace(escapes.ReplaceAllString(t, ""))
}

// figures returns the pictures of a cell.
func (c cell) figures() []output {
	return slices.DeleteFunc(slices.Clone(c.Outputs), func(o output) bool {
		return o.Data["image/png"] == nil && o.Data["image/svg+xml"] == nil
	})
}

// badFigures names the pictures that show nothing.
func (c cell) badFigures() []string {
	var out []string
	for i, o := range c.figures() {
		if o.Data["image/png"] == nil {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(o.data("image/png")), ""))
		if err != nil {
			out = append(out, fmt.Sprintf("figure %d is damaged: %v", i+1, err))
			continue
		}
		img, err := png.Decode(bytes.NewReader(data))
		switch {
		case err != nil:
			out = append(out, fmt.Sprintf("figure %d is damaged: %v", i+1, err))
		case blank(img):
			out = append(out, fmt.Sprintf("figure %d is empty", i+1))
		}
	}
	return out
}

// blank tells whether an image has one colour.
func blank(img image.Image) bool {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.At(x, y) != img.At(b.Min.X, b.Min.Y) {
				return false
			}
		}
	}
	return true
}

// tables returns the tables of a cell as text, grids of images, which are tables of captions, among them.
func (c cell) tables() []string {
	var out []string
	for _, o := range c.Outputs {
		if strings.Contains(o.data("text/html"), "<table") {
			out = append(out, o.data("text/plain"))
		}
	}
	return out
}

// compare returns what of a cell's figures and tables is missing, new or different.
func compare(before, now cell) []problem {
	var out []problem
	add := func(format string, args ...any) { out = append(out, problem{now, fmt.Sprintf(format, args...)}) }
	if was, is := len(before.figures()), len(now.figures()); was != is {
		add("%d figures where there were %d", is, was)
	}
	was, is := before.tables(), now.tables()
	if len(was) != len(is) {
		add("%d tables where there were %d", len(is), len(was))
		return out
	}
	tolerance := now.Metadata.Tolerance
	if tolerance == 0 {
		tolerance = usualTolerance
	}
	for i := range is {
		if d := difference(was[i], is[i], tolerance); d != "" {
			add("table %d has changed: %s", i+1, d)
		}
	}
	return out
}

// usualTolerance is what backends and machines may differ by where they round differently.
const usualTolerance = 0.02

var numbers = regexp.MustCompile(`[-+]?\d+(\.\d+)?([eE][-+]?\d+)?`)

// A row is a line of a table.
type row struct {
	text    string // the line
	words   string // without its numbers, spaces, and marks of the best
	numbers []string
}

func rows(table string) []row {
	var out []row
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		words := strings.Join(strings.Fields(strings.ReplaceAll(numbers.ReplaceAllString(line, "#"), "*", "")), " ")
		out = append(out, row{line, words, numbers.FindAllString(line, -1)})
	}
	// Rows that are ordered by their values change places where values are close.
	slices.SortStableFunc(out, func(a, b row) int { return strings.Compare(a.words, b.words) })
	return out
}

// difference tells in what two tables differ, the order of rows and numbers within the tolerance aside; "" for nothing.
func difference(before, now string, tolerance float64) string {
	was, is := rows(before), rows(now)
	for i := range max(len(was), len(is)) {
		switch {
		case i >= len(is):
			return fmt.Sprintf("%q is missing", was[i].text)
		case i >= len(was):
			return fmt.Sprintf("%q is new", is[i].text)
		case was[i].words != is[i].words:
			return fmt.Sprintf("%q was %q", is[i].text, was[i].text)
		}
		for k := range is[i].numbers {
			if !near(was[i].numbers[k], is[i].numbers[k], tolerance) {
				return fmt.Sprintf("%s was %s in %q", is[i].numbers[k], was[i].numbers[k], is[i].text)
			}
		}
	}
	return ""
}

// near tells whether two numbers as they are printed differ by no more than the tolerance or one in the last digit.
func near(before, now string, tolerance float64) bool {
	a, errA := strconv.ParseFloat(before, 64)
	b, errB := strconv.ParseFloat(now, 64)
	if errA != nil || errB != nil {
		return before == now
	}
	allowed := tolerance * max(math.Abs(a), math.Abs(b))
	if strings.ContainsAny(before, ".eE") { // whole numbers count something
		allowed = max(allowed, 1.001*max(lastDigit(before), lastDigit(now)))
	}
	return math.Abs(a-b) <= allowed
}

// lastDigit returns what one in the last digit of a printed number is worth.
func lastDigit(s string) float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	e, _ := strconv.Atoi(exponent)
	_, decimals, _ := strings.Cut(mantissa, ".")
	return math.Pow10(e - len(decimals))
}
