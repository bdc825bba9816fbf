package figures

import (
	"fmt"
	"math"
	"strings"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// ROC draws the receiver operating characteristic of scores as detectors of errors, one panel a classifier: the share of
// the errors that are caught over the share of the right predictions that are flagged with them, when all predictions
// below a threshold are flagged. With Options.Positive = misd.PositiveSuccess it is the share of the right predictions
// that are accepted over the share of the errors that are accepted with them, which mirrors the curves and leaves their
// area. Dots mark where 95 % are first reached: to the left lies the metric fpr95_error or fpr95_success. The legend has
// the AUROC in percent, of each classifier in the order of the panels.
//
// Curves have a point at every distinct confidence, but for points closer than a thousandth of the axes. Without
// Options.Scores it draws the same scores as [RiskCoverage]. It returns an error if a report is empty or has not the
// scores asked for, or if a score is NaN somewhere.
func ROC(reports []*report.Report, opts Options) (*Figure, error) {
	kind := detection{
		name: "ROC", area: "AUROC", columns: [2]string{"fpr", "tpr"},
		x: "Right predictions flagged (%)", y: "Errors caught (%)",
		value: (*misd.Curve).AUROC, points: rocPoints(opts.Positive),
		decorate: func(p *plot.Plot, size Size, _ float64) {
			p.Add(path{segment(0, 0, 100, 100), size.guide(1)}, path{segment(0, 95, 100, 95), size.guide(2)})
		},
		legend: func(size Size) []entry {
			return []entry{{"chance", lineSample(size.guide(1))}, {"95 %", lineSample(size.guide(2))}}
		},
		mark: 95,
	}
	if opts.Positive == misd.PositiveSuccess {
		kind.x, kind.y = "Errors accepted (%)", "Right predictions accepted (%)"
	}
	return kind.draw(reports, opts)
}

// PrecisionRecall draws the precision of scores as detectors of errors over their recall, one panel a classifier: the
// share of errors among the predictions that are flagged, over the share of all errors that are among them. With
// Options.Positive = misd.PositiveSuccess it is the share of right predictions among the accepted over the share of all
// right ones that are among them. The precision is constant between two recalls, so that the area under a curve is the
// average precision, the metric aupr_error or aupr_success, which the legend has in percent for each classifier in the
// order of the panels. The dashed line is the precision of a random ranking.
//
// Steps of less than 0.2 % of recall are joined to their mean. Scores and errors are as those of [ROC].
func PrecisionRecall(reports []*report.Report, opts Options) (*Figure, error) {
	kind := detection{
		name: "precision-recall", area: "AUPR", columns: [2]string{"recall", "precision"},
		x: "Recall: errors caught (%)", y: "Precision: errors among flagged (%)",
		value:  func(c *misd.Curve) float64 { return c.AveragePrecision(opts.Positive) },
		points: precisionPoints(opts.Positive),
		decorate: func(p *plot.Plot, size Size, errorRate float64) {
			share := errorRate
			if opts.Positive == misd.PositiveSuccess {
				share = 1 - errorRate
				p.Y.Min = 10 * math.Floor(9*share)
			}
			p.Add(path{segment(0, 100*share, 100, 100*share), size.guide(1)})
		},
		legend: func(size Size) []entry { return []entry{{"chance", lineSample(size.guide(1))}} },
	}
	if opts.Positive == misd.PositiveSuccess {
		kind.x, kind.y = "Recall: right ones accepted (%)", "Precision: right among accepted (%)"
	}
	return kind.draw(reports, opts)
}

// detection is what curves of detectors have in common.
type detection struct {
	name, area string
	columns    [2]string
	x, y       string
	value      func(*misd.Curve) float64
	points     func(*misd.Curve) plotter.XYs // plain fractions
	decorate   func(p *plot.Plot, size Size, errorRate float64)
	legend     func(Size) []entry
	mark       float64 // height, in percent, at whose first crossing a dot is set; 0 for none
}

func (k detection) draw(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: %s: %w", k.name, err)
	}
	scores, err := opts.choose(reports, ranked, 4)
	if err != nil {
		return nil, fmt.Errorf("figures: %s: %w", k.name, err)
	}
	size := opts.size(len(reports))
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "score", k.columns[0], k.columns[1]}}
	areas := make([][]string, len(scores))
	var panels []*plot.Plot
	for _, rep := range reports {
		p := size.newPlot(k.x, k.y)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 100
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run)
		}
		k.decorate(p, size, errorRate(rep.Run.Correct()))
		var marks []plot.Plotter
		for i, name := range scores {
			curve, err := rep.Run.Curve(name)
			if err != nil {
				return nil, fmt.Errorf("figures: %s: %w", k.name, err)
			}
			areas[i] = append(areas[i], percent(k.value(curve)))
			points := k.points(curve)
			for j, at := range points {
				data.add(rep.Run.Dataset, rep.Run.Model, name, at.X, at.Y)
				points[j] = plotter.XY{X: 100 * at.X, Y: 100 * at.Y}
			}
			p.Add(path{points, size.curve(i, 0)})
			if at, ok := crossing(points, k.mark); ok {
				marks = append(marks, dots{plotter.XYs{at}, draw.GlyphStyle{Color: palette[i%len(palette)], Radius: size.Font * .2, Shape: draw.CircleGlyph{}}})
			}
		}
		p.Add(marks...)
		panels = append(panels, p)
	}
	var legend []entry
	for i, name := range scores {
		text := display(name) + ", " + k.area + " " + strings.Join(areas[i], " / ") + " %"
		legend = append(legend, entry{text, lineSample(size.curve(i, 0))})
	}
	return newFigure(size, data, append(legend, k.legend(size)...), panels...), nil
}

// percent returns a share as people read it, or a dash where there is none.
func percent(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*share)
}

// crossing returns the first point at a height or above.
func crossing(points plotter.XYs, height float64) (plotter.XY, bool) {
	for _, at := range points {
		if height > 0 && at.Y >= height {
			return at, true
		}
	}
	return plotter.XY{}, false
}

func rocPoints(positive misd.Positive) func(*misd.Curve) plotter.XYs {
	return func(c *misd.Curve) plotter.XYs {
		var out plotter.XYs
		roc := c.ROC(positive)
		for i, at := range roc {
			xy := plotter.XY{X: at.FPR, Y: at.TPR}
			if i > 0 && i < len(roc)-1 && near(xy, out[len(out)-1]) && !(xy.Y >= .95 && out[len(out)-1].Y < .95) {
				continue
			}
			out = append(out, xy)
		}
		return out
	}
}

func near(a, b plotter.XY) bool {
	return math.Abs(a.X-b.X) < 1e-3 && math.Abs(a.Y-b.Y) < 1e-3
}

// precisionPoints returns the corners of the step function whose area is the average precision.
func precisionPoints(positive misd.Positive) func(*misd.Curve) plotter.XYs {
	return func(c *misd.Curve) plotter.XYs {
		const narrowest = .002
		var out plotter.XYs
		recall, start, sum := 0., 0., 0. // of the step under construction
		points := c.PrecisionRecall(positive)
		for i, at := range points {
			sum += (at.Recall - recall) * at.Precision
			recall = at.Recall
			if recall-start >= narrowest || i == len(points)-1 && recall > start {
				mean := sum / (recall - start)
				out = append(out, plotter.XY{X: start, Y: mean}, plotter.XY{X: recall, Y: mean})
				start, sum = recall, 0
			}
		}
		return out
	}
}
