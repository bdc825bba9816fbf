package figures

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/ratml/rat/ratml/misd"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Plane is what a classifier of points in the plane says of them and of the plane around them.
type Plane struct {
	Name string // of the classifier, above its panel

	// The plane is seen from (XMin,YMin) to (XMax,YMax) and sampled at Columns times Rows places, which lie in even
	// distances from edge to edge.
	XMin, YMin, XMax, YMax float64
	Columns, Rows          int
	Class                  []int     // predicted at each place, [Rows*Columns], lowest row first
	Margin                 []float64 // of the two largest logits there, not negative

	Points []PlanePoint
}

// PlanePoint is a classified point.
type PlanePoint struct {
	X, Y        float64
	Label, Pred int
	Radius      float64 // in units of the axes; NaN where unknown
	Ball        bool    // draw the L-infinity ball of the radius
}

// Method draws what the robust radius is and what training does to it: the decision regions of classifiers of points in
// the plane, one panel a classifier, points of every class, wrong predictions marked, and around some points their
// radius as L-infinity balls, which are squares: a ball of the exact radius touches the boundary. Both axes have the same scale. The title of a panel has the share of wrong predictions among its points and,
// where all radii are known, the AUROC, the probability that of a right and a wrong one the right has the larger radius.
//
// There may be up to six classes. It returns an error if there are no planes or if the data of one do not fit together.
func Method(planes []Plane, opts Options) (*Figure, error) {
	if len(planes) == 0 {
		return nil, errors.New("figures: method: there are no planes to draw")
	}
	size := opts.size(len(planes))
	data := Table{Command: opts.Command, Header: []string{"model", "what", "x", "y", "label", "prediction", "radius", "margin"}}
	classes := 0
	var panels []*plot.Plot
	for _, m := range planes {
		n, err := m.check()
		if err != nil {
			return nil, fmt.Errorf("figures: method: %s: %w", m.Name, err)
		}
		classes = max(classes, n)
		m.note(&data)
		panels = append(panels, m.panel(size, len(planes)))
	}
	var legend []entry
	for k := range classes {
		legend = append(legend, entry{fmt.Sprintf("class %d", k), boxSample(area{fill: transparent(classColor(k), .35)})})
	}
	legend = append(legend,
		entry{"right, with its radius", ballSample{ballLine(size, true), pointStyle(size, 0, true)}},
		entry{"wrong, with its radius", ballSample{ballLine(size, false), pointStyle(size, 0, false)}})
	f := newFigure(size, data, legend, panels...)
	f.even = true
	first := planes[0]
	columns := size.columns(len(planes))
	wide := (size.Width - vg.Length(columns)*4.5*size.Font) / vg.Length(columns)
	rows := (len(planes) + columns - 1) / columns
	f.Height = vg.Length(rows)*(wide*vg.Length((first.YMax-first.YMin)/(first.XMax-first.XMin))+5.5*size.Font) + 3*size.Font
	return f, nil
}

// check returns the number of classes.
func (m Plane) check() (int, error) {
	if !(m.XMax > m.XMin && m.YMax > m.YMin) || m.Columns < 2 || m.Rows < 2 {
		return 0, fmt.Errorf("a plane from (%v,%v) to (%v,%v) with %d x %d places", m.XMin, m.YMin, m.XMax, m.YMax, m.Columns, m.Rows)
	}
	if n := m.Columns * m.Rows; len(m.Class) != n || len(m.Margin) != n {
		return 0, fmt.Errorf("%d classes and %d margins at %d places", len(m.Class), len(m.Margin), n)
	}
	most := 0
	seen := func(k int) error {
		if k < 0 || k >= len(palette)-1 {
			return fmt.Errorf("class %d is not in [0,%d)", k, len(palette)-1)
		}
		most = max(most, k)
		return nil
	}
	for i, k := range m.Class {
		if err := seen(k); err != nil {
			return 0, err
		}
		if !(m.Margin[i] >= 0) {
			return 0, fmt.Errorf("margin %v", m.Margin[i])
		}
	}
	for _, at := range m.Points {
		if err := errors.Join(seen(at.Label), seen(at.Pred)); err != nil {
			return 0, err
		}
	}
	return most + 1, nil
}

