package dataset

import (
	"fmt"
	"math"
)

// WithGaussianNoise returns s with Gaussian noise of a standard deviation, in pixel units, on every image. Values are
// cut off at 0 and 1 and rounded down to 8 bits, as CIFAR-10-C is stored, whose corruption gaussian_noise has at
// severity 1 to 5 the deviations 0.04, 0.06, 0.08, 0.09 and 0.10 (hendrycks/robustness:
// ImageNet-C/create_c/make_cifar_c.py). The noise of an image depends only on seed and its number. It is an error if
// the deviation is negative or not finite.
func WithGaussianNoise(s Set, deviation float64, seed uint64) (Set, error) {
	if !(deviation >= 0) || math.IsInf(deviation, 0) {
		return nil, fmt.Errorf("dataset: noise of deviation %v, want a number of at least 0", deviation)
	}
	return &gaussianNoise{s, deviation, seed}, nil
}

type gaussianNoise struct {
	Set
	deviation float64
	seed      uint64
}

func (s *gaussianNoise) origin(i int) (Set, int) { return s.Set, i }

func (s *gaussianNoise) Read(i int, dst []float32) (int, error) {
	label, err := s.Set.Read(i, dst)
	if err != nil {
		return 0, err
	}
	rng := stream(s.seed, forGaussianNoise, uint64(i))
	for j, v := range dst {
		moved := float64(v) + s.deviation*rng.NormFloat64()
		dst[j] = float32(math.Floor(255*min(max(moved, 0), 1)+1e-4) / 255)
	}
	return label, nil
}
