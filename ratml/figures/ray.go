package figures

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ray is the way from an image along the direction in which a search looks for the decision boundary.
type Ray struct {
	Name     string    // of the image, above its panel
	Right    bool      // whether the prediction is right
	Distance []float64 // from the image in pixel units, ascending
	// Margin is, at each distance, the logit of the class predicted at the image minus the largest other one: negative
	// where the prediction has changed.
	Margin []float64

	Radius       float64 // that the search found; NaN for none
	Lower, Upper float64 // its bracket; NaN for none, and not drawn where Unflipped is set
	Unflipped    bool    // the prediction did not change up to Radius
	Fast         float64 // the radius by RR-Fast; NaN for none
}

// Rays draws the logit margin along the ray of single images, one panel an image, with the radius that a search found,
// which is where the margin falls to 0, its bracket, and the estimate of RR-Fast. Colours tell right from wrong
// predictions. Axes belong to the panel: an image far from the boundary has another scale than one beside it.
//
// It returns an error if there are no rays, or one has not a finite margin at each of at least two ascending distances.
func Rays(rays []Ray, opts Options) (*Figure, error) {
	if len(rays) == 0 {
		return nil, errors.New("figures: rays: there are none to draw")
	}
	size := opts.size(len(rays))
	data := Table{Command: opts.Command, Header: []string{"image", "right", "distance", "margin", "radius", "lower", "upper", "unflipped", "rr_fast"}}
	var panels []*plot.Plot
	for _, r := range rays {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("figures: rays: %s: %w", r.Name, err)
		}
		for i, at := range r.Distance {
			data.add(r.Name, r.Right, at, r.Margin[i], r.Radius, r.Lower, r.Upper, r.Unflipped, r.Fast)
		}
		panels = append(panels, r.panel(size, len(rays)))
	}
	legend := []entry{
		{"right", lineSample(rayLine(size, 0))}, {"wrong", lineSample(rayLine(size, 1))},
		{"radius", dotSample(radiusDot(size))}, {"bracket", boxSample(area{fill: lightGrey})}, {"RR-Fast", dotSample(fastDot(size))},
	}
	columns := size.narrowColumns(len(rays))
	f := independent(size, columns, data, legend, panels...)
	for i, p := range f.Panels {
		if i%columns > 0 {
			p.Y.Label.Text = ""
		}
		if i+columns < len(rays) { // another one is below
			p.X.Label.Text = ""
		}
	}
	f.Height *= .85
	return f, nil
}

func (r Ray) check() error {
	if len(r.Distance) != len(r.Margin) || len(r.Distance) < 2 {
		return fmt.Errorf("%d distances and %d margins", len(r.Distance), len(r.Margin))
	}
	for i, m := range r.Margin {
		d := r.Distance[i]
		if math.IsNaN(m+d) || math.IsInf(m+d, 0) || i > 0 && d <= r.Distance[i-1] {
			return fmt.Errorf("distance %v with margin %v is no point of a ray", d, m)
		}
	}
	return nil
}

// panel draws one ray of n.
func (r Ray) panel(size Size, n int) *plot.Plot {
	p := size.newPlot("Distance (pixel units)", "Logit margin")
	p.Title.Text = shorten(r.Name)
	p.X.Tick.Marker = linear(max(2, min(4, size.labelsOf(size.narrowColumns(n)))))
	first, last := r.Distance[0], r.Distance[len(r.Distance)-1]
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = first, last, 0, 0
	line := make(plotter.XYs, len(r.Distance))
	for i, d := range r.Distance {
		line[i] = plotter.XY{X: d, Y: r.Margin[i]}
		fit(p, line[i])
	}
	if !math.IsNaN(r.Radius) {
		fit(p, plotter.XY{X: r.Radius})
	}
	room := .06 * (p.Y.Max - p.Y.Min)
	if room == 0 {
		room = .5
	}
	p.Y.Min, p.Y.Max = p.Y.Min-room, p.Y.Max+room
	if !r.Unflipped && r.Upper >= r.Lower {
		p.Add(bracket{r.Lower, r.Upper, size})
	}
	p.Add(path{segment(p.X.Min, 0, p.X.Max, 0), size.guide(1)})
	color := 1
	if r.Right {
		color = 0
	}
	p.Add(path{line, rayLine(size, color)})
	if !math.IsNaN(r.Fast) {
		p.Add(dots{plotter.XYs{{X: r.Fast}}, fastDot(size)})
	}
	if !math.IsNaN(r.Radius) {
		dot := radiusDot(size)
		if r.Unflipped { // at the end of what was searched, not on the boundary
			dot.Shape = draw.CrossGlyph{}
		}
		p.Add(dots{plotter.XYs{{X: r.Radius}}, dot})
	}
	return p
}

// bracket is a grey bar from axis to axis, wide enough to be seen.
type bracket struct {
	low, high float64
	size      Size
}

func (b bracket) Plot(c draw.Canvas, p *plot.Plot) {
	ends := transform(c, p, segment(b.low, 0, b.high, 0))
	x0, x1 := ends[0].X, ends[1].X
	if narrow := b.size.Font*.25 - (x1 - x0); narrow > 0 {
		x0, x1 = x0-narrow/2, x1+narrow/2
	}
	area{fill: lightGrey}.draw(&c, c.ClipPolygonXY([]vg.Point{{X: x0, Y: c.Min.Y}, {X: x1, Y: c.Min.Y}, {X: x1, Y: c.Max.Y}, {X: x0, Y: c.Max.Y}}))
}

func rayLine(size Size, group int) draw.LineStyle {
	return draw.LineStyle{Color: groupColor(group), Width: size.Line}
}

func radiusDot(size Size) draw.GlyphStyle {
	return draw.GlyphStyle{Color: black, Radius: size.Font * .25, Shape: draw.CircleGlyph{}}
}

func fastDot(size Size) draw.GlyphStyle {
	return draw.GlyphStyle{Color: black, Radius: size.Font * .3, Shape: draw.TriangleGlyph{}}
}
