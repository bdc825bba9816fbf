package figures

import (
	"fmt"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

const reliabilityBins = 15

// Reliability draws how far the largest softmax probability can be read as a probability: the accuracy of predictions
// over their confidence in 15 equal bins with 95 % Clopper-Pearson intervals, one panel a classifier, with its ECE. A
// calibrated classifier follows the diagonal; points below it are overconfident. Grey bars show the share of the
// predictions that fall in each bin.
//
// It returns an error if a report is empty or its run has no logits.
func Reliability(reports []*report.Report, opts Options) (*Figure, error) {
	if err := check(reports); err != nil {
		return nil, fmt.Errorf("figures: reliability: %w", err)
	}
	size := opts.size(len(reports))
	data := Table{Command: opts.Command, Header: []string{"dataset", "model", "confidence_low", "confidence_high", "images", "confidence", "accuracy", "low", "high"}}
	var panels []*plot.Plot
	for _, rep := range reports {
		c, err := rep.Run.Calibration()
		if err != nil {
			return nil, fmt.Errorf("figures: reliability: %w", err)
		}
		p := size.newPlot("Confidence (%)", "Accuracy (%)")
		p.Title.Text = fmt.Sprintf("ECE %.1f %%", 100*c.ECE(reliabilityBins))
		if len(reports) > 1 {
			p.Title.Text = title(rep.Run) + ": " + p.Title.Text
		}
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 100
		p.Add(path{segment(0, 0, 100, 100), size.guide(1)})
		var points plotter.XYs
		for _, b := range c.Reliability(reliabilityBins) {
			share := 100 * float64(b.N) / float64(c.Len())
			p.Add(shape{box(100*b.Lower, 0, 100*b.Upper, share), area{fill: lightGrey}})
			low, high := accuracyInterval(b)
			data.add(rep.Run.Dataset, rep.Run.Model, b.Lower, b.Upper, b.N, b.Confidence, b.Accuracy, low, high)
			if b.N > 0 {
				points = append(points, plotter.XY{X: 100 * b.Confidence, Y: 100 * b.Accuracy})
				p.Add(path{segment(100*b.Confidence, 100*low, 100*b.Confidence, 100*high), thin(size)})
			}
		}
		p.Add(dots{points, accuracyDot(size)})
		panels = append(panels, p)
	}
	legend := []entry{
		{"accuracy", dotOnWhisker{accuracyDot(size), thin(size)}},
		{"calibrated", lineSample(size.guide(1))},
		{"share of predictions", boxSample(area{fill: lightGrey})},
	}
	return newFigure(size, data, legend, panels...), nil
}

// accuracyInterval returns the 95 % Clopper-Pearson interval of the accuracy in a bin.
func accuracyInterval(b misd.Bin) (low, high float64) {
	if b.N == 0 {
		return 0, 1
	}
	right := int(b.Accuracy*float64(b.N) + .5)
	most, err := misd.ClopperPearsonUpper(b.N-right, b.N, .025)
	if err != nil { // cannot be: 0 <= right <= N
		return 0, 1
	}
	high, err = misd.ClopperPearsonUpper(right, b.N, .025)
	if err != nil {
		return 0, 1
	}
	return 1 - most, high
}

func thin(size Size) draw.LineStyle {
	return draw.LineStyle{Color: palette[0], Width: size.Line * .7}
}

func accuracyDot(size Size) draw.GlyphStyle {
	return draw.GlyphStyle{Color: palette[0], Radius: size.Font * .22, Shape: draw.CircleGlyph{}}
}

// dotOnWhisker shows a point with its interval in the legend.
type dotOnWhisker struct {
	dot  draw.GlyphStyle
	line draw.LineStyle
}

func (s dotOnWhisker) Thumbnail(c *draw.Canvas) {
	at := c.Center()
	c.StrokeLine2(s.line, at.X, c.Min.Y, at.X, c.Max.Y)
	c.DrawGlyphNoClip(s.dot, at)
}
