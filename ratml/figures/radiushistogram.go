package figures

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// RadiusHistogram draws how the robust radius of right and of wrong predictions is distributed, one panel a
// classifier, on a logarithmic axis: the less the two overlap, the better the radius tells them apart. Each histogram
// sums to 100 %; dashed lines mark the medians. Radii are in pixel units with images in [0,1], so a radius beyond 1,
// which a search reports for an image that it never flipped, counts as 1. Radii below the axis, zero among them, are
// counted in its first bin.
//
// Without Options.Scores it draws the first of RR-BS, RR-Fast, RR-Exp and RR-Soft that the first report has. It returns
// an error if a report is empty or has not the score.
func RadiusHistogram(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: radius histogram: %w", err)
	}
	scores, err := opts.choose(reports, radii, 1)
	if err != nil {
		return nil, fmt.Errorf("figures: radius histogram: %w", err)
	}
	name := scores[0]
	size := opts.size(len(reports))
	low, high := radiusRange(reports, scores[:1])
	edges := equal(low, high, 30)
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", "prediction", "radius_low", "radius_high", "images", "share"}}

	var panels []*plot.Plot
	for _, rep := range reports {
		p := size.newPlot(display(name)+" radius (pixel units)", "Share of predictions (%)")
		p.X.Tick.Marker = decades(size.labels(len(reports)))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, 0, 0
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run)
		}
		groups := split(rep.Run.Score(name).Values, rep.Run.Correct())
		for i, g := range groups {
			counts := count(logarithms(g.values), edges)
			for b, c := range counts {
				share := float64(c) / max(1, float64(len(g.values)))
				p.Y.Max = max(p.Y.Max, 108*share)
				data.add(rep.Run.Dataset, rep.Run.Model, name, g.name, math.Pow(10, edges[b]), math.Pow(10, edges[b+1]), c, share)
			}
			percent := func(c int) float64 { return 100 * float64(c) / float64(len(g.values)) }
			for _, run := range outlines(counts, percent, 0, edges) {
				p.Add(shape{run, area{fill: groupArea(size, i).fill}}, path{run, groupArea(size, i).outline})
			}
		}
		for i, g := range groups { // above both histograms
			if len(g.values) > 0 {
				m := clamp(math.Log10(median(g.values)), low, high)
				p.Add(path{segment(m, 0, m, 1e3), medianLine(size, groupColor(i))})
			}
		}
		panels = append(panels, p)
	}
	legend := []entry{{"right predictions", boxSample(groupArea(size, 0))}, {"wrong predictions", boxSample(groupArea(size, 1))},
		{"medians", lineSample(medianLine(size, black))}}
	return newFigure(size, data, legend, panels...), nil
}

// group is the values of a score over the right or the wrong predictions.
type group struct {
	name   string
	values []float64
	index  []int // of the images
}

func split(values []float64, correct []bool) [2]group {
	groups := [2]group{{name: "right"}, {name: "wrong"}}
	for i, v := range values {
		g := &groups[1]
		if correct[i] {
			g = &groups[0]
		}
		g.values, g.index = append(g.values, v), append(g.index, i)
	}
	return groups
}

// radiusRange returns the ends of a logarithmic axis for radii, as decimal logarithms: the middle 99.6 % of those in
// (0,1], at least one power of ten.
func radiusRange(reports []*report.Report, scores []string) (low, high float64) {
	var all []float64
	for _, rep := range reports {
		for _, name := range scores {
			for _, v := range rep.Run.Score(name).Values {
				if v > 0 {
					all = append(all, min(v, 1))
				}
			}
		}
	}
	if len(all) == 0 {
		return -3, 0
	}
	slices.Sort(all)
	cut := len(all) / 500
	low, high = math.Log10(all[cut])-.04, math.Log10(all[len(all)-1-cut])+.04
	return min(low, high-1), high
}

// logarithms returns decimal logarithms: those of values beyond 1 are 0, those of 0 and of negative values -Inf.
func logarithms(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log10(clamp(v, 0, 1))
	}
	return out
}

// equal returns the edges of n equal bins.
func equal(low, high float64, n int) []float64 {
	edges := make([]float64, n+1)
	for i := range edges {
		edges[i] = low + (high-low)*float64(i)/float64(n)
	}
	return edges
}

// count returns how many values are in each bin, those outside in the first or last.
func count(values, edges []float64) []int {
	counts := make([]int, len(edges)-1)
	for _, v := range values {
		i, found := slices.BinarySearch(edges, v)
		if !found {
			i--
		}
		counts[min(max(i, 0), len(counts)-1)]++
	}
	return counts
}

// outlines returns the upper edge of a histogram whose bars stand on base, a line for each run of bins that are not
// empty, from the axis and back to it.
func outlines(counts []int, height func(count int) float64, base float64, edges []float64) []plotter.XYs {
	var runs []plotter.XYs
	open := false
	for b, c := range counts {
		if c == 0 {
			open = false
			continue
		}
		if !open {
			runs = append(runs, plotter.XYs{{X: edges[b], Y: base}, {X: edges[b], Y: base}})
			open = true
		}
		run := &runs[len(runs)-1]
		y := height(c)
		*run = append((*run)[:len(*run)-1], plotter.XY{X: edges[b], Y: y}, plotter.XY{X: edges[b+1], Y: y}, plotter.XY{X: edges[b+1], Y: base})
	}
	return runs
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

func groupArea(size Size, i int) area {
	c := groupColor(i)
	return area{transparent(c, .3), draw.LineStyle{Color: c, Width: size.Line * .8}}
}

func medianLine(size Size, c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: size.Line, Dashes: size.dashes(1)}
}
