package corrupt

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"github.com/ratml/rat/ratml/dataset/internal/picture"
)

// pixelate shrinks images and enlarges them again, both times taking the mean of the pixels whose middles fall into
// the new one.
func pixelate(s setting) (effect, error) {
	factor := pick(s, [...]float64{0.6, 0.5, 0.4, 0.3, 0.25}, [...]float64{0.95, 0.9, 0.85, 0.75, 0.65})
	h, w := s.shape.Height, s.shape.Width
	lessH, lessW := max(1, int(float64(h)*factor)), max(1, int(float64(w)*factor))
	return func(f *frame, _ source) {
		f.v = f.box(lessH, lessW).box(h, w).v
	}, nil
}

// box resamples f by means of boxes: widths first, then heights, each rounded to bytes.
//
// Source: Pillow, src/libImaging/Resample.c, with Image.BOX.
func (f *frame) box(h, w int) *frame {
	wide := newFrame(f.h, w, f.c)
	across := boxes(f.w, w)
	for y := range f.h {
		across.row(wide.row(y), f.row(y), f.c)
	}
	wide.roundUp()
	out := newFrame(h, w, f.c)
	down := boxes(f.h, h)
	for y := range h {
		for k, weight := range down.weights[y] {
			axpy(weight, wide.row(down.first[y]+k), out.row(y))
		}
	}
	out.roundUp()
	return out
}

// roundUp rounds values to bytes, halves up even where they are halves but for rounding errors.
func (f *frame) roundUp() {
	for i, v := range f.v {
		f.v[i] = math.Floor(v*255+0.5+1e-6) / 255
	}
}

// boxes returns the filter that makes out values of in.
func boxes(in, out int) filter {
	f := filter{make([]int, out), make([][]float64, out)}
	scale := float64(in) / float64(out)
	reach := max(scale, 1) / 2
	for i := range out {
		middle := (float64(i) + 0.5) * scale
		first, last := max(0, int(middle-reach+0.5)), min(in, int(middle+reach+0.5))
		var weights []float64
		sum := 0.0
		for k := first; k < last; k++ {
			at := (float64(k) - middle + 0.5) / max(scale, 1)
			weight := 0.0
			if -0.5 < at && at <= 0.5 {
				weight = 1
			}
			weights, sum = append(weights, weight), sum+weight
		}
		for k := range weights {
			weights[k] /= sum
		}
		f.first[i], f.weights[i] = first, weights
	}
	return f
}

// jpegCompression encodes and decodes images, three channels with a quarter of the chroma samples.
func jpegCompression(s setting) (effect, error) {
	quality := pick(s, [...]int{25, 18, 15, 10, 7}, [...]int{80, 65, 58, 50, 40})
	// What can fail is an image too large for the format; try it here.
	if max(s.shape.Height, s.shape.Width) >= 1<<16 {
		return nil, jpeg.UnsupportedError("sides of 65536 pixels or more")
	}
	return func(f *frame, _ source) {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, f.image(), &jpeg.Options{Quality: quality}); err != nil {
			panic(err) // a buffer takes everything
		}
		decoded, err := picture.Decode(file.Bytes())
		if err != nil {
			panic(err) // what was just encoded is whole
		}
		for i := range f.v {
			f.v[i] = float64(decoded.Pixels[i/f.c*3+i%f.c]) / 255
		}
	}, nil
}

// image returns f as an image of the standard library.
func (f *frame) image() image.Image {
	pixels := f.bytes()
	bounds := image.Rect(0, 0, f.w, f.h)
	if f.c == 1 {
		return &image.Gray{Pix: pixels, Stride: f.w, Rect: bounds}
	}
	img := image.NewRGBA(bounds)
	for i := range f.h * f.w {
		img.SetRGBA(i%f.w, i/f.w, color.RGBA{pixels[3*i], pixels[3*i+1], pixels[3*i+2], math.MaxUint8})
	}
	return img
}
