package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Defaults of RandomErasing.
var (
	erasedArea  = Range{0.02, 0.33}
	erasedRatio = Range{0.3, 3.3}
)

// RandomErasing returns the transform that overwrites a rectangle, with probability p: its share of the image is
// uniform in area, by default 0.02 to 0.33, its height over its width log-uniform in ratio, by default 0.3 to 3.3. A
// size that does not fit in the image with a pixel to spare is drawn anew, up to ten times; then the image stays as it
// is.
//
// The pixels become fill, a value a channel or one for all, by default 0, which is black here: torchvision's recipes
// erase after normalisation, where 0 is the mean colour; pass Data.Mean to do as they do. It is an error if p is not in
// [0,1], area not in (0,1] or ratio not positive, or the fill not in [0,1].
//
// Source: Zhong et al., "Random erasing data augmentation", AAAI 2020; torchvision.transforms.RandomErasing.
func RandomErasing(p float64, area, ratio Range, fill ...float32) (Transform, error) {
	area, ratio = area.or(erasedArea), ratio.or(erasedRatio)
	if !(p >= 0 && p <= 1) {
		return nil, fmt.Errorf("dataset: random erasing with probability %g, want 0 to 1", p)
	}
	for _, err := range []error{area.check("areas", 1), ratio.check("ratios", math.MaxFloat64), checkFill(fill)} {
		if err != nil {
			return nil, fmt.Errorf("dataset: random erasing: %w", err)
		}
	}
	return func(rng *rand.Rand, shape Shape, image []float32) {
		if rng.Float64() >= p {
			return
		}
		if b, ok := eraseBox(rng, shape, area, ratio); ok {
			paint(shape, image, b, fill)
		}
	}, nil
}

// eraseBox chooses what RandomErasing overwrites, and tells whether there is such a box.
func eraseBox(rng *rand.Rand, s Shape, area, ratio Range) (box, bool) {
	for range attempts {
		pixels := float64(s.Height*s.Width) * area.uniform(rng)
		r := ratio.logUniform(rng)
		height, width := round(math.Sqrt(pixels*r)), round(math.Sqrt(pixels/r))
		if height < s.Height && width < s.Width {
			return place(rng, s, height, width), true
		}
	}
	return box{}, false
}

func checkFill(fill []float32) error {
	for _, v := range fill {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("fill of %v, want numbers in [0,1]", fill)
		}
	}
	return nil
}

// Cutout returns the transform that overwrites a square of size by size pixels, cut off where it hangs over the edges:
// its centre is any pixel of the image. An odd size counts as the even number below it, as in the authors' code, and a
// negative one as 0. The pixels become fill, a value a channel or one for all, in [0,1], by default 0, which is black
// here: the authors erase after normalisation, where 0 is the mean colour; pass Data.Mean to do as they do. They use 16
// pixels for CIFAR-10, 8 for CIFAR-100 and 20 for SVHN.
//
// Source: DeVries & Taylor, "Improved regularization of convolutional neural networks with Cutout", 2017;
// github.com/uoguelph-mlrg/Cutout: util/cutout.py.
func Cutout(size int, fill ...float32) Transform {
	half := max(0, size/2)
	return func(rng *rand.Rand, shape Shape, image []float32) {
		y, x := rng.IntN(shape.Height), rng.IntN(shape.Width)
		paint(shape, image, box{y - half, x - half, 2 * half, 2 * half}, fill)
	}
}
