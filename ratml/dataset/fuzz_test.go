package dataset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// formatted verifies that an error, if there is one, is a FormatError.
func formatted(t *testing.T, err error) {
	t.Helper()
	var format *FormatError
	if err != nil && (!errors.As(err, &format) || format.Offset < 0) {
		t.Fatalf("error %v (%T) is no FormatError", err, err)
	}
}

func FuzzCIFARPython(f *testing.F) {
	for _, name := range []string{"cifar-10-python.tar.gz", "cifar-100-python.tar.gz"} {
		files, err := filepath.Glob(filepath.Join(unpacked(f, name), "*", "*"))
		if err != nil || len(files) < 2 {
			f.Fatal(files, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, c := range []cifar{cifar10, cifar100} {
			src, err := newSource("fuzz", bytes.NewReader(content))
			if err != nil {
				return
			}
			src.limit = 1 << 20
			images, err := c.parsePython(false, src)
			formatted(t, err)
			if err == nil {
				readAll(t, images)
			}
		}
	})
}

func FuzzSVHN(f *testing.F) {
	for _, name := range []string{svhnTrain, svhnTest} {
		content, err := os.ReadFile(filepath.Join("testdata/sets", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		images, err := parseSVHN("fuzz", bytes.NewReader(content))
		formatted(t, err)
		if err == nil {
			readAll(t, images)
		}
	})
}

// FuzzArchives tries tar archives, and npz archives, as they are in a file.
func FuzzArchives(f *testing.F) {
	for _, name := range []string{"ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar", "bytes.npz", "planes.npz", "floats.npz"} {
		f.Add(fromPython(f, name)[name])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "archive")
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
		index, members, err := indexTar(name)
		formatted(t, err)
		for _, m := range members {
			if data, err := index.read(m); err == nil && len(data) > len(content) {
				t.Fatalf("%d bytes of %d", len(data), len(content))
			}
		}
		arrays, err := readNPZ(name)
		formatted(t, err)
		for _, a := range arrays {
			if labels, err := a.ints(); err == nil && len(labels) != a.Len() {
				t.Fatalf("%d labels of %v", len(labels), a.Shape)
			}
			s, err := imagesOf(a, nil, []string{"k"}, Preprocess{})
			formatted(t, err)
			if err == nil && s.Len() > 0 {
				_, _ = s.Read(s.Len()-1, make([]float32, s.Shape().Size()))
			}
		}
	})
}

// FuzzLists tries lists of images and ImageNet's development kit.
func FuzzLists(f *testing.F) {
	f.Add([]byte("path,label,split\na.jpg,dog,train\n\"b,c.jpg\",1,test\n"), 2)
	f.Add([]byte("1 001.A/a.jpg\n2 b c\n"), 2)
	f.Add([]byte("1\n2\n\n3\n"), 1)
	f.Fuzz(func(t *testing.T, content []byte, fields int) {
		src, err := newSource("fuzz", bytes.NewReader(content))
		if err != nil {
			return
		}
		rows, err := parseCSV(src, "test")
		formatted(t, err)
		if err == nil {
			classes, labels, err := csvClasses(rows)
			formatted(t, err)
			for _, l := range labels {
				if err == nil && l >= len(classes) {
					t.Fatalf("label %d of %d classes", l, len(classes))
				}
			}
		}
		lines, err := splitLines("fuzz", content, 1+fields&3)
		formatted(t, err)
		for _, l := range lines {
			if len(l.fields) != 1+fields&3 {
				t.Fatalf("%d fields", len(l.fields))
			}
			if n, err := l.number(0, 1, 100); err == nil && (n < 1 || n > 100) {
				t.Fatalf("number %d", n)
			}
		}
		_, err = parseDevkit("meta", content, "truth", content)
		formatted(t, err)
	})
}
