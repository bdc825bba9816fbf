package figures

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Tile is one image with what a classifier says of it.
type Tile struct {
	Image       image.Image
	Index       int     // of the image in its data set
	Label, Pred string  // names of the true and the predicted class
	Confidence  float64 // the largest softmax probability; NaN to leave it out
	Radius      float64 // in pixel units; NaN to leave it out
}

// ImageRow is a titled group of images, such as the worst mistakes.
type ImageRow struct {
	Title string
	Tiles []Tile
}

// Images draws images in a grid, group by group, each with its label and prediction, its radius and its confidence below
// it, and in a frame whose colour says whether the prediction is right. The figure grows in height with the number of
// images. [ConfidentMistakes] and [DoubtfulSuccesses] choose some that are worth a look.
//
// It returns an error if there are no images or one is empty.
func Images(rows []ImageRow, opts Options) (*Figure, error) {
	size := opts.size(1)
	data := Table{Command: opts.Command, Header: []string{"group", "index", "label", "prediction", "confidence", "radius"}}
	for _, row := range rows {
		for _, t := range row.Tiles {
			if t.Image == nil || t.Image.Bounds().Empty() {
				return nil, fmt.Errorf("figures: images: number %d of %q is empty", t.Index, row.Title)
			}
			data.add(row.Title, t.Index, t.Label, t.Pred, t.Confidence, t.Radius)
		}
	}
	if len(data.Rows) == 0 {
		return nil, errors.New("figures: images: there are none to draw")
	}
	p := size.newPlot("", "")
	p.HideAxes()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.X.Padding, p.Y.Padding = 0, 0
	m := newMosaic(rows, size)
	p.Add(m)
	legend := []entry{{"right prediction", boxSample(frame(size, true))}, {"wrong prediction", boxSample(frame(size, false))}}
	f := newFigure(size, data, legend, p)
	f.Height = m.height(size.Width) + 3.2*size.Font // with legend and margins
	return f, nil
}

// mosaic lays images out from the upper left corner, as many in a line as the width allows.
type mosaic struct {
	rows    []ImageRow
	size    Size
	columns int
}

const tileGap = .7 // between images, in heights of the font

func newMosaic(rows []ImageRow, size Size) mosaic {
	width := size.Width - 1.5*size.Font // what margins leave
	return mosaic{rows, size, max(1, int((width+tileGap*size.Font)/((6.6+tileGap)*size.Font)))}
}

// side returns that of the square which each image has.
func (m mosaic) side(width vg.Length) vg.Length {
	return (width+tileGap*m.size.Font)/vg.Length(m.columns) - tileGap*m.size.Font
}

func (m mosaic) lineHeight() vg.Length { return 1.2 * m.size.Font }

// captions is the number of lines below each image.
func (m mosaic) captions() vg.Length {
	most := 0
	for _, row := range m.rows {
		for _, t := range row.Tiles {
			most = max(most, len(t.captions()))
		}
	}
	return vg.Length(most)
}

func (m mosaic) height(width vg.Length) vg.Length {
	columns, side := m.columns, m.side(width)
	total := vg.Length(0)
	for _, row := range m.rows {
		lines := (len(row.Tiles) + columns - 1) / columns
		total += 1.6*m.size.Font + vg.Length(lines)*(side+m.captions()*m.lineHeight()+.8*m.size.Font)
	}
	return total
}

func (m mosaic) Plot(c draw.Canvas, _ *plot.Plot) {
	columns, side := m.columns, m.side(c.Size().X)
	font := m.size.Font
	style := m.size.text()
	y := c.Max.Y
	for _, row := range m.rows {
		c.FillText(style, vg.Point{X: c.Min.X, Y: y - font}, fitted(style, row.Title, c.Size().X))
		y -= 1.6 * font
		for first := 0; first < len(row.Tiles); first += columns {
			for j, t := range row.Tiles[first:min(first+columns, len(row.Tiles))] {
				m.tile(c, t, vg.Point{X: c.Min.X + vg.Length(j)*(side+tileGap*font), Y: y}, side)
			}
			y -= side + m.captions()*m.lineHeight() + .8*font
		}
	}
}

