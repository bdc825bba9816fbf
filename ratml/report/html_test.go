package report_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/policy"
	"github.com/ratml/rat/ratml/report"
)

// names that must be shown and never interpreted.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `]]>`, `</style><script>`, `{{.Title}}`,
	"שלום \u202egnp.exe", `&lt;b&gt;`, "a`b${c}", strings.Repeat("very long name ", 40) + strings.Repeat("x", 300),
}

const svg = `<?xml version="1.0"?>
<!-- made by hand -->
<svg width="20pt" height="10pt" viewBox="0 0 20 10" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<defs><clipPath id="box"><rect width="5" height="5"/></clipPath></defs>
<g clip-path="url(#box)"><text x="1" y="2" style="fill:#0072B2">a &lt; b</text><use xlink:href="#box"/></g>
</svg>`

// picture is a small image whose rows differ.
func picture(w, h int) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray(x, y, color.Gray{uint8(x*7 + y*13)})
		}
	}
	return img
}

// fullPage has all that a page can have, names all over it.
func fullPage(t testing.TB, name string) *report.Page {
	t.Helper()
	run := goldenRun(t)
	run.Model, run.Dataset = name, name+"2"
	r, err := report.Evaluate(run, report.Options{Resamples: 20})
	require.NoError(t, err)
	few, err := r.Select("MSR", "RR_fgsm")
	require.NoError(t, err)
	labels := make([]string, run.Len())
	for i := range labels {
		labels[i] = fmt.Sprint(name, i%3)
	}
	groups, err := report.EvaluateGroups(context.Background(), few.Run, name, labels, report.Options{Resamples: -1})
	require.NoError(t, err)
	p, err := policy.New(run.Score("MSR").Values, run.Correct(), policy.Options{Risk: .2})
	require.NoError(t, err)
	p.Score.Name, p.Data.Dataset, p.Data.Note = "MSR", name, name
	d, err := report.Decide(p, run)
	require.NoError(t, err)
	return &report.Page{
		Leaderboard: r,
		Figures: []report.Drawing{
			{Name: name, Caption: name, Light: []byte(svg), Dark: []byte(svg)},
			{Name: "only light", Light: []byte(svg)},
			{Name: "none", Missing: name},
		},
		Images: []report.Gallery{
			{Title: name, Note: name, Pictures: []report.Picture{
				{Image: picture(28, 28), Index: 7, Label: name, Pred: name + "'", Confidence: .99997, Radius: .0123},
				{Image: picture(500, 250), Index: 8, Label: name, Pred: name, Confidence: math.NaN(), Radius: math.NaN()},
			}},
			{Title: "empty"},
		},
		Tables:   []report.Table{groups},
		Decision: d,
		Facts:    []report.Fact{{Name: name, Value: name}},
		Command:  []string{"evaluate", "columns", name},
		Versions: report.Versions(),
	}
}

func written(t testing.TB, p *report.Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.String()
}

// contains is require.Contains that does not print the page.
func contains(t *testing.T, page, want string) {
	t.Helper()
	require.True(t, strings.Contains(page, want), "there is no %q in %d bytes", want, len(page))
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*>`)
	attribute = regexp.MustCompile(`([a-zA-Z:-]+)(?:="([^"]*)")?`)
)

// element is an opening tag of a page.
type element struct {
	name       string
	attributes map[string]string
}

