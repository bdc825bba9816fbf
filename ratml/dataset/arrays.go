package dataset

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset/internal/npy"
)

// array is a numpy array on disk or in memory, in C order.
type array struct {
	npy.Header
	name   string // in messages
	at     io.ReaderAt
	offset int64
}

func (a *array) fail(format string, args ...any) error {
	return &FormatError{File: a.name, Offset: a.offset, Problem: fmt.Sprintf(format, args...)}
}

// openNpy opens the array of a file, which stays open as long as the array is in use.
func openNpy(name string) (*array, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: want a regular file", name)
	}
	var a *array
	if err == nil {
		a, err = newArray(name, f, 0, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

// newArray reads the header of an array that fills size bytes from start on.
func newArray(name string, at io.ReaderAt, start, size int64) (*array, error) {
	h, offset, err := npy.ReadHeader(io.NewSectionReader(at, start, size))
	if err != nil {
		return nil, &FormatError{File: name, Offset: start, Problem: "no numpy array", Err: err}
	}
	a := &array{h, name, at, start + offset}
	if want := int64(h.Len()) * int64(h.Size()); want != size-offset {
		return nil, a.fail("%d bytes of elements, want %d for shape %v of type %s", size-offset, want, h.Shape, h.Type)
	}
	if h.Fortran && len(h.Shape) > 1 {
		return nil, a.fail("an array in Fortran's order, want C order (numpy.ascontiguousarray)")
	}
	return a, nil
}

// part reads n elements from number first on.
func (a *array) part(first, n int) ([]byte, error) {
	b := make([]byte, n*a.Size())
	if got, err := a.at.ReadAt(b, a.offset+int64(first)*int64(a.Size())); got < len(b) {
		return nil, &FormatError{File: a.name, Offset: a.offset + int64(first)*int64(a.Size()), Problem: "cannot be read", Err: err}
	}
	return b, nil
}

// ints reads all elements as labels: whole numbers that are not negative.
func (a *array) ints() ([]int, error) {
	if len(a.Shape) == 0 || a.Len() != a.Shape[0] {
		return nil, a.fail("labels of shape %v, want one dimension", a.Shape)
	}
	b, err := a.part(0, a.Len())
	if err != nil {
		return nil, err
	}
	ints := make([]int, a.Len())
	for i := range ints {
		v := a.Float(b[i*a.Size():][:a.Size()])
		if v != math.Trunc(v) || v < 0 || v > 1<<30 {
			return nil, &FormatError{File: a.name, Offset: a.offset + int64(i*a.Size()), Problem: fmt.Sprintf("label %v of image %d, want a whole number from 0", v, i)}
		}
		ints[i] = int(v)
	}
	return ints, nil
}

// layout finds out how images are stored: [n,h,w], [n,h,w,c], or [n,c,h,w], of which c is 1 or 3.
func (a *array) layout() (s Shape, planes bool, err error) {
	d := a.Shape
	colour := func(n int) bool { return n == 1 || n == 3 }
	switch {
	case len(d) == 3:
		s = Shape{d[1], d[2], 1}
	case len(d) == 4 && colour(d[3]):
		s = Shape{d[1], d[2], d[3]}
	case len(d) == 4 && colour(d[1]):
		s, planes = Shape{d[2], d[3], d[1]}, true
	default:
		return s, false, a.fail("images of shape %v, want [n,height,width], [n,height,width,channels] or [n,channels,height,width] with 1 or 3 channels", d)
	}
	if s.Height < 1 || s.Width < 1 || d[0] < 1 {
		return s, false, a.fail("images of shape %v, want at least one pixel", d)
	}
	return s, planes, nil
}

// rows are some of the images of an array of bytes.
type rows struct {
	array   *array
	shape   Shape
	planes  bool
	first   int
	labels  []int
	classes []string
}

func (r *rows) Len() int          { return len(r.labels) }
func (r *rows) Classes() []string { return r.classes }
func (r *rows) Label(i int) int   { return r.labels[i] }

func (r *rows) bytes(i int) ([]uint8, Shape, error) {
	b, err := r.array.part((r.first+i)*r.shape.Size(), r.shape.Size())
	if err == nil && r.planes && r.shape.Channels > 1 {
		b = appendInterleaved(make([]uint8, 0, len(b)), b)
	}
	return b, r.shape, err
}

// floats is the Set of images of an array of floats in [0,1].
type floats struct{ rows }

func (f *floats) Shape() Shape { return f.shape }

func (f *floats) Read(i int, dst []float32) (int, error) {
	if err := checkRead(f, i, dst); err != nil {
		return 0, err
	}
	b, err := f.array.part((f.first+i)*len(dst), len(dst))
	if err != nil {
		return 0, err
	}
	size, plane := f.array.Size(), f.shape.Height*f.shape.Width
	for j := range dst {
		k := j
		if f.planes {
			k = j%f.shape.Channels*plane + j/f.shape.Channels
		}
		v := f.array.Float(b[k*size:][:size])
		if !(v >= 0 && v <= 1) {
			return 0, f.array.fail("value %v in image %d, want floats in [0,1], or bytes", v, f.first+i)
		}
		dst[j] = float32(v)
	}
	return f.labels[i], nil
}

// imagesOf makes the Set of an array of images with labels.
func imagesOf(a *array, labels []int, classes []string, p Preprocess) (Set, error) {
	shape, planes, err := a.layout()
	if err != nil {
		return nil, err
	}
	if labels == nil {
		labels = make([]int, a.Shape[0])
	}
	if len(labels) != a.Shape[0] {
		return nil, a.fail("%d labels for %d images, want one for each", len(labels), a.Shape[0])
	}
	for i, l := range labels {
		if l >= len(classes) {
			return nil, a.fail("label %d of image %d, want 0 to %d", l, i, len(classes)-1)
		}
	}
	r := rows{a, shape, planes, 0, labels, classes}
	switch a.Type {
	case "u1":
		return newStored(&r, p)
	case "f2", "f4", "f8":
		if !p.leaves(shape) {
			return nil, a.fail("images of floats of %v cannot be preprocessed (%v): store them as bytes", shape, p)
		}
		return &floats{r}, nil
	}
	return nil, a.fail("images of type %s, want bytes (u1) or floats", a.Type)
}

// numberedClasses returns the names of classes that have none: "0", "1", ...
func numberedClasses(labels ...[]int) []string {
	most := 0
	for _, l := range labels {
		if len(l) > 0 {
			most = max(most, slices.Max(l))
		}
	}
	names := make([]string, most+1)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

func findNPZ(q query) (string, error) {
	name, err := q.named()
	if err != nil {
		return "", err
	}
	if !exists(name) {
		_, err = os.Stat(name)
	}
	return name, err
}

// Names that arrays of images and of labels go by, alone or with the name of a split before or after them.
var (
	imageKeys = []string{"x", "images", "image", "data", "imgs"}
	labelKeys = []string{"y", "labels", "label", "targets"}
)

// openNPZ opens an archive of numpy arrays, or a folder with train.npz and test.npz: images and labels as x and y or the
// like, test images unless the names say train.
func openNPZ(q query) (*Data, error) {
	place, err := findNPZ(q)
	if err != nil {
		return nil, err
	}
	split := map[string]map[string]*array{"train": {}, "test": {}}
	if isDir(place) {
		for _, s := range []string{"train", "test"} {
			name := filepath.Join(place, s+".npz")
			if s == "train" && !exists(name) {
				continue
			}
			if split[s], err = readNPZ(name); err != nil {
				return nil, err
			}
		}
	} else {
		all, err := readNPZ(place)
		if err != nil {
			return nil, err
		}
		for key, a := range all {
			s, bare := splitKey(key)
			if s != "" {
				split[s][bare] = a
			}
		}
	}
	return npzData(place, split, q)
}

// splitKey tells which split the name of an array is about, and its name without that.
func splitKey(key string) (split, bare string) {
	for _, c := range []struct{ word, split string }{{"train", "train"}, {"test", "test"}, {"val", ""}} {
		if rest, ok := strings.CutPrefix(key, c.word+"_"); ok {
			return c.split, rest
		}
		if rest, ok := strings.CutSuffix(key, "_"+c.word); ok {
			return c.split, rest
		}
	}
	return "test", key
}

func npzData(place string, split map[string]map[string]*array, q query) (*Data, error) {
	data := &Data{Source: place}
	pick := func(arrays map[string]*array, keys []string) *array {
		for _, k := range keys {
			if a := arrays[k]; a != nil {
				return a
			}
		}
		return nil
	}
	labels := map[string][]int{}
	for s, arrays := range split {
		if a := pick(arrays, labelKeys); a != nil {
			var err error
			if labels[s], err = a.ints(); err != nil {
				return nil, err
			}
		}
	}
	classes := numberedClasses(labels["train"], labels["test"])
	if len(labels) == 0 {
		classes = []string{unlabelled}
	}
	for s, set := range map[string]*Set{"train": &data.Train, "test": &data.Test} {
		a := pick(split[s], imageKeys)
		if a == nil {
			continue
		}
		if labels[s] == nil && len(labels) > 0 {
			return nil, a.fail("no labels beside the images, want an array called one of %s", strings.Join(labelKeys, ", "))
		}
		images, err := imagesOf(a, labels[s], classes, q.Preprocess)
		if err != nil {
			return nil, err
		}
		*set = images
		data.Mean, data.Std = slices.Repeat([]float32{0.5}, images.Shape().Channels), slices.Repeat([]float32{0.5}, images.Shape().Channels)
	}
	if data.Train == nil && data.Test == nil {
		return nil, &FormatError{File: place, Problem: fmt.Sprintf("no array of images, want one called %s, or with train_ or test_ before that", strings.Join(imageKeys, ", "))}
	}
	data.missing = fmt.Errorf("%s has no images called train", place)
	return data, nil
}

// readNPZ opens the arrays of an archive: those that are stored are read where they lie, the others are decompressed.
func readNPZ(name string) (map[string]*array, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var arrays map[string]*array
	if err == nil {
		arrays, err = arraysOf(name, f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return arrays, nil
}

func arraysOf(name string, at io.ReaderAt, size int64) (map[string]*array, error) {
	z, err := zip.NewReader(at, size)
	if err != nil {
		return nil, &FormatError{File: name, Problem: "no zip archive, which npz files are", Err: err}
	}
	arrays := map[string]*array{}
	for _, member := range z.File {
		key, ok := strings.CutSuffix(member.Name, ".npy")
		if _, bare := splitKey(key); !ok || !slices.Contains(imageKeys, bare) && !slices.Contains(labelKeys, bare) {
			continue
		}
		if arrays[key], err = arrayOf(name+":"+member.Name, at, size, member); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

func arrayOf(name string, at io.ReaderAt, size int64, member *zip.File) (*array, error) {
	start, err := member.DataOffset()
	if err != nil {
		return nil, &FormatError{File: name, Problem: "cannot be found in the zip archive", Err: err}
	}
	if member.Method == zip.Store {
		if n := int64(member.CompressedSize64); n < 0 || n > size-start || member.UncompressedSize64 != member.CompressedSize64 {
			return nil, &FormatError{File: name, Offset: start, Problem: "its size does not fit the zip archive"}
		}
		if err := verify(name, member); err != nil {
			return nil, err
		}
		return newArray(name, at, start, int64(member.CompressedSize64))
	}
	r, err := member.Open()
	if err != nil {
		return nil, &FormatError{File: name, Offset: start, Problem: "cannot be decompressed", Err: err}
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, &FormatError{File: name, Offset: start, Problem: "cannot be decompressed", Err: err}
	}
	return newArray(name, bytes.NewReader(content), 0, int64(len(content)))
}

// verify compares the checksum of a stored member.
func verify(name string, member *zip.File) error {
	r, err := member.Open()
	if err == nil {
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return &FormatError{File: name, Problem: "differs from its checksum in the zip archive", Err: err}
	}
	return nil
}
