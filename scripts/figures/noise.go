package main

import (
	"fmt"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
)

// noiseDeviations are the standard deviations, in pixel units, of the five severities of gaussian_noise in CIFAR-10-C.
var noiseDeviations = [5]float64{.04, .06, .08, .09, .10}

// noisy has all images of a set at each severity of Gaussian noise, those of severity 1 first.
type noisy struct {
	dataset.Set // of severity 1
	severities  [5]dataset.Set
}

// withNoise adds noise that no two images share. It returns an error if there are no images.
func withNoise(s dataset.Set, seed uint64) (noisy, error) {
	if s.Len() == 0 {
		return noisy{}, fmt.Errorf("there are no images to add noise to")
	}
	var n noisy
	for k, deviation := range noiseDeviations {
		var err error
		if n.severities[k], err = dataset.WithGaussianNoise(s, deviation, seed<<3|uint64(k)); err != nil {
			return n, err
		}
	}
	n.Set = n.severities[0]
	return n, nil
}

func (n noisy) Len() int { return len(n.severities) * n.Set.Len() }

func (n noisy) Read(i int, dst []float32) (int, error) {
	if i < 0 || i >= n.Len() {
		return 0, fmt.Errorf("image %d of %d with noise", i, n.Len())
	}
	return n.severities[i/n.Set.Len()].Read(i%n.Set.Len(), dst)
}

// severities returns the part of a run over a noisy set that belongs to each severity.
func severities(run *misd.Run) ([]*misd.Run, error) {
	n := run.Len() / len(noiseDeviations)
	if n == 0 || run.Len() != n*len(noiseDeviations) {
		return nil, fmt.Errorf("%d images are none of %d severities", run.Len(), len(noiseDeviations))
	}
	var out []*misd.Run
	for k := range noiseDeviations {
		part, err := run.Subset(rows(k*n, (k+1)*n))
		if err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	return out, nil
}

// rows returns the numbers from first to the one before last.
func rows(first, last int) []int {
	out := make([]int, last-first)
	for i := range out {
		out[i] = first + i
	}
	return out
}
