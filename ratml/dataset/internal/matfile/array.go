package matfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Array is a variable, or a part of one.
type Array struct {
	Name   string
	Dims   []int
	Fields map[string][]*Array // of a structure: for each field its value in every element
	Cells  []*Array            // of a cell array

	kind  uint32 // how numbers are stored
	order binary.ByteOrder
	data  []byte
}

// Len returns the product of the dimensions.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// Bytes returns the elements of an array of unsigned bytes, in MATLAB's order, the first dimension fastest.
func (a *Array) Bytes() ([]byte, error) {
	if a.kind != miUint8 {
		return nil, fmt.Errorf("%s holds elements of type %d, want %d (bytes)", a.Name, a.kind, miUint8)
	}
	return a.data, nil
}

// Ints returns the elements of an array of whole numbers, of whichever type.
func (a *Array) Ints() ([]int, error) {
	size := widths[a.kind]
	if size == 0 {
		return nil, fmt.Errorf("%s holds no numbers", a.Name)
	}
	ints := make([]int, len(a.data)/size)
	for i := range ints {
		v := a.number(i, size)
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return nil, fmt.Errorf("element %d of %s is %v, want a whole number", i, a.Name, v)
		}
		ints[i] = int(v)
	}
	return ints, nil
}

// Text returns the characters of an array.
func (a *Array) Text() string {
	size := widths[a.kind]
	if size == 0 || a.kind == miUTF8 {
		return string(a.data)
	}
	runes := make([]rune, len(a.data)/size)
	for i := range runes {
		runes[i] = rune(a.number(i, size))
	}
	return string(runes)
}

func (a *Array) number(i, size int) float64 {
	b := a.data[i*size:][:size]
	switch a.kind {
	case miInt8:
		return float64(int8(b[0]))
	case miUint8, miUTF8:
		return float64(b[0])
	case miInt16:
		return float64(int16(a.order.Uint16(b)))
	case miUint16, miUTF16:
		return float64(a.order.Uint16(b))
	case miInt32:
		return float64(int32(a.order.Uint32(b)))
	case miUint32:
		return float64(a.order.Uint32(b))
	case miSingle:
		return float64(math.Float32frombits(a.order.Uint32(b)))
	case miDouble:
		return math.Float64frombits(a.order.Uint64(b))
	case miInt64:
		return float64(int64(a.order.Uint64(b)))
	}
	return float64(a.order.Uint64(b))
}

// Types of data elements.
const (
	miInt8       = 1
	miUint8      = 2
	miInt16      = 3
	miUint16     = 4
	miInt32      = 5
	miUint32     = 6
	miSingle     = 7
	miDouble     = 9
	miInt64      = 12
	miUint64     = 13
	miMatrix     = 14
	miCompressed = 15
	miUTF8       = 16
	miUTF16      = 17
)

// widths are the bytes of an element.
var widths = map[uint32]int{miInt8: 1, miUint8: 1, miInt16: 2, miUint16: 2, miInt32: 4, miUint32: 4, miSingle: 4, miDouble: 8,
	miInt64: 8, miUint64: 8, miUTF8: 1, miUTF16: 2}
