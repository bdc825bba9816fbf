package nets

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// Tensor is a float32 array on the host, row-major.
type Tensor struct {
	Shape []int
	Data  []float32
}

// NewTensor returns a tensor of zeros.
func NewTensor(shape ...int) *Tensor {
	return &Tensor{Shape: slices.Clone(shape), Data: make([]float32, size(shape))}
}

// Clone returns a deep copy.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// device returns the tensor as GoMLX wants it.
func (t *Tensor) device() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(t.Data, t.Shape...)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Weights maps the names of a network's tensors to their values.
type Weights map[string]*Tensor

// Names returns the sorted names.
func (w Weights) Names() []string { return slices.Sorted(maps.Keys(w)) }

// Clone returns a deep copy.
func (w Weights) Clone() Weights {
	c := make(Weights, len(w))
	for name, t := range w {
		c[name] = t.Clone()
	}
	return c
}

// finite returns an error naming the first tensor that holds a NaN or an infinity.
func (w Weights) finite() error {
	for _, name := range w.Names() {
		for i, v := range w[name].Data {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("nets: weight %s holds %v at element %d; the file is damaged or training diverged", name, v, i)
			}
		}
	}
	return nil
}
