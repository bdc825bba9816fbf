package weights

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/internal/torchfile"
	"github.com/ratml/rat/ratml/nets"
)

// File describes a file of weights.
type File struct {
	Format   string            // "safetensors", "PyTorch zip" or "PyTorch legacy"
	Zipped   bool              // whether the file lies in a zip archive of its own, as those of pytorchcv do
	Entry    string            // where in a checkpoint the weights lie, such as "state_dict"; empty where they are all there is
	Others   []string          // other entries that hold tensors by name, such as "ema"
	Prefix   string            // what a wrapper such as DataParallel put before all names, such as "module."
	Tensors  []Tensor          // sorted by name
	Metadata map[string]string // free text, and the numbers beside the weights in a checkpoint, by key
}

// Tensor describes a tensor of a file.
type Tensor struct {
	Name    string // without the file's prefix
	Dtype   string // as safetensors calls it: F32, F16, BF16, F64, I64, ...
	Shape   []int
	Ignored bool // whether it plays no part in a classifier, as a count of batches
}

// Size returns the number of elements.
func (t Tensor) Size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Inspect describes the file at path. It reads no values.
func Inspect(path string) (*File, error) {
	var f *File
	err := read(path, func(c *content) error {
		f = &c.File
		return nil
	})
	return f, err
}

// Metadata returns the free text that the file at path carries, by key, and the numbers and strings beside the weights
// of a checkpoint, such as "epoch"; it is empty where there is none.
func Metadata(path string) (map[string]string, error) {
	f, err := Inspect(path)
	if err != nil {
		return nil, err
	}
	return f.Metadata, nil
}

// content is an open file: what it says about itself, and how its values are read.
type content struct {
	File
	// values reads the tensors that are weights, by name.
	values func() (nets.Weights, error)
}

// read opens a file and hands what it says about itself to f.
func read(path string, f func(*content) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("weights: %s is not a file", path)
	}
	c, err := open(file, info.Size())
	if err == nil {
		err = f(c)
	}
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return nil
}

// startSize is how much of a file tells its format.
const startSize = 64

// open finds out what a file of size bytes is, and reads its description.
func open(r io.ReaderAt, size int64) (*content, error) {
	start := make([]byte, min(size, startSize))
	if _, err := r.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	c := &content{}
	switch {
	case !isSafetensors(start) && torchfile.Is(start):
		if err := c.openTorch(r, size); err != nil {
			return nil, err
		}
	case formatOf(start) != nil:
		return nil, fmt.Errorf("it holds a whole network in the format %s, not weights alone", formatOf(start).Name)
	default:
		if err := c.openSafetensors(r, size); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.Tensors, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	return c, nil
}

// isSafetensors tells whether a file begins with the length of a header, below 4 GiB, and a header. A pickle's first
// bytes can be such a length.
func isSafetensors(start []byte) bool {
	return len(start) > 8 && start[4]|start[5]|start[6]|start[7] == 0 && start[8] == '{'
}

func (c *content) openSafetensors(r io.ReaderAt, size int64) error {
	data := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<20)
	h, err := safetensors.Read(data, size)
	if err != nil {
		return err
	}
	c.Format, c.Metadata = "safetensors", h.Metadata
	entries := make(map[string]safetensors.Entry, len(h.Tensors))
	for _, e := range h.Tensors {
		entries[e.Name] = e
	}
	entries, c.Prefix = unwrap(entries)
	tensors := make(map[string]Tensor, len(entries)) // by their names in the file
	for name, e := range entries {
		t := Tensor{Name: name, Dtype: e.Dtype, Shape: e.Shape}
		t.Ignored = ignored(t)
		c.Tensors = append(c.Tensors, t)
		tensors[e.Name] = t
	}
	c.values = func() (nets.Weights, error) {
		if err := c.check(); err != nil {
			return nil, err
		}
		w := nets.Weights{}
		for _, e := range h.Tensors { // in the order of their data
			if err := keep(w, tensors[e.Name], data, e.End-e.Begin); err != nil {
				return nil, fmt.Errorf("tensor %q: %w", e.Name, noEOF(err))
			}
		}
		return w, nil
	}
	return nil
}

// check refuses tensors of types that weights cannot have.
func (c *content) check() error {
	for _, t := range c.Tensors {
		if decoders[t.Dtype] == nil && !t.Ignored {
			return fmt.Errorf("tensor %q is of type %s; only F32, F64, F16 and BF16 can be weights", t.Name, t.Dtype)
		}
	}
	return nil
}

// ignored tells what state dicts hold that is computed, or counts: the number of batches that a normalisation or an
// average has seen, and the table of positions of a Swin transformer's windows.
func ignored(t Tensor) bool {
	last := t.Name[strings.LastIndexByte(t.Name, '.')+1:]
	switch last {
	case "num_batches_tracked", "n_averaged":
		return t.Dtype == "I64" && len(t.Shape) == 0
	case "relative_position_index":
		return t.Dtype == "I64"
	}
	return false
}
