package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"reflect"

	"github.com/ratml/rat/ratml/internal/atomicfile"
)

// Page is a report to be opened in a browser: one HTML file that needs neither the network nor a script to be read. Only
// Leaderboard must be set; what is empty has no section. The same page gives the same bytes each time.
//
// Names of classes, scores and files may hold anything: they are shown and never interpreted. The page follows the
// reader's choice of light or dark; a short script in it sorts the leaderboard by the column that is clicked.
type Page struct {
	Leaderboard Table // what scores are worth, such as a [Report], a [Comparison] or [Repeats]
	Figures     []Drawing
	Images      []Gallery
	Tables      []Table // further ones, such as [Groups] or a [ShiftReport]
	Decision    *Decision
	Facts       []Fact   // what was done: data, protocol, parameters
	Command     []string // the words of the command line that made the page
	Versions    []Fact   // of what made it; see [Versions]
}

// Table is one of the tables of this package.
type Table interface {
	fmt.Stringer
	HTML() string // the table alone, for a notebook
	Save(path string) error
	table
}

// Drawing is a figure of a page.
type Drawing struct {
	Name    string // heading
	Caption string // what is seen, in a sentence or two
	// Light and Dark are SVG documents for light and dark pages, without a ground of their own. Without Dark, Light is
	// shown on white everywhere.
	Light, Dark []byte
	// Missing says why there is no drawing; it is shown in its place.
	Missing string
}

// Fact is a name with what it stands for.
type Fact struct{ Name, Value string }

//go:embed html/page.tmpl
var pageText string

//go:embed html/page.css
var pageStyle string

//go:embed html/sort.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Write writes the page. It returns an error, and writes nothing, if there is no leaderboard, if a figure is no SVG or
// holds more than shapes, text and images (a script, say, or a reference to another file), or if an image is empty.
func (p *Page) Write(w io.Writer) error {
	view, err := p.view()
	if err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, view); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Save writes the page to a file. A file that is there is replaced in one step.
func (p *Page) Save(path string) error {
	if err := atomicfile.Write(path, p.Write); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// pageView is what the template shows.
type pageView struct {
	Policy      string // of content security: what the browser may load and run
	Style       template.CSS
	Script      template.JS
	Title       string
	Heads       []headView
	Lines       []string // above the leaderboard, where there are no heads
	Leaderboard tableView
	Figures     []drawingView
	Galleries   []galleryView
	Tables      []tableView
	Searches    *tableView
	Decision    *decisionView
	Facts       []Fact
	Command     string
	Versions    []Fact
}

// drawingView is a figure with its documents ready for the page.
type drawingView struct {
	Drawing
	LightSVG, DarkSVG template.HTML
	Wide              bool
}

func (p *Page) view() (*pageView, error) {
	if absent(p.Leaderboard) {
		return nil, errors.New("there is no leaderboard")
	}
	v := &pageView{
		Policy: contentPolicy(), Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Leaderboard: leaderboardView(p.Leaderboard),
		Searches:    searchView(p.Leaderboard),
		Decision:    p.Decision.view(),
		Facts:       p.Facts, Command: commandLine(p.Command), Versions: p.Versions,
	}
	v.Heads = heads(p.Leaderboard)
	if v.Heads == nil {
		v.Lines = p.Leaderboard.grid().title
	}
	v.Title = pageTitle(v)
	for i, t := range p.Tables {
		if absent(t) {
			return nil, fmt.Errorf("table %d of %d is nil", i+1, len(p.Tables))
		}
		v.Tables = append(v.Tables, furtherView(t, fmt.Sprintf("table%d", i+1)))
	}
	for i, f := range p.Figures {
		d, err := f.view(fmt.Sprintf("figure%d", i+1))
		if err != nil {
			return nil, fmt.Errorf("figure %q: %w", f.Name, err)
		}
		v.Figures = append(v.Figures, d)
	}
	for _, g := range p.Images {
		d, err := g.view()
		if err != nil {
			return nil, err
		}
		v.Galleries = append(v.Galleries, d)
	}
	return v, nil
}

func (d Drawing) view(id string) (drawingView, error) {
	v := drawingView{Drawing: d}
	if d.Missing != "" {
		return v, nil
	}
	var err error
	if v.LightSVG, v.Wide, err = inlineSVG(d.Light, id+"-light-", d.Name); err != nil {
		return v, err
	}
	if d.Dark != nil {
		v.DarkSVG, _, err = inlineSVG(d.Dark, id+"-dark-", d.Name)
	}
	return v, err
}

// absent tells whether a table is nil or a nil pointer.
func absent(t Table) bool { return t == nil || reflect.ValueOf(t).IsNil() }

// pageTitle is what the browser's tab shows.
func pageTitle(v *pageView) string {
	switch {
	case len(v.Heads) == 1:
		return v.Heads[0].Title()
	case len(v.Heads) > 1:
		return fmt.Sprintf("Scores of %d classifiers", len(v.Heads))
	case len(v.Lines) > 0:
		return v.Lines[0]
	}
	return "Scores"
}

// contentPolicy allows nothing but what the page itself holds, and no script but its own.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(pageScript))
	return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}
