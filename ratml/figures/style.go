package figures

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Size is the format of a figure: its outer measures, and what must grow with them.
type Size struct {
	Width, Height vg.Length
	Font          vg.Length // size of tick labels and legends; titles are as large
	Line          vg.Length // width of curves
	DPI           int       // of PNG
}

// The formats by name.
var (
	// Column fits one column of a two-column paper.
	Column = Size{3.3 * vg.Inch, 2.6 * vg.Inch, vg.Points(8), vg.Points(1.1), 300}
	// Page fits the full width of a paper.
	Page = Size{6.9 * vg.Inch, 3 * vg.Inch, vg.Points(9), vg.Points(1.3), 300}
	// Slide fits a slide of 16:9 with its title.
	Slide = Size{10 * vg.Inch, 5.4 * vg.Inch, vg.Points(18), vg.Points(2.6), 200}
)

// withDefault returns o.Size, or what suits so many panels.
func (o Options) size(panels int) Size {
	switch {
	case o.Size != Size{}:
		return o.Size
	case panels > 1:
		return Page
	}
	return Column
}

// The colours of Okabe and Ito, which colour-blind readers tell apart; yellow is left out, as it does not show on white.
var (
	black      = color.NRGBA{0, 0, 0, 255}
	grey       = color.NRGBA{128, 128, 128, 255}
	lightGrey  = color.NRGBA{225, 225, 225, 255}
	blue       = color.NRGBA{0, 114, 178, 255}
	vermillion = color.NRGBA{213, 94, 0, 255}
	green      = color.NRGBA{0, 158, 115, 255}
	purple     = color.NRGBA{204, 121, 167, 255}
	orange     = color.NRGBA{230, 159, 0, 255}
	sky        = color.NRGBA{86, 180, 233, 255}

	palette = []color.NRGBA{blue, vermillion, green, purple, orange, sky, black}
)

// rightColor and wrongColor mark right and wrong predictions wherever both are shown.
var rightColor, wrongColor = blue, vermillion

// dashes tell classifiers apart where colours tell scores apart, and curves with the same colour.
func (s Size) dashes(i int) []vg.Length {
	patterns := [][]vg.Length{nil, {4, 2}, {1, 1.5}, {5, 1.5, 1, 1.5}}
	var out []vg.Length
	for _, d := range patterns[i%len(patterns)] {
		out = append(out, d*s.Line)
	}
	return out
}

// curve is the line style of the i-th score and the j-th classifier.
func (s Size) curve(i, j int) draw.LineStyle {
	return draw.LineStyle{Color: palette[i%len(palette)], Width: s.Line, Dashes: s.dashes(j + i/len(palette))}
}

// guide is the style of lines that are no data.
func (s Size) guide(dash int) draw.LineStyle {
	return draw.LineStyle{Color: grey, Width: s.Line * .7, Dashes: s.dashes(dash)}
}

// transparent returns c with the given opacity in [0,1].
func transparent(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * opacity))
	return c
}

// labels is how many tick labels there is room for below one of so many panels.
func (s Size) labels(panels int) int { return s.labelsOf(s.columns(panels)) }

// labelsOf is the same for so many panels side by side.
func (s Size) labelsOf(columns int) int {
	return int((s.Width/vg.Length(columns) - 7*s.Font) / (4 * s.Font))
}

// text is the style of all words.
func (s Size) text() text.Style {
	return text.Style{
		Color:   color.Black,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: s.Font},
		Handler: plot.DefaultTextHandler,
	}
}

// newPlot returns an empty plot in the common style.
func (s Size) newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the figure has one
	p.Title.TextStyle.Font = s.text().Font
	p.Title.Padding = s.Font * .4
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = s.text().Font
		a.Label.Padding = s.Font * .3
		a.Tick.Label.Font = s.text().Font
		a.Tick.Length = s.Font * .35
		a.Tick.LineStyle.Width, a.LineStyle.Width = s.Font*.07, s.Font*.07
		a.Padding = s.Font * .25
		a.Tick.Marker = linear(5)
	}
	p.X.Label.Text, p.Y.Label.Text = x, y
	return p
}

// linear marks about n round numbers.
func linear(n int) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(n))))
		for _, m := range []float64{1, 2, 2.5, 5, 10} {
			if (high-low)/(step*m) <= float64(n)+1.5 {
				step *= m
				break
			}
		}
		var ticks []plot.Tick
		for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
			v := i * step
			if i == 0 {
				v = 0 // not -0
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 6, 64)})
		}
		return ticks
	})
}

// decades marks an axis that holds decimal logarithms: powers of ten, and the numbers between them without labels;
// where less than two powers are in sight, some of those get labels too. Powers are left out so
// that there are about n labels. (gonum's own logarithmic axis misplaces what
// it keeps free for the label of the axis.)
func decades(n int) plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		stride := math.Ceil((high - low) / float64(max(n, 1)))
		for e := math.Floor(low); e <= math.Ceil(high); e++ {
			for m := 1.; m < 10; m++ {
				at := e + math.Log10(m)
				if at < low-1e-9 || at > high+1e-9 {
					continue
				}
				t := plot.Tick{Value: at}
				if m == 1 && math.Mod(e, stride) == 0 || high-low < 2 && m == 3 || high-low < 1 && (m == 2 || m == 5) {
					t.Label = strconv.FormatFloat(m*math.Pow(10, e), 'g', 4, 64)
				}
				ticks = append(ticks, t)
			}
		}
		return ticks
	})
}

// groupColor is the colour of right (0) and wrong (1) predictions.
func groupColor(i int) color.NRGBA {
	if i == 0 {
		return rightColor
	}
	return wrongColor
}

// barColor is the colour of the j-th classifier in bars, light enough for the interval to show on it.
func barColor(j int) color.NRGBA {
	return []color.NRGBA{sky, orange, green, purple, lightGrey}[j%5]
}
