package figures

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Marks are drawn by small plotters of our own where gonum/plot has none that clips to the axes.

// path is a line through points, cut off at the axes.
type path struct {
	points plotter.XYs
	style  draw.LineStyle
}

func (l path) Plot(c draw.Canvas, p *plot.Plot) {
	c.StrokeLines(l.style, c.ClipLinesXY(transform(c, p, l.points))...)
}

// area is how a shape is filled and outlined.
type area struct {
	fill    color.Color
	outline draw.LineStyle
}

func (a area) draw(c *draw.Canvas, ps []vg.Point) {
	if len(ps) == 0 {
		return
	}
	if a.fill != nil {
		c.FillPolygon(a.fill, ps)
	}
	if a.outline.Width > 0 {
		c.StrokeLines(a.outline, append(ps, ps[0]))
	}
}

// shape is a filled polygon, cut off at the axes.
type shape struct {
	points plotter.XYs
	area   area
}

func (s shape) Plot(c draw.Canvas, p *plot.Plot) {
	s.area.draw(&c, c.ClipPolygonXY(transform(c, p, s.points)))
}

// dots are glyphs at points; those outside the axes are left out.
type dots struct {
	points plotter.XYs
	style  draw.GlyphStyle
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	for _, at := range transform(c, p, d.points) {
		c.DrawGlyph(d.style, at)
	}
}

func transform(c draw.Canvas, p *plot.Plot, points plotter.XYs) []vg.Point {
	x, y := p.Transforms(&c)
	out := make([]vg.Point, len(points))
	for i, at := range points {
		out[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
	}
	return out
}

// box returns the corners of a rectangle.
func box(x0, y0, x1, y1 float64) plotter.XYs {
	return plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// segment returns the ends of a straight line.
func segment(x0, y0, x1, y1 float64) plotter.XYs {
	return plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y1}}
}
