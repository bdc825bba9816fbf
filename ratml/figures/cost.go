package figures

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Trade is a curve of quality against cost, such as that of a cascade for growing budgets.
type Trade struct {
	Name    string
	Cost    []float64 // forward equivalents an image, positive
	Quality []float64 // the metric as a plain fraction, as misd computes it
}

// CostQuality draws a metric of all scores, aurc unless Options.Metric names another, over their cost in forward
// equivalents an image, on a logarithmic axis: one point a score, one colour a classifier, and the given curves. The
// scores that no cheaper one beats are joined; the others are pale. Of scores of one cost the best is named.
//
// It returns an error if a report is empty, there is no such metric, a curve has costs without qualities, or no score
// of a report has a cost.
func CostQuality(reports []*report.Report, trades []Trade, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: cost: %w", err)
	}
	name := cmp.Or(opts.Metric, "aurc")
	metric, ok := misd.LookupMetric(name)
	if !ok || metric.NeedsProbabilities {
		return nil, fmt.Errorf("figures: cost: there is no metric %q of scores; misd.Metrics lists them", name)
	}
	size := opts.size(1)
	p := size.newPlot("Cost (forward equivalents an image)", report.Label(name))
	p.X.Tick.Marker = decades(size.labels(1))
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", "cost", name, "undominated"}}
	var legend []entry
	var named []costPoint
	var around plotter.XYs
	drawn := 0
	for j, rep := range reports {
		points := costPoints(rep, metric, opts.Scores)
		drawn += len(points)
		named = appendNamed(named, points, metric.HigherIsBetter)
		for _, c := range points {
			around = append(around, plotter.XY{X: math.Log10(c.cost), Y: c.value})
			data.add(rep.Run.Dataset, rep.Run.Model, c.score, c.cost, c.value/report.Scale(name), c.best)
		}
		legend = append(legend, drawScores(p, size, j, title(rep.Run), points))
	}
	if drawn == 0 {
		return nil, errors.New("figures: cost: no score has a cost")
	}
	w := words{size: size, around: around}
	for _, c := range named {
		w.at, w.names = append(w.at, plotter.XY{X: math.Log10(c.cost), Y: c.value}), append(w.names, display(c.score))
	}
	p.Add(w)
	for i, t := range trades {
		if len(t.Cost) != len(t.Quality) || len(t.Cost) == 0 {
			return nil, fmt.Errorf("figures: cost: curve %q has %d costs and %d qualities", t.Name, len(t.Cost), len(t.Quality))
		}
		for k := range t.Cost {
			data.add("", "", t.Name, t.Cost[k], t.Quality[k], "")
		}
		style := size.curve(len(reports)+i, 1)
		drawTrade(p, t, report.Scale(name), style)
		legend = append(legend, entry{t.Name, lineSample(style)})
	}
	// Room for names at the right and below, and for points on the edge.
	p.X.Min, p.X.Max = p.X.Min-.05, p.X.Max+.25
	margin := .08 * (p.Y.Max - p.Y.Min)
	p.Y.Min, p.Y.Max = p.Y.Min-1.6*margin, p.Y.Max+margin
	return newFigure(size, data, legend, p), nil
}

// drawScores adds the scores of the j-th classifier.
func drawScores(p *plot.Plot, size Size, j int, name string, points []costPoint) entry {
	color := palette[j%len(palette)]
	full := draw.GlyphStyle{Color: color, Radius: size.Font * .2, Shape: draw.CircleGlyph{}}
	pale := full
	pale.Color = transparent(color, .5)
	var front plotter.XYs
	for _, c := range points {
		at := plotter.XY{X: math.Log10(c.cost), Y: c.value}
		fit(p, at)
		if !c.best {
			p.Add(dots{plotter.XYs{at}, pale})
			continue
		}
		front = append(front, at)
		p.Add(dots{plotter.XYs{at}, full})
	}
	p.Add(path{front, draw.LineStyle{Color: transparent(color, .5), Width: size.Line * .7}})
	return entry{name, dotSample(full)}
}

func drawTrade(p *plot.Plot, t Trade, scale float64, style draw.LineStyle) {
	var xys plotter.XYs
	for k := range t.Cost {
		xys = append(xys, plotter.XY{X: math.Log10(t.Cost[k]), Y: t.Quality[k] * scale})
		fit(p, xys[k])
	}
	p.Add(path{xys, style})
}

// costPoint is a score in the plane of cost and quality; best means that no cheaper score is as good.
type costPoint struct {
	score       string
	cost, value float64
	best        bool
}

// costPoints returns the scores of a report that have a cost and a value, the cheapest first and among equally cheap
// ones the best first.
func costPoints(rep *report.Report, metric misd.Metric, names []string) []costPoint {
	var points []costPoint
	for _, row := range rep.Rows {
		v := row.Metrics[metric.Name].Value
		if names != nil && !slices.Contains(names, row.Score) || row.Cost <= 0 || math.IsNaN(v) {
			continue
		}
		points = append(points, costPoint{score: row.Score, cost: row.Cost, value: report.Scale(metric.Name) * v})
	}
	sign := 1.
	if metric.HigherIsBetter {
		sign = -1
	}
	slices.SortStableFunc(points, func(a, b costPoint) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(sign*a.value, sign*b.value))
	})
	best := math.Inf(1)
	for i := range points {
		if v := sign * points[i].value; v < best {
			best, points[i].best = v, true
		}
	}
	return points
}

// likeCost is the ratio of costs below which a score of two classifiers has one name in the figure.
const likeCost = 1.3

// appendNamed adds, of the sorted points of a classifier, the best of each cost to those that are named. A score that is
// named at about that cost already keeps its better place.
func appendNamed(named, points []costPoint, higher bool) []costPoint {
	for i, c := range points {
		if i > 0 && points[i-1].cost == c.cost {
			continue
		}
		k := slices.IndexFunc(named, func(o costPoint) bool {
			return o.score == c.score && max(o.cost/c.cost, c.cost/o.cost) < likeCost
		})
		switch {
		case k < 0:
			named = append(named, c)
		case c.value != named[k].value && (c.value > named[k].value) == higher:
			named[k] = c
		}
	}
	return named
}

// fit widens the axes so that they hold a point.
func fit(p *plot.Plot, at plotter.XY) {
	p.X.Min, p.X.Max = math.Min(p.X.Min, at.X), math.Max(p.X.Max, at.X)
	p.Y.Min, p.Y.Max = math.Min(p.Y.Min, at.Y), math.Max(p.Y.Max, at.Y)
}
