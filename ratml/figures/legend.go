package figures

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry is one sample and its name in the legend.
type entry struct {
	name   string
	sample plot.Thumbnailer
}

// drawLegend draws the legend along the upper edge of c, in as many centred rows as it needs, and returns the height
// that it took.
func (f *Figure) drawLegend(c draw.Canvas) vg.Length {
	if len(f.legend) == 0 {
		return 0
	}
	style := f.size.text()
	style.YAlign = draw.YCenter
	sample, space, height := 2*f.size.Font, f.size.Font*.4, f.size.Font*1.35
	width := func(e entry) vg.Length { return sample + space + style.Width(e.name) }

	y := c.Max.Y
	for _, row := range rows(f.legend, width, 3*space, c.Size().X) {
		total := 3 * space * vg.Length(len(row)-1)
		for _, e := range row {
			total += width(e)
		}
		x := c.Center().X - total/2
		for _, e := range row {
			box := c
			box.Min, box.Max = vg.Point{X: x, Y: y - height*.8}, vg.Point{X: x + sample, Y: y - height*.2}
			e.sample.Thumbnail(&box)
			c.FillText(style, vg.Point{X: x + sample + space, Y: y - height/2 + f.size.Font*.08}, e.name)
			x += width(e) + 3*space
		}
		y -= height
	}
	return c.Max.Y - y + f.size.Font*.4
}

// rows breaks entries into rows that are no wider than limit where that is possible.
func rows(entries []entry, width func(entry) vg.Length, gap, limit vg.Length) [][]entry {
	var out [][]entry
	var used vg.Length
	for _, e := range entries {
		w := width(e)
		if len(out) == 0 || used+gap+w > limit {
			out, used = append(out, nil), -gap
		}
		out[len(out)-1] = append(out[len(out)-1], e)
		used += gap + w
	}
	return out
}

// lineSample shows a line in the legend.
type lineSample draw.LineStyle

func (s lineSample) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	c.StrokeLine2(draw.LineStyle(s), c.Min.X, y, c.Max.X, y)
}

// boxSample shows a filled area.
type boxSample area

func (s boxSample) Thumbnail(c *draw.Canvas) {
	area(s).draw(c, []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Min.X, Y: c.Max.Y}})
}

// dotSample shows a point.
type dotSample draw.GlyphStyle

func (s dotSample) Thumbnail(c *draw.Canvas) {
	c.DrawGlyphNoClip(draw.GlyphStyle(s), c.Center())
}
