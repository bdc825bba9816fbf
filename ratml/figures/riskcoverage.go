package figures

import (
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// RiskCoverage draws the selective risk over the coverage: the error rate among the most confident images. Lower is
// better; a good score keeps the risk low until the coverage is high. Colours tell scores apart, dashes classifiers; with
// bands each classifier has a panel of its own. Grey lines show a perfect and a random ranking in panels of one
// classifier. Equal confidences count as accepted in random order, so that the area under a curve is the metric aurc.
// Curves start where 20 images are accepted: below, they tell little.
//
// Without Options.Scores it draws RR-BS, MSR, RR-Fast and Doctor or, where they are missing, others: four scores of one
// classifier, two of several or with bands. It returns an error if a report is empty or has not the scores asked for.
func RiskCoverage(reports []*report.Report, opts Options) (*Figure, error) {
	return riskFigure(reports, opts, selective)
}

// riskKind is what a curve shows of the errors among the accepted images.
type riskKind struct {
	figure, axis, column string
	of                   func(coverage, risk float64) float64 // of the selective risk
}

var selective = riskKind{"risk-coverage", "Selective risk (%)", "risk", func(_, risk float64) float64 { return risk }}

func riskFigure(reports []*report.Report, opts Options, kind riskKind) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: %s: %w", kind.figure, err)
	}
	n := 4
	if len(reports) > 1 || opts.Band {
		n = 2
	}
	scores, err := opts.choose(reports, ranked, n)
	if err != nil {
		return nil, fmt.Errorf("figures: %s: %w", kind.figure, err)
	}
	groups := [][]*report.Report{reports}
	if opts.Band {
		groups = slices.Collect(slices.Chunk(reports, 1))
	}
	size := opts.size(len(groups))
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", "coverage", kind.column, "low", "high"}}
	var panels []*plot.Plot
	for _, group := range groups {
		p := riskPanel(group, scores, size, opts, kind, &data)
		if len(groups) > 1 {
			p.Title.Text = title(group[0].Run)
		}
		panels = append(panels, p)
	}
	return newFigure(size, data, riskLegend(groups[0], scores, size), panels...), nil
}

// riskPanel draws the curves of some classifiers, and adds their points to data.
func riskPanel(reports []*report.Report, scores []string, size Size, opts Options, kind riskKind, data *Table) *plot.Plot {
	p := size.newPlot("Coverage (%)", kind.axis)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 0
	if len(reports) == 1 {
		guides(p, size, reports[0].Run, kind)
	}
	var curves []plot.Plotter
	for j, rep := range reports {
		for i, name := range scores {
			run := rep.Run
			grid := coverages(run.Len())
			k := newRanking(run.Score(name).Values, run.Correct())
			risk := kind.along(grid, k.risk(nil, grid))
			low, high := slices.Repeat([]float64{math.NaN()}, len(grid)), slices.Repeat([]float64{math.NaN()}, len(grid))
			if opts.Band {
				low, high = k.band(grid, opts.Seed)
				low, high = kind.along(grid, low), kind.along(grid, high)
				p.Add(shape{around(grid, low, high), area{fill: transparent(palette[i%len(palette)], .2)}})
			}
			curves = append(curves, path{along(grid, risk), size.curve(i, j)})
			for g, c := range grid {
				data.add(run.Dataset, run.Model, name, c, risk[g], low[g], high[g])
				if c >= .1 { // below, single errors make the risk jump
					p.Y.Max = max(p.Y.Max, 105*risk[g])
				}
			}
		}
	}
	p.Add(curves...) // above all bands
	return p
}

func riskLegend(reports []*report.Report, scores []string, size Size) []entry {
	var legend []entry
	for i, name := range scores {
		legend = append(legend, entry{display(name), lineSample(size.curve(i, 0))})
	}
	if len(reports) == 1 {
		return append(legend, entry{"random", lineSample(size.guide(1))}, entry{"perfect", lineSample(size.guide(2))})
	}
	for j, rep := range reports {
		style := size.curve(0, j)
		style.Color = black
		legend = append(legend, entry{title(rep.Run), lineSample(style)})
	}
	return legend
}

// along returns what the kind shows of selective risks at ascending coverages.
func (k riskKind) along(coverages, risk []float64) []float64 {
	out := make([]float64, len(risk))
	for i, c := range coverages {
		out[i] = k.of(c, risk[i])
	}
	return out
}

// guides adds the curves of a random and of a perfect ranking.
func guides(p *plot.Plot, size Size, run *misd.Run, kind riskKind) {
	r := errorRate(run.Correct())
	var perfect plotter.XYs
	for _, c := range coverages(run.Len()) {
		perfect = append(perfect, plotter.XY{X: 100 * c, Y: 100 * kind.of(c, max(0, (c-(1-r))/c))})
	}
	p.Add(path{segment(0, 100*kind.of(0, r), 100, 100*kind.of(1, r)), size.guide(1)}, path{perfect, size.guide(2)})
	p.Y.Max = max(p.Y.Max, 105*r)
}

// coverages returns the coverages at which curves of n images are drawn.
func coverages(n int) []float64 {
	start := clamp(20/float64(n), .01, .2)
	var grid []float64
	for i := 4; i <= 400; i++ {
		if c := float64(i) / 400; c >= start {
			grid = append(grid, c)
		}
	}
	return grid
}

func errorRate(correct []bool) float64 {
	wrong := 0
	for _, ok := range correct {
		if !ok {
			wrong++
		}
	}
	return float64(wrong) / float64(len(correct))
}

func along(grid, risk []float64) plotter.XYs {
	xys := make(plotter.XYs, len(grid))
	for i, c := range grid {
		xys[i] = plotter.XY{X: 100 * c, Y: 100 * risk[i]}
	}
	return xys
}

func around(grid, low, high []float64) plotter.XYs {
	back := along(grid, high)
	slices.Reverse(back)
	return append(along(grid, low), back...)
}
