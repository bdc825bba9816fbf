package figures

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// StepSweep draws metrics over the step size by which training moves images, on a logarithmic axis, one panel a metric.
// Outcomes of one name and variant are a curve through their means, with a dot a seed and a band of one standard
// deviation (n-1) to both sides; those with step size 0, which move no images, are dashed horizontal lines with the
// same band.
//
// Metrics and Options.Scores are as in [Ablation]. It returns an error if no outcome has a step size, one is negative
// or not finite, a metric is not known, or an outcome has no value of it.
func StepSweep(outcomes []Outcome, metrics []string, opts Options) (*Figure, error) {
	if metrics == nil {
		metrics = []string{"aurc"}
	}
	err := checkOutcomes(outcomes, metrics)
	if err == nil {
		err = checkSteps(outcomes)
	}
	if err != nil {
		return nil, fmt.Errorf("figures: step sweep: %w", err)
	}
	size := opts.size(len(metrics))
	data := Table{Command: opts.Command, Header: []string{"metric", "score", "training", "variant", "step_size", "seed", "value"}}
	curves := distinct(outcomes, Outcome.curve)
	var legend []entry
	for i, name := range curves {
		legend = append(legend, entry{name, lineSample(curveStyle(size, i, named(outcomes, name)))})
	}
	low, high := stepRange(outcomes)
	var panels []*plot.Plot
	for _, metric := range metrics {
		p := size.newPlot("Step size (pixel units)", opts.axis(metric))
		p.X.Tick.Marker = decades(size.labels(len(metrics)))
		p.X.Min, p.X.Max = low, high
		var front []plot.Plotter
		for i, name := range curves {
			points := named(outcomes, name)
			front = append(front, drawSweep(p, size, i, points, metric)...)
			for _, o := range points {
				o.record(&data, opts, metric)
			}
		}
		p.Add(front...) // above all bands
		widen(&p.Y)
		panels = append(panels, p)
	}
	columns := size.columns(len(panels))
	height := size.Height * vg.Length((len(panels)+columns-1)/columns)
	return &Figure{Panels: panels, Width: size.Width, Height: height, Data: data, legend: legend, size: size}, nil
}

// drawSweep adds the band of the i-th curve and returns what is drawn above it.
func drawSweep(p *plot.Plot, size Size, i int, points []Outcome, metric string) []plot.Plotter {
	style := curveStyle(size, i, points)
	var line, below, above, seeds plotter.XYs
	for _, o := range points {
		values := scaled(o.Values[metric], metric)
		mean, half := spread(values)
		if math.IsNaN(half) {
			half = 0
		}
		at := []float64{math.Log10(o.StepSize)}
		if o.StepSize == 0 {
			at = []float64{p.X.Min, p.X.Max}
		}
		for _, x := range at {
			if math.IsNaN(mean) {
				continue
			}
			line = append(line, plotter.XY{X: x, Y: mean})
			below, above = append(below, plotter.XY{X: x, Y: mean - half}), append(above, plotter.XY{X: x, Y: mean + half})
			p.Y.Min, p.Y.Max = math.Min(p.Y.Min, mean-half), math.Max(p.Y.Max, mean+half)
		}
		for _, v := range values {
			if o.StepSize == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			seeds = append(seeds, plotter.XY{X: at[0], Y: v})
			p.Y.Min, p.Y.Max = math.Min(p.Y.Min, v), math.Max(p.Y.Max, v)
		}
	}
	slices.Reverse(above)
	p.Add(shape{append(below, above...), area{fill: transparent(palette[i%len(palette)], .18)}})
	dot := draw.GlyphStyle{Color: transparent(palette[i%len(palette)], .7), Radius: size.Font * .15, Shape: draw.CircleGlyph{}}
	return []plot.Plotter{path{line, style}, dots{seeds, dot}}
}

// curveStyle is a solid line, or a dashed one where no images are moved.
func curveStyle(size Size, i int, points []Outcome) draw.LineStyle {
	style := size.curve(i, 0)
	style.Dashes = nil
	if points[0].StepSize == 0 {
		style.Dashes = size.dashes(1)
	}
	return style
}

// curve names the line that an outcome belongs to.
func (o Outcome) curve() string {
	if o.Variant == "" {
		return o.Name
	}
	return o.Name + " " + o.Variant
}

// named returns the outcomes of a curve by ascending step size.
func named(outcomes []Outcome, curve string) []Outcome {
	var out []Outcome
	for _, o := range outcomes {
		if o.curve() == curve {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Outcome) int { return cmp.Compare(a.StepSize, b.StepSize) })
	return out
}

func checkSteps(outcomes []Outcome) error {
	any := false
	for _, o := range outcomes {
		if !(o.StepSize >= 0) || math.IsInf(o.StepSize, 1) {
			return fmt.Errorf("%s has the step size %v", o.curve(), o.StepSize)
		}
		any = any || o.StepSize > 0
	}
	if !any {
		return errors.New("no outcome has a step size")
	}
	return nil
}

// stepRange returns the decimal logarithms between which the step sizes lie, with a little room.
func stepRange(outcomes []Outcome) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, o := range outcomes {
		if o.StepSize > 0 {
			low, high = min(low, math.Log10(o.StepSize)), max(high, math.Log10(o.StepSize))
		}
	}
	return low - .15, high + .15
}
