package figures

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// shownPoints bounds the points of one kind in a panel: more would only hide each other.
const shownPoints = 800

// RadiusAgreement draws one radius estimate against another, RR-Fast over RR-BS unless Options.Scores names two, one
// point an image and one panel a classifier, with Spearman's rank correlation over all images. Both axes are
// logarithmic and equal, the dashed line is where the two agree. Radii beyond 1, of images that a search never flipped,
// are drawn at 1, those below the axes on their edge. Where there are more than 800 right or wrong predictions, a random
// choice of them is drawn, which the legend says.
//
// It returns an error if a report is empty or has not both scores.
func RadiusAgreement(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: radius agreement: %w", err)
	}
	scores, err := opts.choose(reports, radii, 2)
	if err == nil && len(scores) != 2 {
		err = fmt.Errorf("needs two scores, has %v", scores)
	}
	if err != nil {
		return nil, fmt.Errorf("figures: radius agreement: %w", err)
	}
	size := opts.size(len(reports))
	low, high := radiusRange(reports, scores)
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "index", "prediction", scores[0], scores[1]}}
	var panels []*plot.Plot
	var all, shown [2]int
	for _, rep := range reports {
		p := size.newPlot(display(scores[0])+" radius (pixel units)", display(scores[1])+" radius (pixel units)")
		p.X.Tick.Marker, p.X.Min, p.X.Max = decades(size.labels(len(reports))), low, high
		p.Y.Tick.Marker, p.Y.Min, p.Y.Max = decades(8), low, high
		x, y := rep.Run.Score(scores[0]).Values, rep.Run.Score(scores[1]).Values
		p.Title.Text = fmt.Sprintf("Spearman's ρ = %.3f", spearman(x, y))
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run) + ": ρ = " + p.Title.Text[len("Spearman's ρ = "):]
		}
		p.Add(path{segment(low, low, high, high), size.guide(1)})
		logX, logY := logarithms(x), logarithms(y)
		var marks []plot.Plotter
		for i, g := range split(x, rep.Run.Correct()) {
			chosen := sample(g.index, shownPoints, opts.Seed)
			all[i], shown[i] = all[i]+len(g.index), shown[i]+len(chosen)
			for _, at := range chosen {
				xy := plotter.XYs{{X: clamp(logX[at], low, high), Y: clamp(logY[at], low, high)}}
				marks = append(marks, dots{xy, agreementDot(size, i)})
				data.add(rep.Run.Dataset, rep.Run.Model, at, g.name, x[at], y[at])
			}
		}
		// In random order, neither kind hides the other.
		rng := rand.New(rand.NewPCG(opts.Seed, 3))
		rng.Shuffle(len(marks), func(i, j int) { marks[i], marks[j] = marks[j], marks[i] })
		p.Add(marks...)
		panels = append(panels, p)
	}
	var legend []entry
	for i, name := range []string{"right", "wrong"} {
		if shown[i] < all[i] {
			name += fmt.Sprintf(" (%d of %d)", shown[i], all[i])
		}
		dot := agreementDot(size, i)
		dot.Color, dot.Radius = groupColor(i), size.Font*.25
		legend = append(legend, entry{name, dotSample(dot)})
	}
	legend = append(legend, entry{"equal radii", lineSample(size.guide(1))})
	return newFigure(size, data, legend, panels...), nil
}

// agreementDot is small and translucent, so that density shows.
func agreementDot(size Size, i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: transparent(groupColor(i), .45), Radius: size.Font * .14, Shape: draw.CircleGlyph{}}
}

// sample returns up to n of the indices, ascending.
func sample(index []int, n int, seed uint64) []int {
	if len(index) <= n {
		return index
	}
	index = slices.Clone(index)
	rng := rand.New(rand.NewPCG(seed, 2))
	rng.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })
	slices.Sort(index[:n])
	return index[:n]
}

// spearman returns the rank correlation; equal values share their mean rank.
func spearman(x, y []float64) float64 { return stat.Correlation(ranks(x), ranks(y), nil) }

func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(v))
	for first := 0; first < len(order); {
		last := first
		for last+1 < len(order) && v[order[last+1]] == v[order[first]] {
			last++
		}
		for _, i := range order[first : last+1] {
			out[i] = float64(first+last) / 2
		}
		first = last + 1
	}
	return out
}
