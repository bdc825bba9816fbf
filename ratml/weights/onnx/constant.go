package onnx

import (
	"fmt"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/gomlx/core/tensors"
)

// kind is a type of numbers in a graph.
type kind int

const (
	float kind = iota // float32
	integer
	integer32
	boolean
	small // 8 and 16 bits, none of which classifiers compute with
)

func kindOf(t protos.TensorProto_DataType) kind {
	switch {
	case isFloat(t):
		return float
	case t == protos.TensorProto_BOOL:
		return boolean
	case t == protos.TensorProto_INT64, t == protos.TensorProto_UINT64, t == protos.TensorProto_UINT32:
		return integer
	case t == protos.TensorProto_INT32:
		return integer32
	}
	return small
}

// constant is a value that is known while a graph is built: a shape, axes, a bound.
type constant struct {
	kind kind
	dims []int
	v    []float64
}

// maxConstant bounds the elements of constants that are computed, as opposed to read.
const maxConstant = 1 << 20

func list(v ...float64) *constant { return &constant{integer, []int{len(v)}, v} }

// ints returns the elements as integers, those that are too large as the largest one.
func (c *constant) ints() []int {
	out := make([]int, len(c.v))
	for i, v := range c.v {
		switch {
		case v >= math.MaxInt64:
			out[i] = math.MaxInt64
		case v <= math.MinInt64:
			out[i] = math.MinInt64
		default:
			out[i] = int(v)
		}
	}
	return out
}

// tensor returns the constant as GoMLX wants it.
func (c *constant) tensor() *tensors.Tensor {
	switch c.kind {
	case float:
		return flat(c, func(v float64) float32 { return float32(v) })
	case boolean:
		return flat(c, func(v float64) bool { return v != 0 })
	case integer32:
		return flat(c, func(v float64) int32 { return int32(v) })
	}
	out := make([]int64, len(c.v))
	for i, v := range c.ints() {
		out[i] = int64(v)
	}
	return tensors.FromFlatDataAndDimensions(out, c.dims...)
}

func flat[T float32 | bool | int32](c *constant, convert func(float64) T) *tensors.Tensor {
	out := make([]T, len(c.v))
	for i, v := range c.v {
		out[i] = convert(v)
	}
	return tensors.FromFlatDataAndDimensions(out, c.dims...)
}

// onnxType is the type that a value of that kind has in a model.
func (k kind) onnxType() protos.TensorProto_DataType {
	switch k {
	case float:
		return protos.TensorProto_FLOAT
	case boolean:
		return protos.TensorProto_BOOL
	case integer32:
		return protos.TensorProto_INT32
	}
	return protos.TensorProto_INT64
}

// broadcast returns the common dimensions of operands.
func broadcast(in []*constant) ([]int, error) {
	var dims []int
	for _, c := range in {
		for len(dims) < len(c.dims) {
			dims = append([]int{1}, dims...)
		}
		for i, d := range c.dims {
			at := len(dims) - len(c.dims) + i
			if dims[at] == 1 {
				dims[at] = d
			} else if d != 1 && d != dims[at] {
				return nil, fmt.Errorf("constants of dimensions that do not fit each other")
			}
		}
	}
	return dims, bounded(dims)
}

func bounded(dims []int) error {
	n, err := count(dims)
	if err == nil && n > maxConstant {
		err = fmt.Errorf("it computes a constant of dimensions %v", dims)
	}
	return err
}

// at returns the element that belongs to element i of dimensions that c is broadcast to.
func (c *constant) at(i int, dims []int) float64 {
	at, step := 0, 1
	for a := len(dims) - 1; a >= 0; a-- {
		index := i % dims[a]
		i /= dims[a]
		if own := a - (len(dims) - len(c.dims)); own >= 0 && c.dims[own] > 1 {
			at += index * step
		}
		if own := a - (len(dims) - len(c.dims)); own >= 0 {
			step *= c.dims[own]
		}
	}
	return c.v[at]
}
