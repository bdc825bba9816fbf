package figures

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// words are names beside points, each where it covers neither another name nor one of the points around.
type words struct {
	at     plotter.XYs
	names  []string
	size   Size
	around plotter.XYs
}

func (w words) Plot(c draw.Canvas, p *plot.Plot) {
	style := w.size.text()
	var taken []vg.Rectangle
	for _, at := range transform(c, p, w.around) {
		r := w.size.Font * .2
		taken = append(taken, vg.Rectangle{Min: vg.Point{X: at.X - r, Y: at.Y - r}, Max: vg.Point{X: at.X + r, Y: at.Y + r}})
	}
	for i, at := range transform(c, p, w.at) {
		places := places(at, style.Width(w.names[i]), w.size.Font)
		place := places[0] // the usual one, where none is free
		for _, r := range places {
			if free(r, taken) && c.Contains(r.Min) && c.Contains(r.Max) {
				place = r
				break
			}
		}
		taken = append(taken, place)
		c.FillText(style, place.Min, w.names[i])
	}
}

// places returns where a name of the given width may stand, the best place first: to the lower right of its point, to
// the upper right, to the right, and the same at the left.
func places(at vg.Point, width, font vg.Length) []vg.Rectangle {
	var out []vg.Rectangle
	for _, x := range []vg.Length{at.X + .35*font, at.X - .35*font - width} {
		for _, y := range []vg.Length{at.Y - 1.25*font, at.Y + .35*font, at.Y - .4*font} {
			out = append(out, vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + width, Y: y + .85*font}})
		}
	}
	return out
}

func free(r vg.Rectangle, taken []vg.Rectangle) bool {
	for _, t := range taken {
		if r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y {
			return false
		}
	}
	return true
}
