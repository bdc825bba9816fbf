// Package golden reads the arrays that the official RAT code computed, for tests. The arrays are described in
// ratml/testdata/golden/README.md.
package golden

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npz"
)

// Dir is the folder with the golden files.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "testdata", "golden")
}

// File is one .npz file of golden arrays.
type File struct {
	tb testing.TB
	r  *npz.Reader
}

// Open opens the file called name; it fails the test when that is impossible.
func Open(tb testing.TB, name string) *File {
	tb.Helper()
	r, err := npz.Open(filepath.Join(Dir(), name))
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	tb.Cleanup(func() { r.Close() })
	return &File{tb, r}
}

// Keys lists the arrays.
func (f *File) Keys() []string { return f.r.Keys() }

// Has tells whether the file holds the array called key.
func (f *File) Has(key string) bool { return slices.Contains(f.r.Keys(), f.key(key)) }

func (f *File) key(key string) string {
	if slices.Contains(f.r.Keys(), key) {
		return key
	}
	return key + ".npy"
}

// Shape returns the dimensions of the array called key.
func (f *File) Shape(key string) []int {
	f.tb.Helper()
	h := f.r.Header(f.key(key))
	if h == nil {
		f.tb.Fatalf("golden: no array %q", key)
		return nil
	}
	return h.Descr.Shape
}

// Read returns the array called key, row-major, in the element type T that the file stores.
func Read[T any](f *File, key string) []T {
	f.tb.Helper()
	var v []T
	if err := f.r.Read(f.key(key), &v); err != nil {
		f.tb.Fatalf("golden: reading %q: %v", key, err)
	}
	return v
}

// Float64 returns the array called key as float64, whatever numeric type the file stores.
func (f *File) Float64(key string) []float64 {
	f.tb.Helper()
	h := f.r.Header(f.key(key))
	if h == nil {
		f.tb.Fatalf("golden: no array %q", key)
		return nil
	}
	switch t := h.Descr.Type; t {
	case "<f4":
		return widen(Read[float32](f, key))
	case "<f8":
		return Read[float64](f, key)
	case "<i8":
		return widen(Read[int64](f, key))
	case "|u1":
		return widen(Read[uint8](f, key))
	case "|i1":
		return widen(Read[int8](f, key))
	default:
		f.tb.Fatalf("golden: %s: %v", key, fmt.Errorf("element type %s", t))
		return nil
	}
}

func widen[T float32 | int64 | uint8 | int8](v []T) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}
