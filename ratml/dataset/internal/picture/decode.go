// Package picture decodes image files into the bytes that Pillow's Image.open(...).convert("RGB") gives: JPEG, PNG, WebP
// and BMP, told by their first bytes whatever a file is called.
//
// Transparency is dropped, not blended, and the orientation that a camera noted is ignored, as torchvision's loader does.
// JPEG is within 3 grey levels of Pillow, as its inverse transform rounds otherwise; the other formats are equal.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/gen2brain/jpegn"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// Image is a picture in memory, three bytes a pixel: red, green, blue; rows from the top.
type Image struct {
	Height, Width int
	Pixels        []uint8
}

// MaxPixels is the size of the largest image that is decoded. Pillow warns of larger ones.
const MaxPixels = 1 << 27

// maxRatio bounds the pixels a byte of a file: no more than deflate can pack of PNG's one-bit pixels.
const maxRatio = 8 * 1032

// Decode decodes a file. A damaged or truncated one is an error, and memory is bounded by the length of data.
func Decode(data []byte) (*Image, error) {
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	pixels, err := p.RGB(0, 0, p.Height, p.Width)
	if err != nil {
		return nil, err
	}
	return &Image{p.Height, p.Width, pixels}, nil
}

// Picture is a decoded file whose colours are not yet converted: much of the work, which may be wanted of a part only.
type Picture struct {
	Height, Width int

	img    image.Image
	format string
}

// Parse decodes a file as Decode does, but for the colours.
func Parse(data []byte) (*Picture, error) {
	name, config, decode := sniff(data)
	if decode == nil {
		return nil, fmt.Errorf("neither JPEG, PNG, WebP nor BMP, but %q at the start", data[:min(len(data), 8)])
	}
	c, err := config(bytes.NewReader(data))
	if err == nil && (c.Width < 1 || c.Height < 1) {
		err = fmt.Errorf("%dx%d pixels", c.Width, c.Height)
	}
	if err == nil && (c.Width > MaxPixels/c.Height || c.Width*c.Height > maxRatio*(len(data)+1024)) {
		err = fmt.Errorf("%dx%d pixels are too many for %d bytes", c.Width, c.Height, len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Picture{img.Bounds().Dy(), img.Bounds().Dx(), img, name}, nil
}

// RGB returns the pixels of a part of the picture, which must be inside it.
func (p *Picture) RGB(top, left, height, width int) ([]uint8, error) {
	if top < 0 || left < 0 || height < 1 || width < 1 || top+height > p.Height || left+width > p.Width {
		return nil, fmt.Errorf("%dx%d pixels at %d, %d of %dx%d", height, width, top, left, p.Height, p.Width)
	}
	r := region{top, left, height, width, make([]uint8, 3*height*width)}
	if err := r.convert(p.img, p.format); err != nil {
		return nil, fmt.Errorf("%s: %w", p.format, err)
	}
	return r.pixels, nil
}

// region is a part of a picture and its pixels.
type region struct {
	top, left, height, width int
	pixels                   []uint8
}

// row returns the pixels of a row, of which 0 is the first of the region.
func (r region) row(y int) []uint8 { return r.pixels[3*y*r.width:][:3*r.width] }

type decoder = func(*bytes.Reader) (image.Image, error)

// sniff finds the format by the first bytes.
func sniff(data []byte) (name string, config func(*bytes.Reader) (image.Config, error), decode decoder) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "JPEG", func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) },
			decodeJPEG
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "PNG", func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) },
			func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "WebP", func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) },
			func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }
	case bytes.HasPrefix(data, []byte("BM")):
		return "BMP", func(r *bytes.Reader) (image.Config, error) { return bmp.DecodeConfig(r) },
			func(r *bytes.Reader) (image.Image, error) { return bmp.Decode(r) }
	}
	return "", nil, nil
}

// convert fills the pixels.
func (r region) convert(img image.Image, format string) error {
	each := func(stride, size int, pix []uint8, rgb func(to, from []uint8)) {
		for y := range r.height {
			row, to := pix[(r.top+y)*stride+r.left*size:][:r.width*size], r.row(y)
			for x := range r.width {
				rgb(to[3*x:][:3], row[x*size:][:size])
			}
		}
	}
	grey := func(to, from []uint8) { to[0], to[1], to[2] = from[0], from[0], from[0] }
	cut := func(to, from []uint8) { // Pillow cuts off what is above a byte
		v := from[1]
		if from[0] != 0 {
			v = 255
		}
		to[0], to[1], to[2] = v, v, v
	}
	first := func(to, from []uint8) { copy(to, from[:3]) }
	high := func(to, from []uint8) { to[0], to[1], to[2] = from[0], from[2], from[4] }
	switch img := img.(type) {
	case *image.YCbCr:
		if format == "WebP" {
			return r.fromWebP(img)
		}
		return r.fromJPEG(img)
	case *image.NYCbCrA:
		return r.fromWebP(&img.YCbCr)
	case *image.Gray:
		each(img.Stride, 1, img.Pix, grey)
	case *image.Gray16:
		each(img.Stride, 2, img.Pix, cut)
	case *image.RGBA: // opaque in these formats
		each(img.Stride, 4, img.Pix, first)
	case *image.NRGBA:
		each(img.Stride, 4, img.Pix, first)
	case *image.RGBA64:
		each(img.Stride, 8, img.Pix, high)
	case *image.NRGBA64:
		each(img.Stride, 8, img.Pix, high)
	case *image.CMYK:
		each(img.Stride, 4, img.Pix, fromCMYK)
	case *image.Paletted:
		table, err := palette(img)
		if err != nil {
			return err
		}
		each(img.Stride, 1, img.Pix, func(to, from []uint8) { copy(to, table[from[0]][:]) })
	default:
		return fmt.Errorf("pixels of type %T", img)
	}
	return nil
}

// decodeJPEG takes the faster of two decoders. What that one refuses, or stumbles over, is left to the other.
func decodeJPEG(r *bytes.Reader) (image.Image, error) {
	if img := fastJPEG(r); img != nil {
		return img, nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return jpeg.Decode(r)
}

// fastJPEG returns nil where the decoder finds fault, or panics, as it does with some damaged files.
func fastJPEG(r *bytes.Reader) (img image.Image) {
	defer func() {
		if recover() != nil {
			img = nil
		}
	}()
	img, err := jpegn.Decode(r)
	if err != nil {
		return nil
	}
	return img
}

// palette returns the colours of a palette without their transparency.
func palette(img *image.Paletted) (table [256][3]uint8, err error) {
	for i, c := range img.Palette {
		if i >= len(table) {
			return table, errors.New("more than 256 colours in a palette")
		}
		table[i] = opaque(c)
	}
	return table, nil
}