// elements parses a page strictly: every < must open a well-formed tag with quoted attributes, and tags must match.
func elements(t *testing.T, page string) []element {
	t.Helper()
	page = strings.TrimPrefix(page, "<!DOCTYPE html>")
	for _, raw := range []string{"style", "script"} {
		open, shut := strings.Index(page, "<"+raw+">"), strings.Index(page, "</"+raw+">")
		require.True(t, open >= 0 && shut > open)
		page = page[:open+len(raw)+2] + page[shut:]
	}
	void := []string{"meta", "img", "br"}
	var open []string
	var out []element
	for at := strings.IndexByte(page, '<'); at >= 0; at = strings.IndexByte(page, '<') {
		page = page[at:]
		m := tag.FindStringSubmatch(page)
		require.True(t, m != nil && strings.HasPrefix(page, m[0]), "not a tag: %.80s", page)
		page = page[len(m[0]):]
		switch {
		case m[1] == "/":
			require.NotEmpty(t, open)
			require.Equal(t, open[len(open)-1], m[2])
			open = open[:len(open)-1]
			continue
		case !slices.Contains(void, m[2]):
			open = append(open, m[2])
		}
		e := element{m[2], map[string]string{}}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			require.NotContains(t, e.attributes, a[1], "twice in %s", m[0])
			e.attributes[a[1]] = a[2]
		}
		out = append(out, e)
	}
	require.Empty(t, open)
	return out
}

func TestPageStructure(t *testing.T) {
	page := written(t, fullPage(t, "cat"))
	ids, scripts, svgs := map[string]bool{}, 0, 0
	for _, e := range elements(t, page) {
		if id := e.attributes["id"]; id != "" {
			require.False(t, ids[id], "two elements have the id %s", id)
			ids[id] = true
		}
		switch e.name {
		case "script":
			scripts++
		case "svg":
			svgs++
			require.NotEmpty(t, e.attributes["aria-label"])
			require.Equal(t, "img", e.attributes["role"])
		case "img":
			require.NotEmpty(t, e.attributes["alt"])
			require.True(t, strings.HasPrefix(e.attributes["src"], "data:image/png;base64,"))
		case "th":
			require.Contains(t, []string{"col", "row", "colgroup"}, e.attributes["scope"])
		}
	}
	for _, e := range elements(t, page) {
		for _, ref := range []string{strings.TrimPrefix(e.attributes["href"], "#"), e.attributes["aria-labelledby"]} {
			require.True(t, ref == "" || ids[ref], "%s refers to %q", e.name, ref)
		}
		for _, m := range regexp.MustCompile(`url\(#([^)]*)\)`).FindAllStringSubmatch(e.attributes["clip-path"], -1) {
			require.True(t, ids[m[1]], "clip path %s", m[1])
		}
	}
	require.Equal(t, 1, scripts)
	require.Equal(t, 3, svgs)
	require.True(t, ids["figure1-light-box"] && ids["figure1-dark-box"] && ids["figure2-light-box"])
	require.Equal(t, strings.Count(page, "<table"), strings.Count(page, "<caption"))
	for _, want := range []string{
		`<h1 title="cat on cat2"><bdi>cat</bdi> on <bdi>cat2</bdi></h1>`, "<dt>accuracy</dt>", "99.997 %", "radius 0.0123", "image 7", "a &lt; b",
		"Accept where MSR", "coverage here", "are no check of the guarantee", "What the search for the radius costs", "evaluate columns cat",
		"Not drawn:", "There are none.", "<bdi>go1.", `width="96" height="48"`,
	} {
		contains(t, page, want)
	}
	require.False(t, strings.Contains(page, "forward passes an image after the gradient (")) // that has a table
}

// A page from the net is never asked for, whatever is in it.
func TestPageIsSelfContained(t *testing.T) {
	page := written(t, fullPage(t, "cat"))
	page = regexp.MustCompile(`base64,[^"]*`).ReplaceAllString(page, "")
	require.Empty(t, regexp.MustCompile(`(?i).{0,40}(https?:|//[a-z]|@import|url\([^#]).{0,40}`).FindAllString(page, -1))
	contains(t, page, "default-src &#39;none&#39;; img-src data:;")
}

func TestPageEscapesNames(t *testing.T) {
	plain := len(elements(t, written(t, fullPage(t, "cat"))))
	for _, name := range hostile {
		page := written(t, fullPage(t, name))
		got := elements(t, page)
		require.Len(t, got, plain, "%q makes elements", name)
		for _, e := range got {
			for a := range e.attributes {
				require.False(t, strings.HasPrefix(a, "on"), "%q makes an attribute %s", name, a)
			}
		}
	}
}

