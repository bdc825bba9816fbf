package figures

import (
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
)

// ConfidenceHistogram draws how many right and how many wrong predictions have which confidence, one panel a classifier:
// the wrong ones at the right end are the mistakes that no threshold catches. The vertical axis is logarithmic, so that
// few are seen beside many. The horizontal axis holds the middle 99.8 % of the values, of a score in [0,1] the multiples
// of a tenth around them; what lies beyond counts in the first and the last bin.
//
// Without Options.Scores it draws the first of MSR, MLS and the radii that the first report has. It returns an error if a
// report is empty or has not the score.
func ConfidenceHistogram(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: confidence histogram: %w", err)
	}
	scores, err := opts.choose(reports, append([]string{"MSR", "MLS"}, radii...), 1)
	if err != nil {
		return nil, fmt.Errorf("figures: confidence histogram: %w", err)
	}
	name := scores[0]
	size := opts.size(len(reports))
	low, high := confidenceRange(reports, name)
	edges := equal(low, high, 25)
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", "prediction", "confidence_low", "confidence_high", "images"}}
	base := math.Log10(.7)
	var panels []*plot.Plot
	for _, rep := range reports {
		p := size.newPlot(confidenceAxis(name), "Predictions")
		p.X.Tick.Marker = linear(min(5, size.labels(len(reports))))
		p.Y.Tick.Marker = decades(6)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, base, 1
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run)
		}
		for i, g := range split(rep.Run.Score(name).Values, rep.Run.Correct()) {
			counts := count(g.values, edges)
			for b, c := range counts {
				data.add(rep.Run.Dataset, rep.Run.Model, name, g.name, edges[b], edges[b+1], c)
				p.Y.Max = max(p.Y.Max, math.Log10(float64(max(c, 1)))+.15)
			}
			height := func(c int) float64 { return math.Log10(float64(c)) }
			for _, run := range outlines(counts, height, base, edges) {
				p.Add(shape{run, area{fill: groupArea(size, i).fill}}, path{run, groupArea(size, i).outline})
			}
		}
		panels = append(panels, p)
	}
	legend := []entry{{"right predictions", boxSample(groupArea(size, 0))}, {"wrong predictions", boxSample(groupArea(size, 1))}}
	return newFigure(size, data, legend, panels...), nil
}

func confidenceAxis(score string) string {
	switch {
	case score == "MSR":
		return "Largest softmax probability"
	case slices.Contains(radii, score):
		return display(score) + " radius (pixel units)"
	}
	return display(score)
}

// confidenceRange returns the ends of an axis for a score of all reports.
func confidenceRange(reports []*report.Report, score string) (low, high float64) {
	var all []float64
	for _, rep := range reports {
		for _, v := range rep.Run.Score(score).Values {
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				all = append(all, v)
			}
		}
	}
	if len(all) == 0 {
		return 0, 1
	}
	slices.Sort(all)
	cut := len(all) / 1000
	low, high = all[cut], all[len(all)-1-cut]
	if all[0] >= 0 && all[len(all)-1] <= 1 && high > .1 {
		low, high = math.Floor(10*low)/10, math.Ceil(10*high)/10
	}
	if low == high {
		return low - .5, high + .5
	}
	return low, high
}
