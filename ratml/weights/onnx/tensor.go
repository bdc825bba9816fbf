package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"

	"github.com/ratml/rat/ratml/nets"
)

// elements are the types of numbers that are read, with their size in bytes.
var elements = map[protos.TensorProto_DataType]int{
	protos.TensorProto_FLOAT: 4, protos.TensorProto_DOUBLE: 8, protos.TensorProto_FLOAT16: 2, protos.TensorProto_BFLOAT16: 2,
	protos.TensorProto_INT64: 8, protos.TensorProto_INT32: 4, protos.TensorProto_INT16: 2, protos.TensorProto_INT8: 1,
	protos.TensorProto_UINT64: 8, protos.TensorProto_UINT32: 4, protos.TensorProto_UINT16: 2, protos.TensorProto_UINT8: 1,
	protos.TensorProto_BOOL: 1,
}

// isFloat tells whether numbers of that type are computed with in float32.
func isFloat(t protos.TensorProto_DataType) bool {
	switch t {
	case protos.TensorProto_FLOAT, protos.TensorProto_DOUBLE, protos.TensorProto_FLOAT16, protos.TensorProto_BFLOAT16:
		return true
	}
	return false
}

// maxElements bounds every tensor: one of float32 takes 8 GiB.
const maxElements = 1 << 31

// count returns the number of elements of dimensions, which may come from anywhere.
func count[T int | int64](dims []T) (int, error) {
	n := 1.0
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("dimensions %v, one of which is negative", dims)
		}
		n *= float64(d)
		if d > maxElements || n > maxElements {
			return 0, fmt.Errorf("dimensions %v: more than %d elements", dims, maxElements)
		}
	}
	return int(n), nil
}

func narrow(dims []int64) []int {
	out := make([]int, len(dims))
	for i, d := range dims {
		out[i] = int(d)
	}
	return out
}

// decode reads a tensor as float64 numbers, which hold those of all types but integers beyond 2^53.
func decode(t *protos.TensorProto) (*constant, error) {
	c := &constant{kind: kindOf(protos.TensorProto_DataType(t.GetDataType())), dims: narrow(t.GetDims())}
	err := each(t, func(n int) { c.v = make([]float64, n) }, func(i int, v float64) { c.v[i] = v })
	return c, err
}

// weight reads a tensor of floats.
func weight(t *protos.TensorProto) (*nets.Tensor, error) {
	w := &nets.Tensor{Shape: narrow(t.GetDims())}
	err := each(t, func(n int) { w.Data = make([]float32, n) }, func(i int, v float64) { w.Data[i] = float32(v) })
	return w, err
}

// each calls start with the number of elements, once the tensor is known to hold as many, and then f with each.
func each(t *protos.TensorProto, start func(n int), f func(i int, v float64)) error {
	kind := protos.TensorProto_DataType(t.GetDataType())
	width := elements[kind]
	if width == 0 {
		return fmt.Errorf("numbers of type %v", kind)
	}
	if t.GetSegment() != nil {
		return fmt.Errorf("it is stored in segments")
	}
	n, err := count(t.GetDims())
	if err != nil {
		return err
	}
	if raw := t.GetRawData(); raw != nil {
		if len(raw) != n*width {
			return fmt.Errorf("%d bytes, want %d for dimensions %v of %v", len(raw), n*width, t.GetDims(), kind)
		}
		start(n)
		for i := range n {
			f(i, number(kind, raw[i*width:]))
		}
		return nil
	}
	typed, get := typedData(t, kind)
	if typed != n {
		return fmt.Errorf("%d numbers, want %d for dimensions %v", typed, n, t.GetDims())
	}
	start(n)
	for i := range n {
		f(i, get(i))
	}
	return nil
}

// number is the first of little-endian bytes.
func number(kind protos.TensorProto_DataType, b []byte) float64 {
	le := binary.LittleEndian
	switch kind {
	case protos.TensorProto_FLOAT:
		return float64(math.Float32frombits(le.Uint32(b)))
	case protos.TensorProto_DOUBLE:
		return math.Float64frombits(le.Uint64(b))
	case protos.TensorProto_INT64:
		return float64(int64(le.Uint64(b)))
	case protos.TensorProto_UINT64:
		return float64(le.Uint64(b))
	case protos.TensorProto_INT32:
		return float64(int32(le.Uint32(b)))
	case protos.TensorProto_UINT32:
		return float64(le.Uint32(b))
	case protos.TensorProto_INT16, protos.TensorProto_UINT16, protos.TensorProto_FLOAT16, protos.TensorProto_BFLOAT16:
		return word(kind, le.Uint16(b))
	case protos.TensorProto_INT8:
		return float64(int8(b[0]))
	}
	return float64(b[0])
}

// word is a number of 16 bits.
func word(kind protos.TensorProto_DataType, v uint16) float64 {
	switch kind {
	case protos.TensorProto_FLOAT16:
		return float64(float16.FromBits(v).Float32())
	case protos.TensorProto_BFLOAT16:
		return float64(bfloat16.FromBits(v).Float32())
	case protos.TensorProto_INT16:
		return float64(int16(v))
	}
	return float64(v)
}

// typedData returns the number of elements in the field that is for numbers of that type, and how to get them.
func typedData(t *protos.TensorProto, kind protos.TensorProto_DataType) (int, func(i int) float64) {
	switch kind {
	case protos.TensorProto_FLOAT:
		v := t.GetFloatData()
		return len(v), func(i int) float64 { return float64(v[i]) }
	case protos.TensorProto_DOUBLE:
		v := t.GetDoubleData()
		return len(v), func(i int) float64 { return v[i] }
	case protos.TensorProto_INT64:
		v := t.GetInt64Data()
		return len(v), func(i int) float64 { return float64(v[i]) }
	case protos.TensorProto_UINT64, protos.TensorProto_UINT32:
		v := t.GetUint64Data()
		return len(v), func(i int) float64 { return float64(v[i]) }
	case protos.TensorProto_FLOAT16, protos.TensorProto_BFLOAT16:
		v := t.GetInt32Data()
		return len(v), func(i int) float64 { return word(kind, uint16(v[i])) }
	}
	v := t.GetInt32Data()
	return len(v), func(i int) float64 { return float64(v[i]) }
}