func TestPageIsTheSameEachTime(t *testing.T) {
	require.Equal(t, written(t, fullPage(t, "cat")), written(t, fullPage(t, "cat")))
}

// The leaderboard starts best first, and every cell to sort by has the number that it shows.
func TestPageLeaderboard(t *testing.T) {
	r, err := report.Evaluate(goldenRun(t), report.Options{Resamples: 20})
	require.NoError(t, err)
	page := written(t, &report.Page{Leaderboard: r})
	table := page[strings.Index(page, "<table"):strings.Index(page, "</table>")]
	var names []string
	for _, m := range regexp.MustCompile(`<th scope="row"><bdi>([^<]*)<`).FindAllStringSubmatch(table, -1) {
		names = append(names, m[1])
	}
	var want []string
	for _, row := range r.Ranked("aurc") {
		want = append(want, row.Score)
	}
	require.Equal(t, want, names)
	cells := regexp.MustCompile(`data-key="([^"]*)">(?:<b>)?([^<]*)<`).FindAllStringSubmatch(table, -1)
	require.Len(t, cells, len(want)*6)
	for _, m := range cells {
		require.InDelta(t, number(t, m[1]), number(t, m[2]), 1e-12)
	}
	contains(t, table, `data-first="ascending" data-label="AURC ×1000" aria-sort="ascending"><bdi>AURC ×1000`)
	contains(t, table, `data-first="descending" data-label="AUROC %"><bdi>AUROC %`)
	require.Regexp(t, `<small>\[[0-9.]+, [0-9.]+\]</small>`, table)
}

func number(t *testing.T, s string) (v float64) {
	t.Helper()
	_, err := fmt.Sscan(s, &v)
	require.NoError(t, err)
	return v
}

// Scores alone make a page, in any state and of any number of classifiers.
func TestPageOfScoresAlone(t *testing.T) {
	right := &misd.Run{Classes: 2, Label: []int{0, 1}, Pred: []int{0, 1}, Scores: []misd.Score{{Name: "conf", Values: []float64{math.Inf(1), 2}}}}
	perfect, err := report.Evaluate(right, report.Options{Resamples: -1})
	require.NoError(t, err)
	golden, err := report.Evaluate(goldenRun(t), report.Options{Resamples: -1})
	require.NoError(t, err)
	both, err := report.Compare(golden, perfect)
	require.NoError(t, err)
	splits, err := report.Splits(golden, golden)
	require.NoError(t, err)
	for want, table := range map[string]report.Table{
		">Scores</h1>":                       perfect,
		"<bdi>Scores of 2 classifiers</bdi>": both,
		"2 splits":                           splits,
	} {
		page := written(t, &report.Page{Leaderboard: table})
		contains(t, page, want)
		for _, e := range elements(t, page) {
			require.NotContains(t, []string{"figures", "images", "tables", "policy", "origin"}, e.attributes["id"])
		}
	}
}

