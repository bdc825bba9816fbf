package figures

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"regexp"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// pdfCanvas is vgpdf.Canvas with what that gets wrong set right: it darkens translucent colours, prints UTF-8 as if it
// were code page 1252, turns images upside down, and notes the time.
type pdfCanvas struct {
	*vgpdf.Canvas
	widths map[int]bool // of images in it, in pixels
}

func newPDFCanvas(width, height vg.Length) pdfCanvas {
	return pdfCanvas{vgpdf.New(width, height), map[int]bool{}}
}

// Images of different width are stored in an order that is always the same.
func init() { fpdf.SetDefaultCatalogSort(true) }

func (c pdfCanvas) SetColor(col color.Color) {
	if col != nil {
		col = straight(color.NRGBA64Model.Convert(col).(color.NRGBA64))
	}
	c.Canvas.SetColor(col)
}

// straight is a colour that is not multiplied by its opacity, which vgpdf takes colours to be.
type straight color.NRGBA64

func (c straight) RGBA() (r, g, b, a uint32) {
	return uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A)
}

// DrawImage draws an image, with transparent columns to its right until it is as wide as no other one.
func (c pdfCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	b := img.Bounds()
	width := b.Dx()
	for c.widths[width] {
		width++
	}
	c.widths[width] = true
	flipped := image.NewNRGBA(image.Rect(0, 0, width, b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			flipped.Set(x, b.Dy()-1-y, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	rect.Max.X = rect.Min.X + rect.Size().X*vg.Length(width)/vg.Length(b.Dx())
	c.Canvas.DrawImage(rect, flipped)
}

// FillString draws ASCII as text and all else as outlines.
func (c pdfCanvas) FillString(face font.Face, at vg.Point, text string) {
	for _, r := range text {
		if r > 126 {
			c.Fill(outlineOf(face, at, text))
			return
		}
	}
	c.Canvas.FillString(face, at, text)
}

// outlineOf returns the shapes of a line of text that starts at a point. Characters that the font has not are left out.
func outlineOf(face font.Face, at vg.Point, text string) vg.Path {
	var path vg.Path
	var buf sfnt.Buffer
	const scale = 64 // the shapes of so many times the size, for precision
	ppem := fixed.Int26_6(float64(face.Font.Size.Points()) * 64 * scale)
	length := func(v fixed.Int26_6) vg.Length { return vg.Points(float64(v) / 64 / scale) }
	for _, r := range text {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil || glyph == 0 {
			continue
		}
		segments, err := face.Face.LoadGlyph(&buf, glyph, ppem, nil)
		if err != nil {
			continue
		}
		point := func(p fixed.Point26_6) vg.Point { return vg.Point{X: at.X + length(p.X), Y: at.Y - length(p.Y)} }
		for i, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					path.Close()
				}
				path.Move(point(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(point(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(point(s.Args[0]), point(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(point(s.Args[0]), point(s.Args[1]), point(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
		if advance, err := face.Face.GlyphAdvance(&buf, glyph, ppem, 0); err == nil {
			at.X += length(advance)
		}
	}
	return path
}

// WriteTo writes the document with a date that is always the same, so that the same figure has the same bytes.
func (c pdfCanvas) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if _, err := c.Canvas.WriteTo(&b); err != nil {
		return 0, err
	}
	n, err := w.Write(pdfDate.ReplaceAll(b.Bytes(), []byte("${1}20000101000000")))
	return int64(n), err
}

var pdfDate = regexp.MustCompile(`(/(?:Creation|Mod)Date \(D:)\d{14}`)
