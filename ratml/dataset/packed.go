package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/dataset/internal/npy"
	"github.com/ratml/rat/ratml/internal/atomicfile"
)

const (
	packedList   = "packed.json"
	packedFormat = 1
)

// packed is the content of packed.json.
type packed struct {
	Format     int        `json:"format"`
	Name       string     `json:"name"` // of the set that was packed
	Classes    []string   `json:"classes"`
	Mean       []float32  `json:"mean"`
	Std        []float32  `json:"std"`
	Preprocess Preprocess `json:"preprocess"` // what the images went through
	Train      int        `json:"train"`      // images
	Test       int        `json:"test"`
}

// Pack writes the data set into a folder from which "packed" reads it at the speed of memory: arrays of bytes
// train_images.npy and test_images.npy, [n,height,width,channels], which numpy reads too, labels in train_labels.npy and
// test_labels.npy, and packed.json with the rest. Values are rounded to bytes. The Preprocess is that of the Config that the set
// was opened with; packed images are not preprocessed again. Progress, if it is not nil, is told the images done, of all.
// Files are written whole or not at all, packed.json last. The folder is made if it is not there.
func Pack(ctx context.Context, d *Data, prepared Preprocess, dir string, progress func(done, total int)) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, packedList)); err != nil && !os.IsNotExist(err) {
		return err
	}
	p := packed{Format: packedFormat, Name: d.Name, Mean: d.Mean, Std: d.Std, Preprocess: prepared}
	total := 0
	halves := []struct {
		name string
		set  Set
		n    *int
	}{{"train", d.Train, &p.Train}, {"test", d.Test, &p.Test}}
	for _, h := range halves {
		if h.set != nil {
			*h.n = h.set.Len()
			p.Classes = h.set.Classes()
			total += *h.n
		}
	}
	done := 0
	for _, h := range halves {
		if h.set == nil {
			continue
		}
		err := packHalf(ctx, h.set, filepath.Join(dir, h.name), func(n int) {
			if done += n; progress != nil {
				progress(done, total)
			}
		})
		if err != nil {
			return fmt.Errorf("dataset: packing %s images: %w", h.name, err)
		}
	}
	return atomicfile.Write(filepath.Join(dir, packedList), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(p)
	})
}

// packHalf writes the images and the labels of a set to files that begin with prefix.
func packHalf(ctx context.Context, s Set, prefix string, done func(n int)) error {
	shape := s.Shape()
	labels := make([]byte, 0, 4*s.Len())
	err := atomicfile.Write(prefix+"_images.npy", func(w io.Writer) error {
		header := npy.Header{Shape: []int{s.Len(), shape.Height, shape.Width, shape.Channels}, Type: "u1", Order: '|'}
		if _, err := w.Write(header.Append(nil)); err != nil {
			return err
		}
		loader := Loader{Set: s, BatchSize: 64}
		line := make([]uint8, 64*shape.Size())
		for b, err := range loader.Epoch(ctx, 0) {
			if err != nil {
				return err
			}
			values := b.Images[:b.N*shape.Size()]
			for i, v := range values {
				line[i] = uint8(math.Round(255 * float64(min(max(v, 0), 1))))
			}
			if _, err := w.Write(line[:len(values)]); err != nil {
				return err
			}
			for _, l := range b.Labels[:b.N] {
				labels = append(labels, byte(l), byte(l>>8), byte(l>>16), byte(l>>24))
			}
			done(b.N)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(prefix+"_labels.npy", func(w io.Writer) error {
		header := npy.Header{Shape: []int{s.Len()}, Type: "i4", Order: '<'}
		_, err := w.Write(append(header.Append(nil), labels...))
		return err
	})
}

func findPacked(q query) (string, error) {
	dir, err := q.named()
	if err != nil {
		return "", err
	}
	if !isFile(filepath.Join(dir, packedList)) {
		return "", &fs.PathError{Op: "open", Path: filepath.Join(dir, packedList), Err: fs.ErrNotExist}
	}
	return dir, nil
}

// openPacked opens what Pack wrote.
func openPacked(q query) (*Data, error) {
	dir, err := findPacked(q)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, packedList)
	var p packed
	err = withFile(name, func(src *source) error {
		content, err := src.read(0, src.limit)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(content, &p); err != nil {
			return &FormatError{File: name, Problem: "no description of a packed set", Err: err}
		}
		if p.Format != packedFormat || len(p.Classes) == 0 || p.Train < 0 || p.Test < 0 || p.Train+p.Test == 0 {
			return src.fail(0, "format %d with %d classes, %d and %d images, want format %d with some of each", p.Format, len(p.Classes), p.Train, p.Test, packedFormat)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	data := &Data{Source: dir, Mean: p.Mean, Std: p.Std}
	how := q.Preprocess
	if p.Preprocess != (Preprocess{}) {
		if how != (Preprocess{}) && how != p.Preprocess {
			return nil, fmt.Errorf("%s: the images were packed after %v, but %v is wanted: pack them so", dir, p.Preprocess, how)
		}
		how, data.prepared = Preprocess{}, true
	}
	for _, h := range []struct {
		name string
		n    int
		set  *Set
	}{{"train", p.Train, &data.Train}, {"test", p.Test, &data.Test}} {
		if h.n == 0 {
			continue
		}
		if *h.set, err = openPackedHalf(filepath.Join(dir, h.name), h.n, p.Classes, how); err != nil {
			return nil, err
		}
	}
	if data.Train == nil {
		data.missing = fmt.Errorf("%s was packed without any", dir)
	}
	return data, nil
}

func openPackedHalf(prefix string, n int, classes []string, how Preprocess) (Set, error) {
	l, err := openNpy(prefix + "_labels.npy")
	if err != nil {
		return nil, err
	}
	labels, err := l.ints()
	if err != nil {
		return nil, err
	}
	a, err := openNpy(prefix + "_images.npy")
	if err != nil {
		return nil, err
	}
	if len(labels) != n || len(a.Shape) != 4 || a.Shape[0] != n || a.Type != "u1" {
		return nil, a.fail("%d labels and an array of shape %v and type %s, want %d images of bytes", len(labels), a.Shape, a.Type, n)
	}
	shape := Shape{a.Shape[1], a.Shape[2], a.Shape[3]}
	for i, label := range labels {
		if label >= len(classes) {
			return nil, l.fail("label %d of image %d, want 0 to %d", label, i, len(classes)-1)
		}
	}
	if shape.Size() == 0 {
		return nil, a.fail("images of %v", shape)
	}
	return newStored(&rows{a, shape, false, 0, labels, classes}, how)
}
