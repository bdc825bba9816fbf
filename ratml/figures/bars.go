package figures

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// AURCBars draws a metric of all scores, aurc unless Options.Metric names another, as bars with their bootstrap
// intervals: one group a score, in it one bar a classifier, the best score of the last classifier at the top. Scores
// that a classifier has not, and values that do not exist, leave a gap. The figure grows in height with the number of
// bars.
//
// It returns an error if a report is empty, there is no such metric, or no report has one of the scores.
func AURCBars(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: bars: %w", err)
	}
	name := cmp.Or(opts.Metric, "aurc")
	m, ok := misd.LookupMetric(name)
	if !ok || m.NeedsProbabilities {
		return nil, fmt.Errorf("figures: bars: there is no metric %q of scores; misd.Metrics lists them", name)
	}
	scores := barScores(reports, opts.Scores, name)
	if len(scores) == 0 {
		return nil, fmt.Errorf("figures: bars: no report has one of the scores %v", opts.Scores)
	}
	size := opts.size(1)
	direction := "lower is better"
	if m.HigherIsBetter {
		direction = "higher is better"
	}
	p := size.newPlot(report.Label(name)+", "+direction, "")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 0, -.5, float64(len(scores))-.5
	p.Y.Tick.Length, p.Y.Padding, p.X.Padding = 0, 0, 0
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", name, "low", "high"}}

	var ticks plot.ConstantTicks
	thick := .8 / float64(len(reports))
	for i, score := range scores {
		at := float64(len(scores) - 1 - i)
		ticks = append(ticks, plot.Tick{Value: at, Label: display(score)})
		for j, rep := range reports {
			row := rep.Row(score)
			if row == nil {
				continue
			}
			e := row.Metrics[name]
			data.add(rep.Run.Dataset, rep.Run.Model, score, e.Value, e.Lower, e.Upper)
			if !math.IsNaN(e.Value) {
				y := at + .4 - thick*(float64(j)+.5)
				drawBar(p, size, j, y, thick, report.Scale(name), e)
			}
		}
	}
	p.Y.Tick.Marker = ticks
	var legend []entry
	if len(reports) > 1 {
		for j, rep := range reports {
			legend = append(legend, entry{title(rep.Run), boxSample(area{fill: barColor(j)})})
		}
	}
	f := newFigure(size, data, legend, p)
	f.Height = max(size.Height*.6, size.Font*vg.Length(6+1.5*float64(len(scores))*max(1, .62*float64(len(reports)))))
	return f, nil
}

// drawBar adds one bar of the j-th classifier with its interval.
func drawBar(p *plot.Plot, size Size, j int, y, thick, scale float64, e misd.Estimate) {
	p.Add(shape{box(0, y-thick/2, scale*e.Value, y+thick/2), area{fill: barColor(j)}})
	p.X.Max = max(p.X.Max, 1.05*scale*e.Value)
	p.X.Min = min(p.X.Min, 1.05*scale*e.Value)
	if !e.HasInterval() {
		return
	}
	whisker := draw.LineStyle{Color: black, Width: size.Line * .7}
	low, high, cap := scale*e.Lower, scale*e.Upper, thick*.2
	halo := whisker // on dark pages the whisker is as light as the bar
	halo.Color, halo.Width = color.White, size.Line*1.7
	for _, style := range []draw.LineStyle{halo, whisker} {
		p.Add(path{segment(low, y, high, y), style}, path{segment(low, y-cap, low, y+cap), style}, path{segment(high, y-cap, high, y+cap), style})
	}
	p.X.Max = max(p.X.Max, 1.05*high)
	p.X.Min = min(p.X.Min, 1.05*low)
}

// barScores returns the scores wanted, or all, best of the last report first.
func barScores(reports []*report.Report, wanted []string, metric string) []string {
	var names []string
	for _, rep := range slices.Backward(reports) {
		for _, row := range rep.Ranked(metric) {
			if !slices.Contains(names, row.Score) && (wanted == nil || slices.Contains(wanted, row.Score)) {
				names = append(names, row.Score)
			}
		}
	}
	return names
}
