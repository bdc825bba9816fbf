package figures

import (
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// RadiusDensity draws the density of the robust radius over right and over wrong predictions, one panel a classifier,
// on a logarithmic axis: what [RadiusHistogram] draws, smoothed, so that classifiers are easily compared. Each density
// has the area 1 where a power of ten is a unit; dashed lines mark the medians, and the title of a panel the AUROC, the
// probability that a right prediction has the larger radius of two.
//
// It is a kernel density estimate in the logarithm of the radius, with a Gaussian kernel of Silverman's width
// (Silverman 1986, equation 3.31), mirrored at the ends of the axis. A radius beyond 1 counts as 1; radii below the
// axis, zero among them, count as its lower end. Nothing is drawn for fewer than two radii.
//
// Without Options.Scores it draws the first of RR-BS, RR-Fast, RR-Exp and RR-Soft that the first report has. It returns
// an error if a report is empty or has not the score.
func RadiusDensity(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: radius density: %w", err)
	}
	scores, err := opts.choose(reports, radii, 1)
	if err != nil {
		return nil, fmt.Errorf("figures: radius density: %w", err)
	}
	name := scores[0]
	size := opts.size(len(reports))
	low, high := radiusRange(reports, scores[:1])
	at := equal(low, high, 240)
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", "prediction", "radius", "density"}}
	var panels []*plot.Plot
	for _, rep := range reports {
		p := size.newPlot(display(name)+" radius (pixel units)", "Density per power of ten")
		p.X.Tick.Marker = decades(size.labels(len(reports)))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, 0, 0
		p.Title.Text = auroc(rep, name)
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run) + ": " + p.Title.Text
		}
		var above []plot.Plotter
		for i, g := range split(rep.Run.Score(name).Values, rep.Run.Correct()) {
			if len(g.values) < 2 {
				continue
			}
			curve := make(plotter.XYs, len(at))
			for j, d := range density(logarithms(g.values), at) {
				curve[j] = plotter.XY{X: at[j], Y: d}
				p.Y.Max = max(p.Y.Max, 1.08*d)
				data.add(rep.Run.Dataset, rep.Run.Model, name, g.name, math.Pow(10, at[j]), d)
			}
			closed := append(append(plotter.XYs{{X: low}}, curve...), plotter.XY{X: high})
			p.Add(shape{closed, area{fill: groupArea(size, i).fill}})
			m := clamp(math.Log10(median(g.values)), low, high)
			above = append(above, path{curve, groupArea(size, i).outline}, path{segment(m, 0, m, 1e3), medianLine(size, groupColor(i))})
		}
		p.Add(above...)
		panels = append(panels, p)
	}
	legend := []entry{{"right predictions", boxSample(groupArea(size, 0))}, {"wrong predictions", boxSample(groupArea(size, 1))},
		{"medians", lineSample(medianLine(size, black))}}
	return newFigure(size, data, legend, panels...), nil
}

// density estimates the density of values at ascending places, the first and last of which are the ends of what there
// can be; values beyond them count as these ends.
func density(values, at []float64) []float64 {
	low, high := at[0], at[len(at)-1]
	sorted := make([]float64, len(values))
	for i, v := range values {
		sorted[i] = clamp(v, low, high)
	}
	slices.Sort(sorted)
	width := max(silverman(sorted), (high-low)/200)
	reach := 5 * width // beyond, the kernel is below 4e-6 of its height
	norm := 1 / (width * math.Sqrt(2*math.Pi) * float64(len(values)))
	out := make([]float64, len(at))
	for j, x := range at {
		for _, mirrored := range []float64{x, 2*low - x, 2*high - x} {
			first, _ := slices.BinarySearch(sorted, mirrored-reach)
			for _, v := range sorted[first:] {
				if v > mirrored+reach {
					break
				}
				z := (v - mirrored) / width
				out[j] += norm * math.Exp(-z*z/2)
			}
		}
	}
	return out
}

// silverman returns the rule-of-thumb width of the kernel for ascending values.
func silverman(sorted []float64) float64 {
	spread := stat.StdDev(sorted, nil)
	quartiles := stat.Quantile(.75, stat.Empirical, sorted, nil) - stat.Quantile(.25, stat.Empirical, sorted, nil)
	if quartiles > 0 {
		spread = min(spread, quartiles/1.34)
	}
	return .9 * spread * math.Pow(float64(len(sorted)), -.2)
}

// auroc returns the AUROC of a score in words.
func auroc(rep *report.Report, score string) string {
	curve, err := rep.Run.Curve(score)
	if err != nil || math.IsNaN(curve.AUROC()) {
		return "AUROC undefined"
	}
	return fmt.Sprintf("AUROC %.1f %%", 100*curve.AUROC())
}
