package dataset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/internal/golden"
)

// The golden folder holds a test_batch.bin that other software wrote, and its first images as numpy arrays.
func TestCIFAR10AgainstGolden(t *testing.T) {
	data, err := Open("cifar10", Config{Dir: golden.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	if data.Test.Len() != 1000 {
		t.Fatalf("%d test images, want 1000", data.Test.Len())
	}
	if data.Train != nil {
		t.Errorf("training set %v from a folder that has none", data.Train)
	}
	if _, err := data.Training(); err == nil || !strings.Contains(err.Error(), "data_batch_1.bin") {
		t.Errorf("error %v does not name the missing file", err)
	}
	arrays := golden.Open(t, "scores_rat.npz")
	planes := golden.Read[uint8](arrays, "images") // [64, 3, 32, 32]
	labels := golden.Read[int64](arrays, "labels")
	image := make([]float32, cifarShape.Size())
	for i, want := range labels {
		label, err := data.Test.Read(i, image)
		if err != nil {
			t.Fatal(err)
		}
		if label != int(want) {
			t.Errorf("image %d: label %d, want %d", i, label, want)
		}
		for pixel := range 32 * 32 {
			for channel := range 3 {
				want := float32(planes[(i*3+channel)*1024+pixel]) / 255
				if got := image[pixel*3+channel]; got != want {
					t.Fatalf("image %d, pixel %d, channel %d: %v, want %v", i, pixel, channel, got, want)
				}
			}
		}
	}
	all, err := Labels(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range golden.Read[int64](arrays, "full_labels") {
		if all[i] != int(want) {
			t.Errorf("image %d: label %d, want %d", i, all[i], want)
		}
	}
}

func TestCIFAR10Layouts(t *testing.T) {
	for _, sub := range []string{".", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin"} {
		t.Run(sub, func(t *testing.T) {
			root := t.TempDir()
			cifarFolder().under(sub).write(t, root)
			t.Setenv(rootVariable, root)
			for _, dir := range []string{root, ""} { // "" means the variable
				data, err := Open("cifar10", Config{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				checkCIFARFolder(t, data)
				if data.Source != filepath.Join(root, filepath.FromSlash(sub)) {
					t.Errorf("source %s", data.Source)
				}
			}
		})
	}
}

// checkCIFARFolder verifies that data is what cifarFolder holds, the training files in their order.
func checkCIFARFolder(t *testing.T, data *Data) {
	t.Helper()
	_, train := readAll(t, data.Train)
	pixels, test := readAll(t, data.Test)
	if !slices.Equal(train, []int{0, 5, 1, 6, 2, 7, 3, 8, 4, 9}) || !slices.Equal(test, []int{9, 0, 9}) {
		t.Errorf("labels %v and %v", train, test)
	}
	planes := pattern(3072, 62) // of the last test image
	if got, want := pixels[2*3072+5*3+1], float32(planes[1024+5])/255; got != want {
		t.Errorf("green of pixel 5 of image 2 is %v, want %v", got, want)
	}
	if data.Test.Classes()[9] != "truck" || data.Train.Shape() != (Shape{32, 32, 3}) {
		t.Errorf("classes %q, shape %v", data.Test.Classes(), data.Train.Shape())
	}
	if !slices.Equal(data.Mean, []float32{.4914, .4822, .4465}) || !slices.Equal(data.Std, []float32{.2023, .1994, .2010}) {
		t.Errorf("mean %v, std %v", data.Mean, data.Std)
	}
}

func TestCIFAR10Faults(t *testing.T) {
	train, test := "data_batch_3.bin", "test_batch.bin"
	files := cifarFolder()
	good := files[test]
	mislabelled := bytes.Clone(good)
	mislabelled[2*3073] = 10
	packed := gzipped(t, good)
	testFaults(t, "cifar10", files, []fault{
		{"empty", test, []byte{}, 0, "the file is empty, want records of 3073 bytes"},
		{"truncated", test, good[:len(good)-1], 2 * 3073, "3072 bytes after 2 records, want the end of the file or a record of 3073 bytes"},
		{"oversized", train, append(bytes.Clone(files[train]), 1, 2, 3), 2 * 3073, "3 bytes after 2 records"},
		{"only a label", test, []byte{3}, 0, "1 bytes after 0 records"},
		{"mislabelled", test, mislabelled, 2 * 3073, "byte 6146: label 10 of record 2, want 0 to 9"},
		{"other file", test, bytes.Repeat([]byte("<html>"), 600), 0, "label 60 of record 0, want 0 to 9"},
		{"gzip truncated at a record", test, packed[:len(packed)-3], int64(len(good)), "unexpected EOF"},
		{"test missing", test, nil, -1, "file does not exist"},
		{"train missing", train, nil, -1, "file does not exist"},
		{"first train missing", "data_batch_1.bin", nil, -1, "file does not exist"},
	})
}

func TestCIFAR10Gzip(t *testing.T) {
	dir := t.TempDir()
	files := cifarFolder()
	files.with("test_batch.bin", gzipped(t, files["test_batch.bin"])).write(t, dir)
	data, err := Open("cifar10", Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	checkCIFARFolder(t, data)
}

func TestCIFAR10Nowhere(t *testing.T) {
	t.Setenv(rootVariable, "")
	if _, err := Open("cifar10", Config{}); err == nil || !strings.Contains(err.Error(), rootVariable) {
		t.Errorf("error %v does not name the variable", err)
	}
	dir := t.TempDir()
	_, err := Open("cifar10", Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "cifar-10-batches-bin")) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v does not name the folder", err)
	}
}

func TestCIFAR10Limit(t *testing.T) {
	content := cifarRecords(1, 1, 2)
	src, err := newSource("big", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	src.limit = int64(len(content) - 1)
	if _, err := cifar10.parseBinary(false, src); err == nil || !strings.Contains(err.Error(), "big: byte 6145: more data, want at most 6145 bytes") {
		t.Errorf("error %v", err)
	}
}

func FuzzCIFAR10(f *testing.F) {
	good := cifarRecords(1, 4, 9)
	f.Add(good)
	f.Add(good[:3073])
	f.Add(good[:3073-1])
	f.Add([]byte{})
	f.Add(gzipped(f, good))
	f.Add(gzipped(f, good)[:100])
	f.Fuzz(func(t *testing.T, content []byte) {
		src, err := newSource("fuzz", bytes.NewReader(content))
		if err != nil {
			return
		}
		src.limit = 1 << 20
		images, err := cifar10.parseBinary(false, src)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || format.File != "fuzz" || format.Offset < 0 || images != nil {
				t.Fatalf("images %v, error %v", images, err)
			}
			return
		}
		if src.compressed {
			return
		}
		if images.Len()*3073 != len(content) {
			t.Fatalf("%d images from %d bytes", images.Len(), len(content))
		}
		pixels, labels := readAll(t, images)
		for i, label := range labels {
			record := content[i*3073:][:3073]
			for j, p := range pixels[i*3072:][:3072] {
				if label != int(record[0]) || p != float32(record[1+j%3*1024+j/3])/255 {
					t.Fatalf("image %d differs from its record at value %d", i, j)
				}
			}
		}
	})
}