func TestPageRefuses(t *testing.T) {
	r, err := report.Evaluate(goldenRun(t), report.Options{Resamples: -1})
	require.NoError(t, err)
	figure := func(text string) *report.Page {
		return &report.Page{Leaderboard: r, Figures: []report.Drawing{{Name: "fig", Light: []byte(text)}}}
	}
	inside := func(s string) *report.Page { return figure(`<svg viewBox="0 0 2 1">` + s + `</svg>`) }
	for _, c := range []struct {
		want string
		page *report.Page
	}{
		{"no leaderboard", &report.Page{}},
		{"no leaderboard", &report.Page{Leaderboard: (*report.Report)(nil)}},
		{"table 1 of 1 is nil", &report.Page{Leaderboard: r, Tables: []report.Table{nil}}},
		{"image 3 of", &report.Page{Leaderboard: r, Images: []report.Gallery{{Pictures: []report.Picture{{Index: 3}}}}}},
		{`figure "fig"`, figure("")},
		{"not a figure", figure("hello")},
		{"viewBox", figure(`<svg></svg>`)},
		{"viewBox", figure(`<svg viewBox="0 0 -1 1"></svg>`)},
		{"one whole svg", figure(`<svg viewBox="0 0 1 1"><g></g>`)},
		{"closes nothing", figure(`<svg viewBox="0 0 1 1"><g></svg></g>`)},
		{"beside or instead", figure(`<svg viewBox="0 0 1 1"></svg><svg viewBox="0 0 1 1"></svg>`)},
		{"text outside", figure(`<svg viewBox="0 0 1 1"></svg>oops`)},
		{"<script>", inside(`<script>alert(1)</script>`)},
		{"<foreignObject>", inside(`<foreignObject/>`)},
		{"<set>", inside(`<set attributeName="href" to="x"/>`)},
		{"<script>", inside(`<x:script xmlns:x="http://www.w3.org/2000/svg"/>`)},
		{"onclick", inside(`<g onclick="alert(1)"/>`)},
		{"another file", inside(`<image href="http://example.com/x.png"/>`)},
		{"another file", inside(`<image xlink:href="data:text/html,x"/>`)},
		{"another file", inside(`<g style="fill:url(x.svg#a)"/>`)},
		{"another file", inside(`<g style="fill:URL( 'x.svg#a')"/>`)},
	} {
		var b bytes.Buffer
		err := c.page.Write(&b)
		require.ErrorContains(t, err, c.want)
		require.Zero(t, b.Len())
	}
}

// A page that cannot be written leaves the one before as it was, and nothing beside it.
func TestPageSave(t *testing.T) {
	r, err := report.Evaluate(goldenRun(t), report.Options{Resamples: -1})
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "page.html")
	p := &report.Page{Leaderboard: r}
	require.NoError(t, p.Save(path))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, written(t, p), string(before))
	require.Error(t, (&report.Page{}).Save(path))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.ErrorContains(t, p.Save(filepath.Join(dir, "none", "page.html")), "none")
	require.ErrorIs(t, p.Write(broken{}), io.ErrShortWrite)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// The command line that a page shows gives the words back when a shell reads it.
func TestPageCommand(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to read it")
	}
	r, err := report.Evaluate(goldenRun(t), report.Options{Resamples: -1})
	require.NoError(t, err)
	words := append([]string{"", "a b", "it's", "$HOME", "line\nbreak", "tab\t", "\xff\xfe", "*", `back\slash`, "\u202eabc", "naïve", "--x=1,2"}, hostile...)
	page := written(t, &report.Page{Leaderboard: r, Command: append([]string{"printf", `%s\0`}, words...)})
	line := regexp.MustCompile(`(?s)<pre><code>(.*?)</code>`).FindStringSubmatch(page)[1]
	require.NotContains(t, line, "\u202e")
	out, err := exec.Command(bash, "-c", unescape(line)).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(words, "\x00")+"\x00", string(out))
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(s)
}

func TestDecide(t *testing.T) {
	run := goldenRun(t)
	p, err := policy.New(run.Score("MSR").Values, run.Correct(), policy.Options{Risk: .2})
	require.NoError(t, err)
	p.Score.Name = "MSR"
	d, err := report.Decide(p, run)
	require.NoError(t, err)
	require.Equal(t, []int{p.Data.Images, p.Data.Accepted, p.Data.Wrong}, []int{d.Images, d.Accepted, d.Wrong})
	require.True(t, d.Same)
	require.False(t, d.Drift.Drifted)

	half, err := run.Subset([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	require.NoError(t, err)
	d, err = report.Decide(p, half)
	require.NoError(t, err)
	require.False(t, d.Same)
	for i := range half.Len() {
		half.Score("MSR").Values[i] = -1
	}
	d, err = report.Decide(p, half)
	require.NoError(t, err)
	require.True(t, d.Drift.Drifted)
	require.Zero(t, d.Accepted)
	r, err := report.Evaluate(half, report.Options{Resamples: -1})
	require.NoError(t, err)
	contains(t, written(t, &report.Page{Leaderboard: r, Decision: d}), "The guarantee may not hold here")

	p.Score.Name = "other"
	_, err = report.Decide(p, run)
	require.ErrorContains(t, err, "score other")
}
