package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Split deals the images of s out at random, by seed, into sets of the given sizes that have no image in common. The
// sizes must not be negative nor sum to more than s.Len(); images left over are in none of the sets.
func Split(s Set, seed uint64, sizes ...int) ([]Set, error) {
	rest := s.Len()
	for _, size := range sizes {
		if size < 0 || size > rest {
			return nil, fmt.Errorf("dataset: cannot split %d images into %v", s.Len(), sizes)
		}
		rest -= size
	}
	order := stream(seed, forSplit).Perm(s.Len())
	sets := make([]Set, len(sizes))
	for k, size := range sizes {
		sets[k] = &subset{s, order[:size:size]}
		order = order[size:]
	}
	return sets, nil
}

// Take returns the first n images of s: all of them if there are fewer, none if n is negative.
func Take(s Set, n int) Set {
	index := make([]int, max(0, min(n, s.Len())))
	for i := range index {
		index[i] = i
	}
	return &subset{s, index}
}

// Select returns the images of s that index lists, in its order; an image may be listed more than once. It is an error
// if an index is not in [0, s.Len()).
func Select(s Set, index []int) (Set, error) {
	for _, i := range index {
		if i < 0 || i >= s.Len() {
			return nil, fmt.Errorf("dataset: cannot select image %d of %d", i, s.Len())
		}
	}
	return &subset{s, slices.Clone(index)}, nil
}

// Origin returns the number that image i of s has in the set that s was made from by Split, Take, Select and
// WithLabelNoise, applied any number of times. If s was made otherwise, or i is no image of s, it is i.
func Origin(s Set, i int) int {
	for {
		if a, ok := s.(Altered); ok {
			s = a.Unaltered()
			continue
		}
		d, ok := s.(derived)
		if !ok || i < 0 || i >= s.Len() {
			return i
		}
		s, i = d.origin(i)
	}
}

// Labels returns the labels of all images of s. A [Labeler], such as the sets of this package, is asked
// for them, of another set all images are read.
func Labels(s Set) ([]int, error) {
	labels := make([]int, s.Len())
	var buffer []float32
	for i := range labels {
		label, err := readLabel(s, i, &buffer)
		if err != nil {
			return nil, fmt.Errorf("dataset: label of image %d: %w", i, err)
		}
		labels[i] = label
	}
	return labels, nil
}

// Altered is a set of the images of another one, under the same numbers, that differ in their pixels alone. [Labels] and
// [Origin] ask the other set.
type Altered interface {
	Set
	Unaltered() Set
}

// derived is a set made from another one, whose image it has under another number.
type derived interface{ origin(i int) (Set, int) }

// readLabel returns the label of image i, which it reads into the buffer only if it must.
func readLabel(s Set, i int, buffer *[]float32) (int, error) {
	switch t := s.(type) {
	case Labeler:
		return t.Label(i), nil
	case *subset:
		return readLabel(t.parent, t.index[i], buffer)
	case Altered:
		return readLabel(t.Unaltered(), i, buffer)
	}
	if *buffer == nil {
		*buffer = make([]float32, s.Shape().Size())
	}
	return s.Read(i, *buffer)
}

// subset is a choice of images of parent.
type subset struct {
	parent Set
	index  []int
}

func (s *subset) Len() int                { return len(s.index) }
func (s *subset) Shape() Shape            { return s.parent.Shape() }
func (s *subset) Classes() []string       { return s.parent.Classes() }
func (s *subset) origin(i int) (Set, int) { return s.parent, s.index[i] }

func (s *subset) Read(i int, dst []float32) (int, error) {
	if err := checkRead(s, i, dst); err != nil {
		return 0, err
	}
	return s.parent.Read(s.index[i], dst)
}

func (s *subset) readRandom(rng *rand.Rand, i int, dst []float32) (int, error) {
	if err := checkRead(s, i, dst); err != nil {
		return 0, err
	}
	return readRandom(rng, s.parent, s.index[i], dst)
}