// place returns where a sample of the plane lies.
func (m Plane) place(column, row float64) plotter.XY {
	return plotter.XY{
		X: m.XMin + (m.XMax-m.XMin)*column/float64(m.Columns-1),
		Y: m.YMin + (m.YMax-m.YMin)*row/float64(m.Rows-1),
	}
}

func (m Plane) note(data *Table) {
	for _, p := range m.Points {
		data.add(m.Name, "point", p.X, p.Y, p.Label, p.Pred, p.Radius, "")
	}
	for i, k := range m.Class {
		at := m.place(float64(i%m.Columns), float64(i/m.Columns))
		data.add(m.Name, "plane", at.X, at.Y, "", k, "", m.Margin[i])
	}
}

// panel draws one plane of n.
func (m Plane) panel(size Size, n int) *plot.Plot {
	p := size.newPlot("x", "y")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = m.XMin, m.XMax, m.YMin, m.YMax
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = linear(4), linear(4)
	p.Title.Text = shorten(m.Name) + m.outcome()
	p.Add(regions{m})
	boundary := draw.LineStyle{Color: black, Width: size.Line * .8}
	for _, s := range m.boundary() {
		p.Add(path{s, boundary})
	}
	var balls, centres []plot.Plotter
	for _, at := range m.Points {
		right := at.Pred == at.Label
		xy := plotter.XYs{{X: at.X, Y: at.Y}}
		mark := dots{xy, pointStyle(size, at.Label, right)}
		if at.Ball && at.Radius > 0 {
			square := box(at.X-at.Radius, at.Y-at.Radius, at.X+at.Radius, at.Y+at.Radius)
			balls = append(balls, path{append(square, square[0]), ballLine(size, right)})
			mark.style.Radius *= 1.4
		}
		centres = append(centres, mark)
	}
	p.Add(balls...)
	p.Add(centres...)
	return p
}

// outcome says in words how often the classifier is wrong, and how well the radius tells.
func (m Plane) outcome() string {
	if len(m.Points) == 0 {
		return ""
	}
	var radius []float64
	var correct []bool
	for _, at := range m.Points {
		radius, correct = append(radius, at.Radius), append(correct, at.Pred == at.Label)
	}
	text := fmt.Sprintf(": %.1f %% wrong", 100*errorRate(correct))
	if curve, err := misd.NewCurve(radius, correct); err == nil && !math.IsNaN(curve.AUROC()) {
		text += fmt.Sprintf(", AUROC %.1f %%", 100*curve.AUROC())
	}
	return text
}

// regions fills the plane with the colours of its classes.
type regions struct{ m Plane }

func (r regions) Plot(c draw.Canvas, p *plot.Plot) {
	corners := transform(c, p, segment(r.m.XMin, r.m.YMin, r.m.XMax, r.m.YMax))
	c.DrawImage(vg.Rectangle{Min: corners[0], Max: corners[1]}, r.m.image())
}

// image shows the class of every place, finer than the samples, with the margins interpolated. It is translucent, so
// that it suits any ground.
func (m Plane) image() image.Image {
	const finer = 3
	img := image.NewNRGBA(image.Rect(0, 0, m.Columns*finer, m.Rows*finer))
	width, height := img.Rect.Dx(), img.Rect.Dy()
	for y := range height {
		for x := range width {
			u := (float64(x) + .5) / float64(width) * float64(m.Columns-1)
			v := (float64(height-1-y) + .5) / float64(height) * float64(m.Rows-1)
			img.SetNRGBA(x, y, transparent(classColor(m.at(u, v)), .22))
		}
	}
	return img
}

