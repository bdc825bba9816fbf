package dataset

import "fmt"

// Shape is the size of an image in pixels, and its number of channels.
type Shape struct{ Height, Width, Channels int }

// Size returns the number of values of an image.
func (s Shape) Size() int { return s.Height * s.Width * s.Channels }

// String returns the shape as in "32x32x3".
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.Height, s.Width, s.Channels) }

// Set is a numbered list of labelled images of one shape. All methods are safe for concurrent use.
type Set interface {
	// Len returns the number of images.
	Len() int
	// Shape returns the shape that all images have.
	Shape() Shape
	// Classes returns the names of the classes; the index is the label. The caller must not change them.
	Classes() []string
	// Read stores image i into dst, in the order height, width, channel, values in [0,1], and returns its label.
	// It is an error if i is not in [0, Len()) or dst has not Shape().Size() elements.
	Read(i int, dst []float32) (label int, err error)
}

// Data is a data set: its training and its test images.
type Data struct {
	Name  string
	Train Set // nil where the folder holds test images only; Training gives the reason as an error
	Test  Set

	// Mean and Std hold one value a channel: what this field usually subtracts from pixels in [0,1] and then
	// divides them by.
	Mean, Std []float32

	// Source is the folder that the files were read from, or "generated".
	Source string

	missing  error // why Train is nil
	prepared bool  // the images are as Config.Preprocess wants them
}

// Training returns d.Train, or an error that says which files are missing if there are no training images.
func (d *Data) Training() (Set, error) {
	if d.Train != nil {
		return d.Train, nil
	}
	if d.missing != nil {
		return nil, fmt.Errorf("dataset: %s: no training images: %w", d.Name, d.missing)
	}
	return nil, fmt.Errorf("dataset: %s: no training images", d.Name)
}

// Config says where a data set is and, for a generated one, what to generate. The zero value is ready for use.
type Config struct {
	// Dir is the folder with the files, or a folder above it in one of the usual layouts. Where it is empty, the set
	// is looked for in the places that [Open] lists.
	Dir string

	// Seed makes generated images reproducible. Data sets in files do not depend on it.
	Seed uint64

	// Preprocess is how images become what a classifier takes: nets.Arch.Preprocess. The zero value leaves the images of
	// sets that have one size as they are, and stands for a shorter side of 256 pixels, of which the middle 224x224 are
	// cut out, for sets of photographs of many sizes; "synthetic" ignores it.
	Preprocess Preprocess

	// Synthetic describes the images of the set "synthetic"; others ignore it.
	Synthetic SyntheticConfig
}

// checkRead verifies the arguments of Set.Read.
func checkRead(s Set, i int, dst []float32) error {
	if i < 0 || i >= s.Len() {
		return fmt.Errorf("dataset: image %d is outside [0,%d)", i, s.Len())
	}
	if size := s.Shape().Size(); len(dst) != size {
		return fmt.Errorf("dataset: dst has %d elements, want %d for images of %v", len(dst), size, s.Shape())
	}
	return nil
}
