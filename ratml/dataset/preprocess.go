package dataset

import "fmt"

// Preprocess is how images of any size become what a network takes: torchvision's evaluation transforms. The zero value
// leaves images as they are.
type Preprocess struct {
	Resize        int // length of the shorter side after resizing, the longer in proportion; 0 for no resizing
	Crop          int // sides of the square cut out of the middle; 0 for no cutting
	Interpolation Interpolation
}

// String returns the transform as in "resize 256 bilinear, crop 224".
func (p Preprocess) String() string {
	switch {
	case p.Resize == 0 && p.Crop == 0:
		return "none"
	case p.Crop == 0:
		return fmt.Sprintf("resize %d %v", p.Resize, p.Interpolation)
	case p.Resize == 0:
		return fmt.Sprintf("crop %d", p.Crop)
	}
	return fmt.Sprintf("resize %d %v, crop %d", p.Resize, p.Interpolation, p.Crop)
}

// Apply returns the bytes, in the order height, width, channel, of an image that was preprocessed, and their shape:
// those that torchvision.transforms.Resize and CenterCrop make of Pillow's images, black where the crop is larger than
// the image. What is cut away is never computed. It is an error if the pixels do not fit the shape or a length is
// negative.
func (p Preprocess) Apply(pixels []uint8, s Shape) ([]uint8, Shape, error) {
	if s.Height < 1 || s.Width < 1 || s.Channels < 1 || len(pixels) != s.Size() {
		return nil, Shape{}, fmt.Errorf("dataset: preprocessing %d values as an image of %v", len(pixels), s)
	}
	return p.apply(func(b box) ([]uint8, error) { return cut(pixels, s, b), nil }, s)
}

// apply is Apply to an image of which source gives parts.
func (p Preprocess) apply(source func(box) ([]uint8, error), s Shape) ([]uint8, Shape, error) {
	if p.Resize < 0 || p.Crop < 0 {
		return nil, Shape{}, fmt.Errorf("dataset: preprocessing by %+v: lengths must not be negative", p)
	}
	height, width := p.resized(s)
	b := box{0, 0, height, width}
	out := Shape{height, width, s.Channels}
	if p.Crop > 0 {
		b, out = middle(height, width, p.Crop), Shape{p.Crop, p.Crop, s.Channels}
	}
	got, err := resample(source, s, height, width, b, p.Interpolation)
	if err != nil || (b.height == out.Height && b.width == out.Width) {
		return got, out, err
	}
	return frame(got, b, height, width, out), out, nil
}

// leaves tells that an image of the shape stays as it is.
func (p Preprocess) leaves(s Shape) bool {
	return p.Resize == 0 && p.Crop == 0 || p.Resize == s.Height && p.Crop == s.Height && s.Height == s.Width
}

// resized returns the size of the image after resizing, as torchvision rounds it.
func (p Preprocess) resized(s Shape) (height, width int) {
	switch {
	case p.Resize == 0:
		return s.Height, s.Width
	case s.Width <= s.Height:
		return p.Resize * s.Height / s.Width, p.Resize
	}
	return p.Resize, p.Resize * s.Width / s.Height
}

// middle returns the part of an image of the given size that a square crop keeps.
func middle(height, width, crop int) box {
	along := func(length int) (at, n int) {
		if length <= crop {
			return 0, length
		}
		return round(float64(length-crop) / 2), crop
	}
	var b box
	b.top, b.height = along(height)
	b.left, b.width = along(width)
	return b
}

// frame puts what was left of an image of the given size into the crop that is larger than it.
func frame(pixels []uint8, b box, height, width int, out Shape) []uint8 {
	dst := make([]uint8, out.Size())
	top, left := max(0, (out.Height-height)/2), max(0, (out.Width-width)/2)
	row := b.width * out.Channels
	for y := range b.height {
		copy(dst[((top+y)*out.Width+left)*out.Channels:], pixels[y*row:][:row])
	}
	return dst
}
