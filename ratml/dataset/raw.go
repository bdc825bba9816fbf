package dataset

import (
	"fmt"
	"math/rand/v2"
)

// Labeler is a Set that knows labels without reading images. [Labels] makes use of it.
type Labeler interface {
	Set
	// Label returns the label of image i, which is in [0, Len()).
	Label(i int) int
}

// raw is a list of labelled images as they are stored, of one size or of many.
type raw interface {
	Len() int
	Classes() []string
	Label(i int) int
	// bytes returns the image, in the order height, width, channel. The caller must not change it.
	bytes(i int) ([]uint8, Shape, error)
}

// partial are raw images of which parts cost less than all.
type partial interface {
	raw
	// open returns the shape of an image and a function that gives the pixels of a part of it.
	open(i int) (Shape, func(box) ([]uint8, error), error)
}

// openRaw does the same for raw images of any kind.
func openRaw(r raw, i int) (Shape, func(box) ([]uint8, error), error) {
	switch t := r.(type) {
	case partial:
		return t.open(i)
	case *joined:
		part, k := t.find(i)
		return openRaw(part, k)
	}
	pixels, shape, err := r.bytes(i)
	return shape, func(b box) ([]uint8, error) { return cut(pixels, shape, b), nil }, err
}

// stored is the Set of raw images after a transform that makes them of one shape.
type stored struct {
	raw
	shape   Shape
	prepare Preprocess
}

// usual is what photographs are preprocessed by where nothing else is said: the official code's vision_transforms.
var usual = Preprocess{Resize: 256, Crop: 224}

// newStored returns the Set, whose shape it finds by the transform or by the first image.
func newStored(r raw, p Preprocess) (*stored, error) {
	s := &stored{r, Shape{}, p}
	if r.Len() == 0 {
		return nil, fmt.Errorf("no images")
	}
	shape, part, err := openRaw(r, 0)
	if err != nil {
		return nil, err
	}
	_, s.shape, err = p.apply(part, shape)
	return s, err
}

// Shape returns the shape of the images after preprocessing.
func (s *stored) Shape() Shape { return s.shape }

// Read stores image i into dst and returns its label.
func (s *stored) Read(i int, dst []float32) (int, error) {
	if err := checkRead(s, i, dst); err != nil {
		return 0, err
	}
	shape, part, err := openRaw(s.raw, i)
	if err != nil {
		return 0, err
	}
	var pixels []uint8
	if s.prepare.leaves(shape) {
		pixels, err = part(box{0, 0, shape.Height, shape.Width})
	} else {
		pixels, shape, err = s.prepare.apply(part, shape)
	}
	if err != nil {
		return 0, err
	}
	if shape != s.shape {
		return 0, fmt.Errorf("dataset: image %d is %v, the first is %v: preprocess them to one size, for instance by resizing and cropping", i, shape, s.shape)
	}
	for j, p := range pixels {
		dst[j] = unit[p]
	}
	return s.Label(i), nil
}

// preprocess applies the transform to the images of a set that was opened without one.
func (d *Data) preprocess(p Preprocess) error {
	if p == (Preprocess{}) || d.prepared {
		return nil
	}
	for _, set := range []*Set{&d.Train, &d.Test} {
		r, ok := (*set).(raw)
		if *set == nil || !ok {
			continue
		}
		if _, many := r.(*stored); !many && p.leaves((*set).Shape()) {
			continue
		}
		if s, ok := (*set).(*stored); ok {
			if s.prepare == p {
				continue
			}
			r = s.raw
		}
		s, err := newStored(r, p)
		if err != nil {
			return err
		}
		*set = s
	}
	return nil
}

// joined is a list of raw images one after the other.
type joined struct {
	parts []raw
	ends  []int
}

// join joins parts that have the same classes.
func join(parts ...raw) raw {
	if len(parts) == 1 {
		return parts[0]
	}
	j := &joined{parts: parts}
	n := 0
	for _, p := range parts {
		n += p.Len()
		j.ends = append(j.ends, n)
	}
	return j
}

func (j *joined) Len() int          { return j.ends[len(j.ends)-1] }
func (j *joined) Classes() []string { return j.parts[0].Classes() }

func (j *joined) find(i int) (raw, int) {
	k := 0
	for i >= j.ends[k] {
		k++
	}
	if k > 0 {
		i -= j.ends[k-1]
	}
	return j.parts[k], i
}

func (j *joined) Label(i int) int {
	p, k := j.find(i)
	return p.Label(k)
}

func (j *joined) bytes(i int) ([]uint8, Shape, error) {
	p, k := j.find(i)
	return p.bytes(k)
}

// randomized is a Set whose images can be read with a random choice of what is seen of them.
type randomized interface {
	readRandom(rng *rand.Rand, i int, dst []float32) (int, error)
}

// readRandom reads image i of s, with a random choice where s makes one.
func readRandom(rng *rand.Rand, s Set, i int, dst []float32) (int, error) {
	if r, ok := s.(randomized); ok {
		return r.readRandom(rng, i, dst)
	}
	return s.Read(i, dst)
}

// Stored returns image i of s as it is stored, before any preprocessing: bytes in the order height, width, channel, which the
// caller must not change. Of a set that is not stored as bytes it returns what Read gives, rounded to bytes.
func Stored(s Set, i int) ([]uint8, Shape, error) {
	if i < 0 || i >= s.Len() {
		return nil, Shape{}, fmt.Errorf("dataset: image %d is outside [0,%d)", i, s.Len())
	}
	switch t := s.(type) {
	case raw:
		return t.bytes(i)
	case derived:
		parent, k := t.origin(i)
		return Stored(parent, k)
	}
	values := make([]float32, s.Shape().Size())
	if _, err := s.Read(i, values); err != nil {
		return nil, Shape{}, err
	}
	pixels := make([]uint8, len(values))
	for j, v := range values {
		pixels[j] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
	return pixels, s.Shape(), nil
}
