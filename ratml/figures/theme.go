package figures

import (
	"image/color"

	"gonum.org/v1/plot/vg"
)

// Theme is the page that a figure is shown on.
type Theme int

const (
	Light Theme = iota // dark ink on white
	Dark               // light ink on near-black
)

// All figures are drawn in the colours of [Light]; a canvas between them and the file turns these into those of the
// theme, so that no figure needs to know of themes.

var (
	darkGround = color.NRGBA{13, 17, 23, 255}
	darkInk    = color.NRGBA{230, 237, 243, 255}

	// The palette for near-black: the same hues, lighter where they would drown.
	darkPalette = map[color.NRGBA]color.NRGBA{
		blue:       {61, 148, 222, 255},
		vermillion: {236, 112, 37, 255},
		green:      {28, 178, 135, 255},
		purple:     {222, 146, 190, 255},
		orange:     {240, 178, 40, 255},
		sky:        {146, 212, 250, 255},
	}
)

// ground is what the page is filled with.
func (t Theme) ground() color.NRGBA {
	if t == Dark {
		return darkGround
	}
	return color.NRGBA{255, 255, 255, 255}
}

// color returns what a colour of [Light] is in the theme: greys change between ground and ink, the palette to its
// lighter version, and others stay as they are. Opacity stays.
func (t Theme) color(c color.Color) color.Color {
	if t != Dark || c == nil {
		return c
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	opaque := n
	opaque.A = 255
	out, ok := darkPalette[opaque]
	switch {
	case ok:
	case n.R == n.G && n.G == n.B:
		out = between(darkInk, darkGround, float64(n.R)/255)
	default:
		return c
	}
	out.A = n.A
	return out
}

func between(a, b color.NRGBA, share float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + share*(float64(y)-float64(x)) + .5) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// themed is a canvas on which colours are those of a theme.
type themed struct {
	vg.Canvas
	theme Theme
}

func (c themed) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.Canvas.SetColor(c.theme.color(col))
}
