package figures

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Corrupted is the report of a classifier on images that were corrupted.
type Corrupted struct {
	Corruption string // such as fog; empty for the clean images, which are severity 0 of every corruption
	Severity   int    // usually 1 to 5
	Report     *report.Report
}

// CorruptionRisk draws a metric of scores, risk_at_coverage_80 unless Options.Metric names another, over the severity of
// a corruption, one panel a corruption, with its bootstrap intervals where the reports have them. Colours tell scores
// apart, dashes classifiers, which are told apart by their name. For a risk at a coverage, black lines show the error
// rate without rejection.
//
// Without Options.Scores it draws the same scores as [RiskCoverage]: three of one classifier, two of several. It returns
// an error if a report is empty or has not the scores, if there is no such metric, if a severity is given twice, or if
// there are only clean images.
func CorruptionRisk(corrupted []Corrupted, opts Options) (*Figure, error) {
	c, err := newCorruptions(corrupted, opts)
	if err != nil {
		return nil, fmt.Errorf("figures: corruption: %w", err)
	}
	size := opts.size(len(c.names))
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "corruption", "severity", "score", c.metric.Name, "low", "high"}}
	var panels []*plot.Plot
	for _, name := range c.names {
		p := size.newPlot("Severity", sentence(report.Label(c.metric.Name)))
		p.Title.Text = shorten(name)
		p.X.Min, p.X.Max = c.first-.2, c.last+.2
		p.X.Tick.Marker = whole(size.labelsOf(size.narrowColumns(len(c.names))))
		p.Y.Min, p.Y.Max = math.Inf(1), math.Inf(-1)
		for j, model := range c.models {
			if c.errorRate() {
				style := size.curve(0, j)
				style.Color = black
				c.line(p, size, style, 0, model, name, "", &data)
			}
			for i, score := range c.scores {
				// Marks of neighbours stand side by side.
				shift := .05 * (float64(i*len(c.models)+j) - float64(len(c.scores)*len(c.models)-1)/2)
				c.line(p, size, size.curve(i, j), shift, model, name, score, &data)
			}
		}
		if !(p.Y.Min <= p.Y.Max) {
			p.Y.Min, p.Y.Max = 0, 1
		}
		panels = append(panels, p)
	}
	f := alike(size, size.narrowColumns(len(panels)), data, c.legend(size), panels...)
	low, high := f.Panels[0].Y.Min, f.Panels[0].Y.Max
	if low > 0 && low < high/2 || low == high {
		low = min(0, low)
	}
	margin := .05 * (high - low)
	for _, p := range f.Panels {
		p.Y.Min, p.Y.Max = low, high+margin
		if low != 0 {
			p.Y.Min = low - margin
		}
	}
	return f, nil
}

// corruptions is what is drawn, in order.
type corruptions struct {
	metric                misd.Metric
	names, models, scores []string
	first, last           float64 // severities
	reports               map[corruptionKey]*report.Report
}

type corruptionKey struct {
	model, corruption string
	severity          int
}

func newCorruptions(corrupted []Corrupted, opts Options) (*corruptions, error) {
	c := &corruptions{reports: map[corruptionKey]*report.Report{}, first: math.Inf(1), last: math.Inf(-1)}
	var all []*report.Report
	for _, r := range corrupted {
		all = append(all, r.Report)
	}
	if err := check(all); err != nil {
		return nil, err
	}
	for _, r := range corrupted {
		if r.Corruption == "" {
			r.Severity = 0
		} else if !slices.Contains(c.names, r.Corruption) {
			c.names = append(c.names, r.Corruption)
		}
		if !slices.Contains(c.models, r.Report.Run.Model) {
			c.models = append(c.models, r.Report.Run.Model)
		}
		key := corruptionKey{r.Report.Run.Model, r.Corruption, r.Severity}
		if c.reports[key] != nil {
			return nil, fmt.Errorf("%s has two reports of %q at severity %d", title(r.Report.Run), r.Corruption, r.Severity)
		}
		c.reports[key] = r.Report
		c.first, c.last = min(c.first, float64(r.Severity)), max(c.last, float64(r.Severity))
	}
	if len(c.names) == 0 {
		return nil, errors.New("there are only clean images")
	}
	name := cmp.Or(opts.Metric, "risk_at_coverage_80")
	metric, ok := misd.LookupMetric(name)
	if !ok || metric.NeedsProbabilities {
		return nil, fmt.Errorf("there is no metric %q of scores; misd.Metrics lists them", name)
	}
	c.metric = metric
	n := 3
	if len(c.models) > 1 {
		n = 2
	}
	var err error
	c.scores, err = opts.choose(all, ranked, n)
	return c, err
}

// errorRate tells whether the metric is one that the error rate can stand beside.
func (c *corruptions) errorRate() bool {
	var percent int
	n, _ := fmt.Sscanf(c.metric.Name, "risk_at_coverage_%d", &percent)
	return n == 1
}

// line adds the curve of a score, or that of the error rate for an empty one.
func (c *corruptions) line(p *plot.Plot, size Size, style draw.LineStyle, shift float64, model, name, score string, data *Table) {
	scale := report.Scale(c.metric.Name)
	var points plotter.XYs
	for severity := int(c.first); severity <= int(c.last); severity++ {
		rep := c.reports[corruptionKey{model, name, severity}]
		if rep == nil && severity == 0 {
			rep = c.reports[corruptionKey{model, "", 0}]
		}
		if rep == nil {
			continue
		}
		e := misd.Estimate{Value: errorRate(rep.Run.Correct()), Lower: math.NaN(), Upper: math.NaN()}
		if row := rep.Row(score); score != "" && row != nil {
			e = row.Metrics[c.metric.Name]
		}
		data.add(rep.Run.Dataset, model, name, severity, cmp.Or(score, "error_rate"), e.Value, e.Lower, e.Upper)
		if math.IsNaN(e.Value) {
			continue
		}
		at := plotter.XY{X: float64(severity) + shift, Y: scale * e.Value}
		points = append(points, at)
		p.Y.Min, p.Y.Max = min(p.Y.Min, at.Y), max(p.Y.Max, at.Y)
		if e.HasInterval() {
			whisker := draw.LineStyle{Color: style.Color, Width: size.Line * .6}
			p.Add(path{segment(at.X, scale*e.Lower, at.X, scale*e.Upper), whisker})
			p.Y.Min, p.Y.Max = min(p.Y.Min, scale*e.Lower), max(p.Y.Max, scale*e.Upper)
		}
	}
	p.Add(path{points, style}, dots{points, draw.GlyphStyle{Color: style.Color, Radius: size.Font * .16, Shape: draw.CircleGlyph{}}})
}

func (c *corruptions) legend(size Size) []entry {
	var legend []entry
	for i, name := range c.scores {
		legend = append(legend, entry{display(name), lineSample(size.curve(i, 0))})
	}
	if c.errorRate() {
		style := size.curve(0, 0)
		style.Color = black
		legend = append(legend, entry{"error rate", lineSample(style)})
	}
	if len(c.models) < 2 {
		return legend
	}
	for j, model := range c.models {
		style := size.curve(0, j)
		style.Color = grey
		legend = append(legend, entry{shorten(model), lineSample(style)})
	}
	return legend
}

// sentence begins with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// whole marks whole numbers, about n of them at most.
func whole(n int) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		step := math.Ceil((high - low) / float64(max(n, 1)) / 1.5)
		var ticks []plot.Tick
		for v := math.Ceil(low/step) * step; v <= high; v += step {
			ticks = append(ticks, plot.Tick{Value: v + 0, Label: fmt.Sprint(int(v))})
		}
		return ticks
	})
}
