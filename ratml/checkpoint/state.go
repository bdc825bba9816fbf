package checkpoint

import (
	"encoding/json"
	"fmt"
	"strings"
)

// State is what a checkpoint holds.
type State struct {
	Step    int               // steps taken; it names the file
	Tensors map[string]Tensor // weights, buffers of the optimiser, averages
	Blobs   map[string][]byte // anything else, in its own encoding
	Meta    json.RawMessage   // progress and settings; empty for none
}

// Tensor is an array, row-major.
type Tensor struct {
	Shape []int // empty for a scalar
	Data  any   // []float32, []int32, []int64 or []uint8
}

// blobPrefix comes before the names of blobs in a file, where they are tensors of bytes.
const blobPrefix = "blob:"

// Check returns an error unless the state can be written.
func (s *State) Check() error {
	if s.Step < 0 {
		return fmt.Errorf("step %d", s.Step)
	}
	if len(s.Meta) > 0 && !json.Valid(s.Meta) {
		return fmt.Errorf("the metadata are not JSON: %.40q", s.Meta)
	}
	for name, t := range s.Tensors {
		if name == digestName || strings.HasPrefix(name, blobPrefix) {
			return fmt.Errorf("a tensor cannot be called %q", name)
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return nil
}

func (t Tensor) check() error {
	kind := t.kind()
	if kind == nil {
		return fmt.Errorf("data of type %T, want []float32, []int32, []int64 or []uint8", t.Data)
	}
	n := 1
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		n *= d
	}
	if n != kind.count(t.Data) {
		return fmt.Errorf("shape %v, but %d values", t.Shape, kind.count(t.Data))
	}
	return nil
}

func (t Tensor) kind() *kind {
	switch t.Data.(type) {
	case []float32:
		return &kinds[0]
	case []int32:
		return &kinds[1]
	case []int64:
		return &kinds[2]
	case []uint8:
		return &kinds[3]
	}
	return nil
}
