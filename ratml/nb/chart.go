package nb

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

const (
	panelWidth  = 3.3 // inches
	panelHeight = 2.3
	chartDPI    = 2 * pixelsPerInch // two pixels a CSS pixel

	noisy   = 100 // points of a curve that is smoothed
	dotted  = 40  // points of a curve that shows each of them
	windows = 20  // of a curve that is smoothed
)

// The colours of Okabe and Ito, which colour-blind readers tell apart.
var colors = []color.NRGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {0, 0, 0, 255}}

// chartInches returns the size of a chart of some panels.
func chartInches(panels int) (width, height float64) {
	return float64(panels) * panelWidth, panelHeight
}

// encodePNG draws the chart.
func (c *Curves) encodePNG(w io.Writer, width, height float64) error {
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(
		vgimg.UseWH(vg.Length(width)*vg.Inch, vg.Length(height)*vg.Inch), vgimg.UseDPI(chartDPI))}
	all := draw.New(canvas)
	for i, p := range c.panels {
		left := all.Min.X + vg.Length(i)*panelWidth*vg.Inch
		area := draw.Canvas{Canvas: all.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left + vg.Points(4), Y: all.Min.Y + vg.Points(4)},
			Max: vg.Point{X: left + panelWidth*vg.Inch - vg.Points(8), Y: all.Max.Y - vg.Points(4)},
		}}
		if err := c.drawPanel(area, p, i == 0); err != nil {
			return fmt.Errorf("nb: curves of %s: %w", p.name, err)
		}
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("nb: curves: %w", err)
	}
	return nil
}

// drawPanel draws a panel below its legend, and the first below the title of the chart too.
func (c *Curves) drawPanel(area draw.Canvas, p *panel, first bool) error {
	plt := plot.New()
	style := sans(plt.Title.TextStyle)
	plt.Title.TextStyle, plt.Title.Padding = style, vg.Points(2)
	for _, a := range []*plot.Axis{&plt.X, &plt.Y} {
		a.Label.TextStyle, a.Tick.Label = sans(a.Label.TextStyle), sans(a.Tick.Label)
		a.Tick.Marker = roundTicks{}
	}
	plt.X.Label.Text, plt.Y.Label.Text = c.X, p.name
	if c.X == "" {
		plt.X.Label.Text = "step"
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{230}, color.Gray{230}
	plt.Add(grid)

	strip := vg.Points(13)
	at := area.Min.X
	for i, s := range p.curves {
		paint := colors[i%len(colors)]
		line, err := s.plot(plt, paint)
		if err != nil {
			return err
		}
		if len(p.curves) > 1 || s.name != p.name {
			at = label(area, at, style, s.name, line)
		}
	}
	if first && c.title != "" {
		title := style
		title.XAlign, title.YAlign = draw.XLeft, draw.YTop
		area.FillText(title, vg.Point{X: area.Min.X, Y: area.Max.Y}, c.title)
	}
	plt.Draw(draw.Crop(area, 0, 0, 0, -2*strip))
	return nil
}

// label writes the name of a curve into the legend, a line of names, and returns where the next one goes.
func label(area draw.Canvas, at vg.Length, style text.Style, name string, line *plotter.Line) vg.Length {
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	y := area.Max.Y - vg.Points(19)
	area.StrokeLine2(line.LineStyle, at, y, at+vg.Points(12), y)
	at += vg.Points(15)
	area.FillText(style, vg.Point{X: at, Y: y}, name)
	return at + style.Width(name) + vg.Points(10)
}

// plot adds the curve to a plot and returns its line.
func (s *curve) plot(plt *plot.Plot, paint color.NRGBA) (*plotter.Line, error) {
	shown := s.points
	if len(s.points) > noisy {
		raw, err := plotter.NewLine(xys(s.points))
		if err != nil {
			return nil, err
		}
		pale := paint
		pale.A = 70
		raw.LineStyle.Color, raw.LineStyle.Width = pale, vg.Points(.6)
		plt.Add(raw)
		shown = s.smooth(len(s.points) / windows)
	}
	line, err := plotter.NewLine(xys(shown))
	if err != nil {
		return nil, err
	}
	line.LineStyle.Color, line.LineStyle.Width = paint, vg.Points(1.3)
	plt.Add(line)
	if len(shown) <= dotted {
		dots, err := plotter.NewScatter(xys(shown))
		if err != nil {
			return nil, err
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: paint, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}
		plt.Add(dots)
	}
	return line, nil
}

func xys(points []point) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		out[i] = plotter.XY{X: p.x, Y: p.y}
	}
	return out
}

func sans(s text.Style) text.Style {
	s.Font.Typeface, s.Font.Variant, s.Font.Size = "Liberation", "Sans", font.Length(vg.Points(8))
	return s
}

// text is what front ends without pictures show: the last value of every curve.
func (c *Curves) text() string {
	var b strings.Builder
	b.WriteString(c.title)
	for _, p := range c.panels {
		for _, s := range p.curves {
			last := s.points[len(s.points)-1]
			name := p.name + "/" + s.name
			if len(p.curves) == 1 && s.name == p.name {
				name = p.name
			}
			fmt.Fprintf(&b, "\n%s %.4g at %g", name, last.y, last.x)
		}
	}
	return b.String()
}
