package figures

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// A PDF holds what a viewer is to show: translucent colours as they are, and images the right way up.
func TestPDFCanvas(t *testing.T) {
	r, g, b, a := straight(color.NRGBA64{0xffff, 0x8000, 0, 0x4000}).RGBA()
	require.Equal(t, []uint32{0xffff, 0x8000, 0, 0x4000}, []uint32{r, g, b, a})

	img := image.NewNRGBA(image.Rect(3, 4, 4, 6))
	img.Set(3, 4, color.White)
	upsideDown := image.NewNRGBA(image.Rect(0, 0, 1, 2))
	upsideDown.Set(0, 1, color.White)
	box := vg.Rectangle{Max: vg.Point{X: 10, Y: 10}}
	ours, theirs := newPDFCanvas(20, 20), vgpdf.New(20, 20)
	ours.DrawImage(box, img)
	theirs.DrawImage(box, upsideDown)
	var got, want bytes.Buffer
	_, err := ours.WriteTo(&got)
	require.NoError(t, err)
	_, err = pdfCanvas{Canvas: theirs}.WriteTo(&want)
	require.NoError(t, err)
	require.Equal(t, want.Bytes(), got.Bytes())
}

// Outlines of a text are where the text would be.
func TestOutlines(t *testing.T) {
	style := Column.text()
	face := style.Handler.Cache().Lookup(style.Font, style.Font.Size)
	bounds := func(text string) (x0, y0, x1, y1 vg.Length) {
		x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
		for _, c := range outlineOf(face, vg.Point{X: 100, Y: 50}, text) {
			if c.Type != vg.CloseComp {
				x0, y0, x1, y1 = min(x0, c.Pos.X), min(y0, c.Pos.Y), max(x1, c.Pos.X), max(y1, c.Pos.Y)
			}
		}
		return
	}
	x0, y0, x1, y1 := bounds("ρ × …H")
	require.InDelta(t, 100, float64(x0), 1)
	require.InDelta(t, 100+float64(style.Width("ρ × …H")), float64(x1), 1)
	require.Less(t, y0, vg.Length(49)) // ρ reaches below the line
	require.InDelta(t, 50+.69*8, float64(y1), .5)
	require.Empty(t, outlineOf(face, vg.Point{}, "\u0378"), "not in the font")
	require.Equal(t, font.Length(8), face.Font.Size)
}

func TestDarkColours(t *testing.T) {
	luminance := func(c color.Color) float64 {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		linear := func(v uint8) float64 {
			x := float64(v) / 255
			if x <= .04045 {
				return x / 12.92
			}
			return math.Pow((x+.055)/1.055, 2.4)
		}
		return .2126*linear(n.R) + .7152*linear(n.G) + .0722*linear(n.B)
	}
	contrast := func(a, b color.Color) float64 {
		high, low := max(luminance(a), luminance(b)), min(luminance(a), luminance(b))
		return (high + .05) / (low + .05)
	}
	for _, c := range palette { // WCAG 2.1, 1.4.11: 3 to 1 for graphics
		require.Greater(t, contrast(Dark.color(c), Dark.ground()), 4.5, c)
	}
	require.Greater(t, contrast(Dark.color(black), Dark.ground()), 12.)
	require.Greater(t, contrast(Dark.color(grey), Dark.ground()), 3.)
	require.Greater(t, contrast(black, Light.ground()), 12.)
	require.Equal(t, Dark.ground(), Dark.color(color.White))
	require.Equal(t, uint8(90), Dark.color(color.NRGBA{0, 114, 178, 90}).(color.NRGBA).A)
	own := color.NRGBA{10, 20, 30, 255}
	require.Equal(t, own, Dark.color(own), "colours of no palette stay")
	require.Equal(t, blue, Light.color(blue))
}

func TestDensity(t *testing.T) {
	at := equal(-3, 0, 600)
	values := []float64{-2.9, -1, -1.2, -.7, -.05, math.Inf(-1), 0, 0}
	d := density(values, at)
	area := 0.
	for i := 1; i < len(at); i++ {
		area += (at[i] - at[i-1]) * (d[i] + d[i-1]) / 2
	}
	require.InDelta(t, 1, area, 1e-3, "nothing leaks over the ends")
	one := density([]float64{-1.5, -1.5}, at)
	require.InDelta(t, 1/(.015*math.Sqrt(2*math.Pi)), one[300], 1e-6)
	// R: bw.nrd0(c(1,2,3,4,10)) = 1.736..., with R's quartiles 2 and 4
	require.InDelta(t, .9*2/1.34*math.Pow(5, -.2), silverman([]float64{1, 2, 3, 4, 10}), 1e-12)
}

// Borders are where interpolated margins are 0, and the picture agrees with the samples.
func TestBoundary(t *testing.T) {
	m := Plane{XMax: 2, YMax: 1, Columns: 3, Rows: 2, Class: []int{0, 0, 1, 0, 1, 1}, Margin: []float64{1, 1, 3, 3, 1, 1}}
	require.ElementsMatch(t, []plotter.XYs{{{X: 1, Y: .5}, {X: .75, Y: 1}}, {{X: 1.25, Y: 0}, {X: 1, Y: .5}}}, m.boundary())
	for i, k := range m.Class {
		require.Equal(t, k, m.at(float64(i%3), float64(i/3)))
	}
	require.Equal(t, 0, m.at(1, .45))
	require.Equal(t, 1, m.at(1, .55))
	cross := Plane{XMax: 1, YMax: 1, Columns: 2, Rows: 2, Class: []int{0, 1, 2, 3}, Margin: []float64{1, 1, 1, 1}}
	require.Len(t, cross.boundary(), 4, "four classes meet")
	img := m.image()
	require.Equal(t, transparent(classColor(1), .22), img.At(img.Bounds().Dx()-1, 0))
	require.Equal(t, transparent(classColor(0), .22), img.At(0, img.Bounds().Dy()-1))
}
