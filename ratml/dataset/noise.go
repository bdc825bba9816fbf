package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// WithLabelNoise returns s with wrong labels for the given fraction of its images, rounded to whole images. Which
// images, and which of the other classes each is given, depends only on seed and the number of images and classes. It
// is an error if the fraction is not in [0,1], if it is above 0 and there is only one class, or if a label cannot be
// read.
func WithLabelNoise(s Set, fraction float64, seed uint64) (Set, error) {
	if !(fraction >= 0 && fraction <= 1) {
		return nil, fmt.Errorf("dataset: label noise of %v, want a fraction in [0,1]", fraction)
	}
	classes := len(s.Classes())
	if fraction > 0 && classes < 2 {
		return nil, fmt.Errorf("dataset: label noise needs at least 2 classes, the set has %d", classes)
	}
	labels, err := Labels(s)
	if err != nil {
		return nil, err
	}
	rng := stream(seed, forLabelNoise)
	order := rng.Perm(len(labels))
	for _, i := range order[:int(math.Round(fraction*float64(len(labels))))] {
		labels[i] = (labels[i] + 1 + rng.IntN(classes-1)) % classes
	}
	return &noisyLabels{s, labels}, nil
}

// noisyLabels is a set with other labels.
type noisyLabels struct {
	Set
	labels []int
}

func (s *noisyLabels) origin(i int) (Set, int) { return s.Set, i }

// Label returns the label of image i, right or wrong.
func (s *noisyLabels) Label(i int) int { return s.labels[i] }

func (s *noisyLabels) readRandom(rng *rand.Rand, i int, dst []float32) (int, error) {
	if _, err := readRandom(rng, s.Set, i, dst); err != nil {
		return 0, err
	}
	return s.labels[i], nil
}

func (s *noisyLabels) Read(i int, dst []float32) (int, error) {
	if _, err := s.Set.Read(i, dst); err != nil {
		return 0, err
	}
	return s.labels[i], nil
}
