package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is the content of a folder, by file name.
type folder map[string][]byte

// write writes the files below dir.
func (f folder) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// under returns the files with sub before their names.
func (f folder) under(sub string) folder {
	g := folder{}
	for name, content := range f {
		g[sub+"/"+name] = content
	}
	return g
}

// with returns the files with one replaced, or removed if content is nil.
func (f folder) with(name string, content []byte) folder {
	g := maps.Clone(f)
	g[name] = content
	if content == nil {
		delete(g, name)
	}
	return g
}

// idx encodes items of bytes; dims begins with their number.
func idx(data []byte, dims ...uint32) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, d)
	}
	return append(out, data...)
}

// pattern returns n bytes that differ from place to place.
func pattern(n, seed int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(scramble(uint64(seed)<<32 + uint64(i)))
	}
	return out
}

// idxFolder is a set in MNIST's format with 3 training and 2 test images.
func idxFolder() folder {
	return folder{
		idxNames[0]: idx(pattern(3*784, 1), 3, 28, 28),
		idxNames[1]: idx([]byte{0, 9, 4}, 3),
		idxNames[2]: idx(pattern(2*784, 2), 2, 28, 28),
		idxNames[3]: idx([]byte{7, 7}, 2),
	}
}

// cifarRecords encodes an image for each label.
func cifarRecords(seed int, labels ...byte) []byte {
	var out []byte
	for i, label := range labels {
		out = append(append(out, label), pattern(3072, seed+i)...)
	}
	return out
}

// cifarFolder is a set in CIFAR-10's binary format with 2 images in each training file and 3 test images.
func cifarFolder() folder {
	f := folder{"test_batch.bin": cifarRecords(60, 9, 0, 9)}
	for i, name := range cifarFiles[:5] {
		f[name] = cifarRecords(10*i, byte(i), byte(i+5))
	}
	return f
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fault is a file that must be refused.
type fault struct {
	name    string
	file    string // that is at fault
	content []byte // of the file; nil removes it
	offset  int64  // -1 if the error is not a FormatError
	want    string // in the message
}

// testFaults opens the data set of files with each fault in turn.
func testFaults(t *testing.T, set string, files folder, faults []fault) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			files.with(f.file, f.content).write(t, dir)
			data, err := Open(set, Config{Dir: dir})
			if err == nil {
				t.Fatalf("no error, got %d test images", data.Test.Len())
			}
			for _, want := range []string{"dataset: " + set + ": ", filepath.Join(dir, f.file), f.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is not one line", err)
			}
			var format *FormatError
			switch {
			case f.offset < 0:
				if f.content == nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("error %q is not fs.ErrNotExist", err)
				}
			case !errors.As(err, &format):
				t.Errorf("error %q is no FormatError", err)
			case format.Offset != f.offset || format.File != filepath.Join(dir, f.file):
				t.Errorf("FormatError names byte %d of %s, want byte %d of %s", format.Offset, format.File, f.offset, f.file)
			}
		})
	}
}

// readAll returns all images, one after the other, and their labels.
func readAll(t testing.TB, s Set) (pixels []float32, labels []int) {
	t.Helper()
	size := s.Shape().Size()
	pixels = make([]float32, s.Len()*size)
	for i := range s.Len() {
		label, err := s.Read(i, pixels[i*size:][:size])
		if err != nil {
			t.Fatal(err)
		}
		labels = append(labels, label)
	}
	return pixels, labels
}