// tile draws an image whose upper left corner is at a point.
func (m mosaic) tile(c draw.Canvas, t Tile, at vg.Point, side vg.Length) {
	b := t.Image.Bounds()
	width, height := side, side
	if b.Dx() > b.Dy() {
		height *= vg.Length(b.Dy()) / vg.Length(b.Dx())
	} else {
		width *= vg.Length(b.Dx()) / vg.Length(b.Dy())
	}
	corner := vg.Point{X: at.X + (side-width)/2, Y: at.Y - side + (side-height)/2}
	box := vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: width, Y: height})}
	c.DrawImage(box, magnified(t.Image))
	area{outline: frame(m.size, t.Label == t.Pred).outline}.draw(&c,
		[]vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}})
	style := m.size.text()
	style.XAlign = draw.XCenter
	y := at.Y - side - .1*m.size.Font
	for _, line := range t.captions() {
		y -= m.lineHeight()
		c.FillText(style, vg.Point{X: at.X + side/2, Y: y + .15*m.size.Font}, fitted(style, line, side+.5*m.size.Font))
	}
}

// captions are the lines below an image.
func (t Tile) captions() []string {
	lines := []string{t.Label + " as " + t.Pred}
	if t.Label == t.Pred {
		lines[0] = t.Label
	}
	if !math.IsNaN(t.Radius) {
		lines = append(lines, fmt.Sprintf("radius %.2g", t.Radius))
	}
	if !math.IsNaN(t.Confidence) {
		lines = append(lines, fmt.Sprintf("conf. %.3g %%", 100*t.Confidence))
	}
	return lines
}

func frame(size Size, right bool) area {
	c := wrongColor
	if right {
		c = rightColor
	}
	return area{fill: transparent(c, .15), outline: draw.LineStyle{Color: c, Width: size.Line * 1.3}}
}

// fitted cuts a line to a width.
func fitted(style text.Style, line string, width vg.Length) string {
	runes := []rune(line)
	for n := len(runes); n > 0; n-- {
		out := string(runes[:n])
		if n < len(runes) {
			out += "…"
		}
		if style.Width(out) <= width {
			return out
		}
	}
	return ""
}

// magnified repeats the pixels of a small image, which viewers would blur otherwise.
func magnified(img image.Image) image.Image {
	b := img.Bounds()
	times := 224 / max(b.Dx(), b.Dy())
	if times < 2 {
		return img
	}
	out := image.NewNRGBA(image.Rect(0, 0, times*b.Dx(), times*b.Dy()))
	for y := range times * b.Dy() {
		for x := range times * b.Dx() {
			out.Set(x, y, img.At(b.Min.X+x/times, b.Min.Y+y/times))
		}
	}
	return out
}

// Picture makes an image of row-major values in [0,1] with one channel, grey, or three; values beyond are cut off. It
// returns an error if they do not fit the shape.
func Picture(values []float32, height, width, channels int) (image.Image, error) {
	if channels != 1 && channels != 3 || height < 1 || width < 1 || len(values) != height*width*channels {
		return nil, fmt.Errorf("figures: %d values are no picture of %d x %d with %d channels", len(values), height, width, channels)
	}
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	level := func(v float32) uint8 { return uint8(255*clamp(float64(v), 0, 1) + .5) }
	for i := range height * width {
		v := values[i*channels : (i+1)*channels]
		out.SetNRGBA(i%width, i/width, color.NRGBA{level(v[0]), level(v[channels/2]), level(v[channels-1]), 255})
	}
	return out, nil
}

// ConfidentMistakes returns the indices of up to n wrong predictions, those with the largest values of a score first. It
// returns an error if the run has no such score.
func ConfidentMistakes(run *misd.Run, score string, n int) ([]int, error) {
	return extremes(run, score, n, false)
}

// DoubtfulSuccesses returns the indices of up to n right predictions, those with the smallest values of a score first.
// It returns an error if the run has no such score.
func DoubtfulSuccesses(run *misd.Run, score string, n int) ([]int, error) {
	return extremes(run, score, n, true)
}

func extremes(run *misd.Run, score string, n int, right bool) ([]int, error) {
	s := run.Score(score)
	if s == nil {
		return nil, fmt.Errorf("figures: %s has no score %s", title(run), score)
	}
	var index []int
	for i, ok := range run.Correct() {
		if ok == right {
			index = append(index, i)
		}
	}
	slices.SortStableFunc(index, func(a, b int) int {
		if right {
			return cmp.Compare(s.Values[a], s.Values[b])
		}
		return cmp.Compare(s.Values[b], s.Values[a])
	})
	return index[:min(max(n, 0), len(index))], nil
}
