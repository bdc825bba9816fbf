package figures

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Outcome is what one way of training gave, repeated from several seeds.
type Outcome struct {
	Name     string               // of the way of training, such as "RAT"
	Variant  string               // tells outcomes of one name apart, such as "with mixup"
	StepSize float64              // in pixel units; 0 where no images are moved
	Values   map[string][]float64 // by metric, one value a seed, plain fractions as misd computes them
}

// Ablation draws metrics of several ways of training, one panel a metric: a line of dots an outcome, one dot a seed, and
// below them a bar from one standard deviation (n-1) below their mean to one above it. Outcomes of one name share a
// line of labels, in the order given; colours tell variants apart. A vertical line marks the mean of the first outcome,
// which is what the others are compared with.
//
// Metrics are those that misd lists, accuracy among them; nil means aurc. The first of Options.Scores, if there is one,
// names the score that they judge. The figure grows in height with the number of outcomes. It returns an error if
// there are no outcomes, a metric is not known, or an outcome has no value of it.
func Ablation(outcomes []Outcome, metrics []string, opts Options) (*Figure, error) {
	if metrics == nil {
		metrics = []string{"aurc"}
	}
	if err := checkOutcomes(outcomes, metrics); err != nil {
		return nil, fmt.Errorf("figures: ablation: %w", err)
	}
	size := opts.size(len(metrics))
	data := Table{Command: opts.Command, Header: []string{"metric", "score", "training", "variant", "step_size", "seed", "value"}}
	names, variants := distinct(outcomes, Outcome.name), distinct(outcomes, Outcome.variant)
	var panels []*plot.Plot
	for i, metric := range metrics {
		p := size.newPlot(opts.axis(metric)+betterWhen(metric), "")
		p.X.Tick.Marker = linear(max(2, min(5, size.labels(len(metrics)))))
		p.Y.Min, p.Y.Max = -.5, float64(len(names))-.5
		p.Y.Tick.Length, p.Y.Padding = 0, 0
		var ticks plot.ConstantTicks
		for k, name := range names {
			t := plot.Tick{Value: float64(len(names) - 1 - k)}
			if i%size.columns(len(metrics)) == 0 {
				t.Label = name
			}
			ticks = append(ticks, t)
		}
		p.Y.Tick.Marker = ticks
		reference := report.Scale(metric) * stat.Mean(outcomes[0].Values[metric], nil)
		p.Add(path{segment(reference, p.Y.Min, reference, p.Y.Max), size.guide(1)})
		thick := .8 / float64(len(variants))
		for _, o := range outcomes {
			j := slices.Index(variants, o.Variant)
			y := float64(len(names)-1-slices.Index(names, o.Name)) + .4 - thick*(float64(j)+.5)
			drawSeeds(p, size, j, y, thick, scaled(o.Values[metric], metric))
			o.record(&data, opts, metric)
		}
		widen(&p.X)
		panels = append(panels, p)
	}
	f := newFigure(size, data, variantLegend(variants, size), panels...)
	rows := vg.Length((len(panels)-1)/size.columns(len(panels)) + 1)
	f.Height = max(size.Height*.6, size.Font*vg.Length(5+1.6*float64(len(names))*max(1, .62*float64(len(variants))))) * rows
	return f, nil
}

// drawSeeds adds the dots, the mean and the bar of one outcome.
func drawSeeds(p *plot.Plot, size Size, j int, y, thick float64, values []float64) {
	var xys plotter.XYs
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			xys = append(xys, plotter.XY{X: v, Y: y})
			p.X.Min, p.X.Max = math.Min(p.X.Min, v), math.Max(p.X.Max, v)
		}
	}
	mean, half := spread(values)
	if !math.IsNaN(half) {
		p.Add(shape{box(mean-half, y-.4*thick, mean+half, y+.4*thick), area{fill: barColor(j)}})
		p.X.Min, p.X.Max = math.Min(p.X.Min, mean-half), math.Max(p.X.Max, mean+half)
	}
	if !math.IsNaN(mean) {
		p.Add(path{segment(mean, y-.4*thick, mean, y+.4*thick), draw.LineStyle{Color: black, Width: size.Line}})
	}
	p.Add(dots{xys, draw.GlyphStyle{Color: transparent(black, .6), Radius: size.Font * .15, Shape: draw.CircleGlyph{}}})
}

