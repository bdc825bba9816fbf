package figures

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a drawing of one panel or several, and the numbers in it. Panels stand side by side as far as the width
// allows, further ones below them.
type Figure struct {
	Panels        []*plot.Plot // row by row, to be changed at will before the figure is saved
	Width, Height vg.Length
	Data          Table

	// Theme is the page that the figure is shown on.
	Theme Theme
	// Transparent leaves out the ground, for pages whose colour is that of the theme about; otherwise it is white or
	// near-black.
	Transparent bool

	legend  []entry
	size    Size
	columns int  // panels side by side; 0 is as many as the width allows
	even    bool // a unit is as long on the vertical as on the horizontal axis
}

// Save writes the figure to a file in the format that its ending names, .png, .svg or .pdf, and its data beside it
// under the same name with .csv. Files that are there are replaced in one step each.
func (f *Figure) Save(path string) error {
	ext := filepath.Ext(path)
	encode := map[string]func(io.Writer) error{".png": f.EncodePNG, ".svg": f.EncodeSVG, ".pdf": f.EncodePDF}[ext]
	if encode == nil {
		return fmt.Errorf("figures: writing %s: the ending %q is none of .png, .svg, .pdf", path, ext)
	}
	if err := atomicfile.Write(path, encode); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	if err := atomicfile.Write(strings.TrimSuffix(path, ext)+".csv", f.Data.encode); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return nil
}

// EncodePNG writes the figure as PNG.
func (f *Figure) EncodePNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.Width, wholePixels(f.Height, f.size.DPI)), vgimg.UseDPI(f.size.DPI), vgimg.UseBackgroundColor(color.Transparent))
	return f.encode(w, vgimg.PngCanvas{Canvas: c})
}

// wholePixels rounds a length up: half a pixel at the edge would be transparent.
func wholePixels(l vg.Length, dpi int) vg.Length {
	return vg.Length(math.Ceil(l.Dots(float64(dpi)))) * vg.Inch / vg.Length(dpi)
}

// EncodeSVG writes the figure as SVG. Its font is Liberation Sans or, where that is missing, Arial, which is as wide.
func (f *Figure) EncodeSVG(w io.Writer) error {
	var b bytes.Buffer
	if err := f.encode(&b, vgsvg.New(f.Width, f.Height)); err != nil {
		return err
	}
	_, err := svgRepairs.WriteString(w, b.String())
	return err
}

var svgRepairs = strings.NewReplacer(
	"font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif",
	"data:image/jpg;base64,iVBORw", "data:image/png;base64,iVBORw", // vgsvg gives PNG a wrong type, which not all viewers forgive
)

// EncodePDF writes the figure as PDF with its fonts embedded.
func (f *Figure) EncodePDF(w io.Writer) error {
	return f.encode(w, newPDFCanvas(f.Width, f.Height))
}

func (f *Figure) encode(w io.Writer, c interface {
	vg.CanvasSizer
	io.WriterTo
}) (err error) {
	defer func() { // gonum/plot panics on what it cannot draw, such as a logarithmic axis that was given a 0
		if p := recover(); p != nil {
			err = fmt.Errorf("figures: drawing: %v", p)
		}
	}()
	f.Draw(draw.New(c))
	_, err = c.WriteTo(w)
	return err
}

// Inches returns the width and height of the figure.
func (f *Figure) Inches() (width, height float64) {
	return float64(f.Width / vg.Inch), float64(f.Height / vg.Inch)
}

// Draw draws the figure on a canvas: the legend in a strip at the top, the panels below it with aligned axes.
func (f *Figure) Draw(c draw.Canvas) {
	if !f.Transparent {
		c.SetColor(f.Theme.ground())
		c.Fill(c.Rectangle.Path())
	}
	c.Canvas = themed{c.Canvas, f.Theme}
	margin := f.size.Font * .6
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c = draw.Crop(c, 0, 0, 0, -f.drawLegend(c))
	columns := f.columns
	if columns == 0 {
		columns = f.size.columns(len(f.Panels))
	}
	tiles := draw.Tiles{Rows: (len(f.Panels) + columns - 1) / columns, Cols: columns, PadX: f.size.Font * 1.5, PadY: f.size.Font}
	grid := make([][]*plot.Plot, tiles.Rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, columns)
		copy(grid[i], f.Panels[i*columns:])
	}
	for i, row := range plot.Align(grid, tiles, c) {
		for j, panel := range row {
			switch p := grid[i][j]; {
			case p == nil:
			case f.even:
				p.Draw(evenly(p, panel))
			default:
				p.Draw(panel)
			}
		}
	}
}

// columns is how many of n panels stand side by side.
func (s Size) columns(n int) int {
	narrowest := 20 * s.Font // what a panel needs for its title and the labels of its axes
	return max(1, min(n, int(s.Width/narrowest)))
}

// narrowColumns is columns where titles are short and horizontal axes have few labels.
func (s Size) narrowColumns(n int) int {
	return max(1, min(n, int(s.Width/(16*s.Font))))
}

// evenly returns the part of a canvas, around its middle, in which a unit is as long on both axes of p.
func evenly(p *plot.Plot, c draw.Canvas) draw.Canvas {
	data := p.DataCanvas(c)
	width, height := data.Size().X, data.Size().Y
	if wanted := height * vg.Length((p.X.Max-p.X.Min)/(p.Y.Max-p.Y.Min)); wanted < width {
		return draw.Crop(c, (width-wanted)/2, -(width-wanted)/2, 0, 0)
	}
	wanted := width * vg.Length((p.Y.Max-p.Y.Min)/(p.X.Max-p.X.Min))
	return draw.Crop(c, 0, 0, (height-wanted)/2, -(height-wanted)/2)
}

// newFigure puts panels together. They share the vertical axis of the first; only the leftmost of a row keep its label.
// Further rows make the figure higher.
func newFigure(size Size, data Table, legend []entry, panels ...*plot.Plot) *Figure {
	return alike(size, size.columns(len(panels)), data, legend, panels...)
}

// alike is newFigure with so many panels side by side.
func alike(size Size, columns int, data Table, legend []entry, panels ...*plot.Plot) *Figure {
	for _, p := range panels[1:] {
		panels[0].Y.Min, panels[0].Y.Max = min(panels[0].Y.Min, p.Y.Min), max(panels[0].Y.Max, p.Y.Max)
	}
	for i, p := range panels {
		p.Y.Min, p.Y.Max = panels[0].Y.Min, panels[0].Y.Max
		if i%columns > 0 {
			p.Y.Label.Text = ""
		}
	}
	return independent(size, columns, data, legend, panels...)
}

// independent puts panels together that have a vertical axis each, so many side by side.
func independent(size Size, columns int, data Table, legend []entry, panels ...*plot.Plot) *Figure {
	rows := (len(panels) + columns - 1) / columns
	return &Figure{
		Panels: panels, Width: size.Width, Height: size.Height * vg.Length(rows), Data: data,
		legend: legend, size: size, columns: columns,
	}
}
