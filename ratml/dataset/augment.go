package dataset

import (
	"math/rand/v2"
	"sync"
)

// Chain returns the transform that applies the given ones in turn.
func Chain(transforms ...Transform) Transform {
	return func(rng *rand.Rand, shape Shape, image []float32) {
		for _, t := range transforms {
			t(rng, shape, image)
		}
	}
}

// RandomCrop returns the transform that moves an image by up to pad pixels each way, and fills with 0 what enters from
// outside: the usual crop of the original size from an image padded with black. A negative pad counts as 0.
func RandomCrop(pad int) Transform {
	pad = max(pad, 0)
	return func(rng *rand.Rand, shape Shape, image []float32) {
		down, right := rng.IntN(2*pad+1)-pad, rng.IntN(2*pad+1)-pad
		shift(shape, image, down, right)
	}
}

// RandomCropReflect is [RandomCrop] where the image continues as its mirror image, without repeating the pixels at the
// edge: torchvision's padding mode "reflect". A pad larger than the image less one pixel mirrors more than once.
func RandomCropReflect(pad int) Transform {
	pad = max(pad, 0)
	scratch := sync.Pool{New: func() any { return new([]float32) }}
	return func(rng *rand.Rand, shape Shape, image []float32) {
		down, right := rng.IntN(2*pad+1)-pad, rng.IntN(2*pad+1)-pad
		original := scratch.Get().(*[]float32)
		*original = append((*original)[:0], image...)
		shiftReflected(shape, image, *original, down, right)
		scratch.Put(original)
	}
}

// RandomFlip returns the transform that mirrors an image left to right, half of the time.
func RandomFlip() Transform {
	return func(rng *rand.Rand, shape Shape, image []float32) {
		if rng.IntN(2) == 1 {
			mirror(shape, image)
		}
	}
}

// shift moves the image down and to the right, by less than nothing for up and left.
func shift(s Shape, image []float32, down, right int) {
	width := s.Width * s.Channels
	right = max(-width, min(right*s.Channels, width))
	for k := range s.Height {
		y := k
		if down > 0 {
			y = s.Height - 1 - k // the row that is copied from must not be overwritten yet
		}
		row := image[y*width:][:width]
		from := y - down
		if from < 0 || from >= s.Height {
			clear(row)
			continue
		}
		source := image[from*width:][:width]
		if right >= 0 {
			copy(row[right:], source)
			clear(row[:right])
		} else {
			copy(row, source[-right:])
			clear(row[width+right:])
		}
	}
}

// shiftReflected sets the image to the original moved down and to the right.
func shiftReflected(s Shape, image, original []float32, down, right int) {
	c := s.Channels
	for y := range s.Height {
		row := original[bounce(y-down, s.Height)*s.Width*c:][:s.Width*c]
		to := image[y*s.Width*c:][:s.Width*c]
		for x := range s.Width {
			copy(to[x*c:][:c], row[bounce(x-right, s.Width)*c:][:c])
		}
	}
}

// bounce returns where i is in [0,n) after reflection at 0 and n-1.
func bounce(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

// mirror swaps left and right.
func mirror(s Shape, image []float32) {
	width := s.Width * s.Channels
	for y := range s.Height {
		row := image[y*width:][:width]
		for a, b := 0, width-s.Channels; a < b; a, b = a+s.Channels, b-s.Channels {
			for c := range s.Channels {
				row[a+c], row[b+c] = row[b+c], row[a+c]
			}
		}
	}
}