func variantLegend(variants []string, size Size) []entry {
	var legend []entry
	if len(variants) > 1 {
		for j, name := range variants {
			legend = append(legend, entry{cmp.Or(name, "without"), boxSample(area{fill: barColor(j)})})
		}
	}
	dot := draw.GlyphStyle{Color: transparent(black, .6), Radius: size.Font * .15, Shape: draw.CircleGlyph{}}
	return append(legend, entry{"a seed", dotSample(dot)},
		entry{"mean, bar: ± standard deviation", lineSample(draw.LineStyle{Color: black, Width: size.Line})})
}

// spread returns the mean and the standard deviation, NaN where a value is missing or is the only one.
func spread(values []float64) (mean, deviation float64) {
	mean, deviation = stat.MeanStdDev(values, nil)
	if len(values) < 2 {
		deviation = math.NaN()
	}
	return mean, deviation
}

// scaled returns the values as people expect to see them.
func scaled(values []float64, metric string) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = report.Scale(metric) * v
	}
	return out
}

// record adds the values of a metric, one row a seed.
func (o Outcome) record(data *Table, opts Options, metric string) {
	for i, v := range o.Values[metric] {
		data.add(metric, opts.score(metric), o.Name, o.Variant, o.StepSize, i+1, v)
	}
}

func (o Outcome) name() string    { return o.Name }
func (o Outcome) variant() string { return o.Variant }

// distinct returns what of gives for outcomes, each once, in the order of their first appearance.
func distinct(outcomes []Outcome, of func(Outcome) string) []string {
	var out []string
	for _, o := range outcomes {
		if !slices.Contains(out, of(o)) {
			out = append(out, of(o))
		}
	}
	return out
}

func checkOutcomes(outcomes []Outcome, metrics []string) error {
	if len(outcomes) == 0 || len(metrics) == 0 {
		return errors.New("there are no outcomes, or no metrics of them")
	}
	for _, m := range metrics {
		if _, ok := misd.LookupMetric(m); !ok {
			return fmt.Errorf("there is no metric %q; misd.Metrics lists them", m)
		}
		for _, o := range outcomes {
			if len(o.Values[m]) == 0 {
				return fmt.Errorf("%s has no value of %s", o.label(), m)
			}
		}
	}
	return nil
}

// label names an outcome in errors.
func (o Outcome) label() string {
	s := o.Name
	if o.Variant != "" {
		s += " " + o.Variant
	}
	if o.StepSize != 0 {
		s += fmt.Sprintf(" (step %g)", o.StepSize)
	}
	return s
}

// score returns the score that a metric judges, or nothing if it judges the classifier.
func (o Options) score(metric string) string {
	if m, _ := misd.LookupMetric(metric); m.NeedsProbabilities || len(o.Scores) == 0 {
		return ""
	}
	return o.Scores[0]
}

// axis returns the name of a metric with its score.
func (o Options) axis(metric string) string {
	if s := o.score(metric); s != "" {
		return report.Label(metric) + " of " + display(s)
	}
	name := []rune(report.Label(metric))
	return string(append([]rune{upper(name[0])}, name[1:]...))
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

func betterWhen(metric string) string {
	if m, _ := misd.LookupMetric(metric); m.HigherIsBetter {
		return ", higher is better"
	}
	return ", lower is better"
}

// widen leaves room at both ends of an axis.
func widen(a *plot.Axis) {
	margin := .06 * (a.Max - a.Min)
	if !(margin > 0) { // one value only, or none
		margin = max(.05*math.Abs(a.Max), 1e-3)
	}
	if math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) {
		a.Min, a.Max, margin = 0, 1, 0
	}
	a.Min, a.Max = a.Min-margin, a.Max+margin
}
