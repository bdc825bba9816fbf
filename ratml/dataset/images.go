package dataset

import "fmt"

// Images is a [Set] held in memory, one byte a value.
type Images struct {
	shape   Shape
	classes []string
	pixels  []uint8
	labels  []int
}

// NewImages makes a Set of len(labels) images. The pixels are those of all images one after the other, each in the
// order height, width, channel, and 255 becomes 1. The slices are kept, not copied. It is an error if their lengths do
// not fit together or a label is not in [0, len(classes)).
func NewImages(shape Shape, classes []string, pixels []uint8, labels []int) (*Images, error) {
	if shape.Height < 1 || shape.Width < 1 || shape.Channels < 1 {
		return nil, fmt.Errorf("dataset: images of %v: height, width and channels must be at least 1", shape)
	}
	if len(pixels)%shape.Size() != 0 || len(pixels)/shape.Size() != len(labels) {
		return nil, fmt.Errorf("dataset: %d pixel values for %d labels, want %d values (%v) for each", len(pixels), len(labels), shape.Size(), shape)
	}
	for i, label := range labels {
		if label < 0 || label >= len(classes) {
			return nil, fmt.Errorf("dataset: image %d: label %d is outside [0,%d)", i, label, len(classes))
		}
	}
	return &Images{shape, classes, pixels, labels}, nil
}

// Len returns the number of images.
func (s *Images) Len() int { return len(s.labels) }

// Shape returns the shape of every image.
func (s *Images) Shape() Shape { return s.shape }

// Classes returns the names of the classes.
func (s *Images) Classes() []string { return s.classes }

// Read stores image i into dst and returns its label, as [Set] says.
func (s *Images) Read(i int, dst []float32) (int, error) {
	if err := checkRead(s, i, dst); err != nil {
		return 0, err
	}
	for j, p := range s.pixels[i*len(dst) : (i+1)*len(dst)] {
		dst[j] = unit[p]
	}
	return s.labels[i], nil
}

// Label returns the label of image i.
func (s *Images) Label(i int) int { return s.labels[i] }

func (s *Images) bytes(i int) ([]uint8, Shape, error) {
	size := s.shape.Size()
	return s.pixels[i*size:][:size], s.shape, nil
}

// unit maps a byte to [0,1].
var unit = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(i) / 255
	}
	return table
}()