// at returns the class between samples: the one with the largest interpolated margin over the others.
func (m Plane) at(u, v float64) int {
	i, j := min(int(u), m.Columns-2), min(int(v), m.Rows-2)
	u, v = u-float64(i), v-float64(j)
	corners := [4]int{j*m.Columns + i, j*m.Columns + i + 1, (j+1)*m.Columns + i, (j+1)*m.Columns + i + 1}
	weights := [4]float64{(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v}
	best, most := m.Class[corners[0]], math.Inf(-1)
	for _, c := range corners {
		sum := 0.
		for k, d := range corners {
			sum += weights[k] * m.signed(d, m.Class[c])
		}
		if sum > most {
			best, most = m.Class[c], sum
		}
	}
	return best
}

// signed returns the margin of a class over the others at a sample; that of one which is not predicted is taken to be
// the negative of that of the predicted class, which is so where it comes second.
func (m Plane) signed(sample, class int) float64 {
	if m.Class[sample] == class {
		return m.Margin[sample]
	}
	return -m.Margin[sample]
}

// boundary returns the borders of all classes, in short straight pieces (marching squares).
func (m Plane) boundary() []plotter.XYs {
	var pieces []plotter.XYs
	for j := range m.Rows - 1 {
		for i := range m.Columns - 1 {
			pieces = append(pieces, m.cell(i, j)...)
		}
	}
	return pieces
}

// cell returns the border within the square between four samples: from the middle of its crossings, if there are more
// than two, to each, else from one to the other.
func (m Plane) cell(i, j int) []plotter.XYs {
	around := [5][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}, {i, j}}
	var crossings plotter.XYs
	for k := range 4 {
		a, b := around[k], around[k+1]
		from, to := a[1]*m.Columns+a[0], b[1]*m.Columns+b[0]
		if m.Class[from] == m.Class[to] {
			continue
		}
		share := .5
		if sum := m.Margin[from] + m.Margin[to]; sum > 0 {
			share = m.Margin[from] / sum
		}
		crossings = append(crossings, m.place(float64(a[0])+share*float64(b[0]-a[0]), float64(a[1])+share*float64(b[1]-a[1])))
	}
	switch len(crossings) {
	case 0:
		return nil
	case 2:
		return []plotter.XYs{crossings}
	}
	var middle plotter.XY
	for _, at := range crossings {
		middle.X += at.X / float64(len(crossings))
		middle.Y += at.Y / float64(len(crossings))
	}
	var pieces []plotter.XYs
	for _, at := range crossings {
		pieces = append(pieces, plotter.XYs{middle, at})
	}
	return pieces
}

// classColor is the colour of a class. Those of right and wrong predictions come last.
func classColor(k int) color.NRGBA {
	return []color.NRGBA{sky, orange, green, purple, blue, vermillion}[k]
}

// pointStyle is how a point of a class is marked.
func pointStyle(size Size, label int, right bool) draw.GlyphStyle {
	style := draw.GlyphStyle{Color: classColor(label), Radius: size.Font * .15, Shape: outlined{}}
	if !right {
		style.Shape = crossed{}
	}
	return style
}

// outlined is a filled circle with a dark edge, which stands out from a region of its own colour.
type outlined struct{}

func (outlined) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	for _, ring := range []draw.GlyphStyle{{Color: black, Radius: s.Radius * 1.25}, {Color: s.Color, Radius: s.Radius}} {
		c.SetColor(ring.Color)
		draw.CircleGlyph{}.DrawGlyph(c, ring, at)
	}
}

// crossed is a diagonal cross with a dark edge.
type crossed struct{}

func (crossed) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	r := s.Radius * 1.3
	for _, line := range []draw.LineStyle{{Color: black, Width: s.Radius * 1.7}, {Color: s.Color, Width: s.Radius * .9}} {
		c.StrokeLine2(line, at.X-r, at.Y-r, at.X+r, at.Y+r)
		c.StrokeLine2(line, at.X-r, at.Y+r, at.X+r, at.Y-r)
	}
}

// ballSample shows a point with its ball.
type ballSample struct {
	line  draw.LineStyle
	point draw.GlyphStyle
}

func (s ballSample) Thumbnail(c *draw.Canvas) {
	at, r := c.Center(), c.Size().Y*.5
	area{outline: s.line}.draw(c, []vg.Point{{X: at.X - r, Y: at.Y - r}, {X: at.X + r, Y: at.Y - r}, {X: at.X + r, Y: at.Y + r}, {X: at.X - r, Y: at.Y + r}})
	c.DrawGlyphNoClip(s.point, at)
}

func ballLine(size Size, right bool) draw.LineStyle {
	if right {
		return draw.LineStyle{Color: rightColor, Width: size.Line}
	}
	return draw.LineStyle{Color: wrongColor, Width: size.Line}
}
