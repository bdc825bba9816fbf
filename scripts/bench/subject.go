package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// subject is what operations are measured on: a network with random weights and a batch of random images.
type subject struct {
	clf    *nets.Classifier
	batch  int
	pixels []uint8
	images []float32 // pixels in [0,1]
	labels []int32
}

// newSubject makes a subject by seed.
func newSubject(e engine, a *nets.Arch, batch int, seed uint64) (*subject, error) {
	clf, err := nets.NewClassifier(e.Backend, a, a.Init(seed))
	if err != nil {
		return nil, err
	}
	clf.Devices = e.devices
	size := dataset.Shape(a.Input).Size()
	s := &subject{clf, batch, make([]uint8, batch*size), make([]float32, batch*size), make([]int32, batch)}
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range s.pixels {
		s.pixels[i] = uint8(rng.IntN(256))
		s.images[i] = float32(s.pixels[i]) / 255
	}
	for i := range s.labels {
		s.labels[i] = int32(rng.IntN(a.Classes))
	}
	return s, nil
}

// floats runs a program on images and returns its outputs.
func (s *subject) floats(p *nets.Program, images []float32) ([][]float32, error) {
	x := s.clf.Arch.Images(images)
	defer x.FinalizeAll()
	return p.RunFloats(x)
}

// set returns the images as a set that lists each of them so many times.
func (s *subject) set(times int) (dataset.Set, error) {
	classes, labels := make([]string, s.clf.Arch.Classes), make([]int, s.batch)
	for i := range classes {
		classes[i] = fmt.Sprint(i)
	}
	for i, l := range s.labels {
		labels[i] = int(l)
	}
	set, err := dataset.NewImages(dataset.Shape(s.clf.Arch.Input), classes, s.pixels, labels)
	if err != nil {
		return nil, err
	}
	index := make([]int, times*s.batch)
	for i := range index {
		index[i] = i % s.batch
	}
	return dataset.Select(set, index)
}
