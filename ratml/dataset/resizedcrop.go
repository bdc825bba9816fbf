package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
)

// Defaults of RandomResizedCrop.
var (
	croppedArea  = Range{0.08, 1}
	croppedRatio = Range{3.0 / 4, 4.0 / 3}
)

// RandomResizedCrop returns the transform that cuts a rectangle out of the image and enlarges it to the size of the
// image, with bilinear interpolation: its share of the image is uniform in area, by default 0.08 to 1, its width over
// its height log-uniform in ratio, by default 3/4 to 4/3. A size that does not fit is drawn anew, up to ten times; then
// the rectangle is the largest around the middle whose shape is in the range. As no side is ever made smaller,
// antialiasing, which torchvision has, would change nothing, and there is none. It is an error if area is not in (0,1]
// or ratio not positive.
//
// Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015; torchvision.transforms.RandomResizedCrop.
func RandomResizedCrop(area, ratio Range) (Transform, error) {
	area, ratio = area.or(croppedArea), ratio.or(croppedRatio)
	for _, err := range []error{area.check("areas", 1), ratio.check("ratios", math.MaxFloat64)} {
		if err != nil {
			return nil, fmt.Errorf("dataset: random resized crop: %w", err)
		}
	}
	scratch := sync.Pool{New: func() any { return new(resizer) }}
	return func(rng *rand.Rand, shape Shape, image []float32) {
		b := cropBox(rng, shape, area, ratio)
		r := scratch.Get().(*resizer)
		r.enlarge(shape, image, b)
		scratch.Put(r)
	}, nil
}

// cropBox chooses what RandomResizedCrop cuts out.
func cropBox(rng *rand.Rand, s Shape, area, ratio Range) box {
	for range attempts {
		pixels := float64(s.Height*s.Width) * area.uniform(rng)
		r := ratio.logUniform(rng)
		width, height := round(math.Sqrt(pixels*r)), round(math.Sqrt(pixels/r))
		if 0 < width && width <= s.Width && 0 < height && height <= s.Height {
			return place(rng, s, height, width)
		}
	}
	height, width := s.Height, s.Width
	switch r := float64(s.Width) / float64(s.Height); {
	case r < ratio.Min:
		height = min(s.Height, max(1, round(float64(width)/ratio.Min)))
	case r > ratio.Max:
		width = min(s.Width, max(1, round(float64(height)*ratio.Max)))
	}
	return box{(s.Height - height) / 2, (s.Width - width) / 2, height, width}
}

// resizer is the memory that enlarging an image takes.
type resizer struct {
	rows []float32 // of the box, as wide as the image
	taps []tap
}

// tap says that a value lies between those at low and high, at the given share of the way.
type tap struct {
	low, high int
	share     float32
}

// enlarge replaces the image by what is in the box. Pixels are squares of which the values are the middles: PyTorch's
// align_corners=False.
func (r *resizer) enlarge(s Shape, image []float32, b box) {
	c, width := s.Channels, s.Width*s.Channels
	if n := b.height * width; cap(r.rows) < n {
		r.rows = make([]float32, n)
	}
	r.rows = r.rows[:b.height*width]
	r.along(s.Width, b.width)
	for y := range b.height {
		from := image[((b.top+y)*s.Width+b.left)*c:][:b.width*c]
		to := r.rows[y*width:][:width]
		for x, t := range r.taps {
			low, high := from[t.low*c:][:c], from[t.high*c:][:c]
			for k, v := range low {
				to[x*c+k] = v + t.share*(high[k]-v)
			}
		}
	}
	r.along(s.Height, b.height)
	for y, t := range r.taps {
		low, high := r.rows[t.low*width:][:width], r.rows[t.high*width:][:width]
		to := image[y*width:][:width]
		for i, v := range low {
			to[i] = v + t.share*(high[i]-v)
		}
	}
}

// along sets the taps of n values made from size.
func (r *resizer) along(n, size int) {
	r.taps = r.taps[:0]
	for i := range n {
		at := max(0, (float64(i)+0.5)*float64(size)/float64(n)-0.5)
		low := int(at)
		r.taps = append(r.taps, tap{low, min(low+1, size-1), float32(at - float64(low))})
	}
}
