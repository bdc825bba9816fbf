package nb

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Picture is anything that can write itself as PNG, such as a *figures.Figure.
type Picture interface {
	EncodePNG(w io.Writer) error
}

// Scaled is a [Picture] that knows how large it wants to be on the page; others are shown pixel for pixel.
type Scaled interface {
	Picture
	// Inches returns the width and height.
	Inches() (width, height float64)
}

// Image makes a [Picture] of an image.
func Image(img image.Image) Picture { return raster{img} }

type raster struct{ image.Image }

func (r raster) EncodePNG(w io.Writer) error { return png.Encode(w, r.Image) }

// A browser counts 96 pixels to the inch; figures are designed for paper, which is read from closer by.
const pixelsPerInch = 128

// Show displays pictures below the cell as image/png, in order. Outside a notebook it does nothing.
func Show(pictures ...Picture) error {
	if !Active() {
		return nil
	}
	for i, p := range pictures {
		var b bytes.Buffer
		if err := p.EncodePNG(&b); err != nil {
			return fmt.Errorf("nb: picture %d: %w", i, err)
		}
		d := &protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMEImagePNG: b.Bytes()}, Metadata: size(p)}
		if err := display(d); err != nil {
			return err
		}
	}
	return nil
}

// size is the display metadata of p: the width and height in CSS pixels, which lets a sharp picture stay small.
func size(p Picture) map[string]any {
	s, ok := p.(Scaled)
	if !ok {
		return nil
	}
	w, h := s.Inches()
	return pixels(w, h)
}

func pixels(w, h float64) map[string]any {
	return map[string]any{string(protocol.MIMEImagePNG): map[string]int{
		"width": int(w*pixelsPerInch + .5), "height": int(h*pixelsPerInch + .5)}}
}
