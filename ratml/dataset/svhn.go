package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/dataset/internal/matfile"
)

var svhnClasses = mnistClasses

const (
	svhnTrain = "train_32x32.mat"
	svhnTest  = "test_32x32.mat"
	svhnExtra = "extra_32x32.mat"
)

func findSVHN(q query) (string, error) {
	root, err := q.root()
	if err != nil {
		return "", err
	}
	folders := below(root, "svhn", "SVHN")
	for _, dir := range folders {
		if isFile(filepath.Join(dir, svhnTest)) || isFile(filepath.Join(dir, svhnTrain)) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("neither %s nor %s in %v: %w", svhnTrain, svhnTest, folders, fs.ErrNotExist)
}

func openSVHN(q query) (*Data, error) {
	if q.more != "" && q.more != "extra" {
		return nil, fmt.Errorf("%q after the name, want nothing or extra", q.more)
	}
	dir, err := findSVHN(q)
	if err != nil {
		return nil, err
	}
	data := &Data{Source: dir, Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.2023, 0.1994, 0.2010}}
	names := []string{svhnTest, svhnTrain}
	if !exists(filepath.Join(dir, svhnTrain)) && q.more == "" {
		data.missing = &fs.PathError{Op: "open", Path: filepath.Join(dir, svhnTrain), Err: fs.ErrNotExist}
		names = names[:1]
	}
	if q.more == "extra" {
		names = append(names, svhnExtra)
	}
	parts := make([]*Images, len(names))
	err = concurrently(len(names), func(i int) (err error) {
		parts[i], err = readSVHN(filepath.Join(dir, names[i]))
		return err
	})
	if err != nil {
		return nil, err
	}
	data.Test = parts[0]
	if len(parts) > 1 {
		data.Train = concatenate(parts[1:])
	}
	return data, nil
}

func readSVHN(name string) (*Images, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseSVHN(name, bufio.NewReaderSize(f, 1<<16))
}

// parseSVHN reads a file of cropped digits: X, bytes of height, width, channel and image, the first fastest, and y, a
// label an image, of which 10 means the digit 0. Source: Netzer et al., http://ufldl.stanford.edu/housenumbers, "Format 2".
func parseSVHN(name string, r io.Reader) (*Images, error) {
	fail := func(offset int64, format string, args ...any) error {
		return &FormatError{File: name, Offset: offset, Problem: fmt.Sprintf(format, args...)}
	}
	arrays, err := matfile.Read(r, "X", "y")
	if err != nil {
		var at *matfile.Error
		errors.As(err, &at)
		return nil, &FormatError{name, at.Offset, false, "cannot be read as a MATLAB file", at.Err}
	}
	byName := map[string]*matfile.Array{}
	for _, a := range arrays {
		byName[a.Name] = a
	}
	x, y := byName["X"], byName["y"]
	if x == nil || y == nil {
		return nil, fail(128, "no X and y among the variables")
	}
	if d := x.Dims; len(d) < 3 || len(d) > 4 || d[0] != 32 || d[1] != 32 || d[2] != 3 {
		return nil, fail(128, "X has dimensions %v, want 32, 32, 3 and the number of images", d)
	}
	planes, err := x.Bytes()
	if err != nil {
		return nil, fail(128, "%v", err)
	}
	labels, err := y.Ints()
	if err != nil {
		return nil, fail(128, "%v", err)
	}
	if n := len(planes) / cifarShape.Size(); len(labels) != n || n == 0 {
		return nil, fail(128, "%d labels in y for %d images in X, want one for each", len(labels), n)
	}
	for i, l := range labels {
		if l < 0 || l > 10 {
			return nil, fail(128, "label %d of image %d, want 1 to 10", l, i)
		}
		labels[i] = l % 10
	}
	for i := range labels { // in place: from channel, width, height to height, width, channel
		var image [3 * 32 * 32]uint8
		from := planes[i*len(image):][:len(image)]
		for p, v := range from {
			image[(p%32*32+p/32%32)*3+p/1024] = v
		}
		copy(from, image[:])
	}
	return &Images{cifarShape, svhnClasses, planes, labels}, nil
}
