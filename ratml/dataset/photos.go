package dataset

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/dataset/internal/picture"
)

// photos are images in files of their own, which are decoded when they are read.
type photos struct {
	files   files
	classes []string
	names   []string
	labels  []int32
}

// files give the content of named files.
type files interface {
	read(name string) ([]byte, error)
	// path names a file in messages.
	path(name string) string
}

func (p *photos) Len() int          { return len(p.names) }
func (p *photos) Classes() []string { return p.classes }
func (p *photos) Label(i int) int   { return int(p.labels[i]) }

func (p *photos) add(name string, label int) {
	p.names = append(p.names, name)
	p.labels = append(p.labels, int32(label))
}

func (p *photos) bytes(i int) ([]uint8, Shape, error) {
	shape, part, err := p.open(i)
	if err != nil {
		return nil, shape, err
	}
	pixels, err := part(box{0, 0, shape.Height, shape.Width})
	return pixels, shape, err
}

func (p *photos) open(i int) (Shape, func(box) ([]uint8, error), error) {
	fail := func(err error) error {
		return &FormatError{File: p.path(i), Problem: "the image cannot be decoded", Err: err}
	}
	data, err := p.files.read(p.names[i])
	if err != nil {
		return Shape{}, nil, err
	}
	img, err := picture.Parse(data)
	if err != nil {
		return Shape{}, nil, fail(err)
	}
	part := func(b box) ([]uint8, error) {
		pixels, err := img.RGB(b.top, b.left, b.height, b.width)
		if err != nil {
			return nil, fail(err)
		}
		return pixels, nil
	}
	return Shape{img.Height, img.Width, 3}, part, nil
}

func (p *photos) path(i int) string { return p.files.path(p.names[i]) }

// onDisk are the files below a folder.
type onDisk string

func (d onDisk) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d onDisk) read(name string) ([]byte, error) {
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%s: want a regular file of at most %d bytes", d.path(name), maxBytes)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", d.path(name), err)
	}
	return data, nil
}

// photographs are a Set of files of which the usual transform makes images of one size, if no other is asked for.
func photographs(p *photos, cfg Config, usual Preprocess) (Set, error) {
	if p == nil {
		return nil, nil
	}
	how := cfg.Preprocess
	if how == (Preprocess{}) {
		how = usual
	}
	return newStored(p, how)
}

// photoData makes the data set of training and test images, of which one may be nil.
func photoData(source string, train, test *photos, cfg Config, usual Preprocess) (*Data, error) {
	data := &Data{Source: source, Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}}
	var err error
	if train != nil {
		if data.Train, err = photographs(train, cfg, usual); err != nil {
			return nil, err
		}
	}
	if test != nil {
		if data.Test, err = photographs(test, cfg, usual); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// cropped is a stored set whose random reading cuts out of the images as they are stored, before any resizing.
type cropped struct {
	*stored
	area, ratio Range
}

// CropStored returns s with another way to augment it: a [Loader] reads of each image a random part, by area and shape as
// [RandomResizedCrop] chooses it, from the image as it is stored, and resizes it to the shape of s. That is what torchvision's
// RandomResizedCrop does with photographs; as a [Transform] it would see no more than what preprocessing has left. Read is as
// before. A set whose images are stored in its own shape, or not known to be stored, is returned as it is with ok false.
func CropStored(s Set, area, ratio Range) (c Set, ok bool, err error) {
	area, ratio = area.or(croppedArea), ratio.or(croppedRatio)
	for _, err := range []error{area.check("areas", 1), ratio.check("ratios", math.MaxFloat64)} {
		if err != nil {
			return nil, false, fmt.Errorf("dataset: random crop of stored images: %w", err)
		}
	}
	switch t := s.(type) {
	case *stored:
		if _, ofFiles := t.raw.(*photos); !ofFiles && t.prepare == (Preprocess{}) {
			return s, false, nil
		}
		return &cropped{t, area, ratio}, true, nil
	case *subset:
		parent, ok, err := CropStored(t.parent, area, ratio)
		if !ok {
			return s, false, err
		}
		return &subset{parent, t.index}, true, nil
	case *noisyLabels:
		parent, ok, err := CropStored(t.Set, area, ratio)
		if !ok {
			return s, false, err
		}
		return &noisyLabels{parent, t.labels}, true, nil
	}
	return s, false, nil
}

func (c *cropped) readRandom(rng *rand.Rand, i int, dst []float32) (int, error) {
	if err := checkRead(c, i, dst); err != nil {
		return 0, err
	}
	from, source, err := openRaw(c.raw, i)
	if err != nil {
		return 0, err
	}
	b := cropBox(rng, from, c.area, c.ratio)
	part, err := source(b)
	if err != nil {
		return 0, err
	}
	shape := c.Shape()
	out, err := Resize(part, Shape{b.height, b.width, from.Channels}, shape.Height, shape.Width, c.prepare.Interpolation)
	if err != nil {
		return 0, err
	}
	for j, v := range out {
		dst[j] = unit[v]
	}
	return c.Label(i), nil
}
