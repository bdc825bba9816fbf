package numpickle

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"
)

// Array is a numpy array in C order.
type Array struct {
	Shape []int
	Type  string // numpy's code of the elements' type, such as "u1" or "i8"
	Order byte   // of the bytes of an element: '<' and '>', or '|' where it does not matter
	Data  []byte
}

// maxDimensions is numpy's limit.
const maxDimensions = 64

// Ints returns the elements of a list of integers, or of an array of one dimension.
func Ints(v any) ([]int, error) {
	switch v := v.(type) {
	case *types.List:
		ints := make([]int, len(*v))
		for i, e := range *v {
			n, ok := e.(int)
			if !ok {
				return nil, fmt.Errorf("element %d is a %T, want an integer", i, e)
			}
			ints[i] = n
		}
		return ints, nil
	case *Array:
		return v.ints()
	}
	return nil, fmt.Errorf("a %T, want a list or an array of integers", v)
}

func (a *Array) ints() ([]int, error) {
	if len(a.Shape) != 1 {
		return nil, fmt.Errorf("an array of %d dimensions, want 1", len(a.Shape))
	}
	var order binary.ByteOrder = binary.LittleEndian
	if a.Order == '>' {
		order = binary.BigEndian
	}
	ints := make([]int, a.Shape[0])
	for i := range ints {
		switch a.Type {
		case "u1":
			ints[i] = int(a.Data[i])
		case "i4":
			ints[i] = int(int32(order.Uint32(a.Data[4*i:])))
		case "i8":
			ints[i] = int(int64(order.Uint64(a.Data[8*i:])))
		default:
			return nil, fmt.Errorf("an array of type %q, want u1, i4 or i8", a.Type)
		}
	}
	return ints, nil
}

// PySetState completes an array that _reconstruct has begun: version, shape, type, Fortran's order, bytes. Source:
// numpy, array___setstate__ in methods.c.
func (a *Array) PySetState(state any) error {
	t, ok := state.(*types.Tuple)
	if !ok || t.Len() != 5 {
		return errors.New("the state of an array is not a tuple of 5")
	}
	if fortran, ok := truth(t.Get(3)); !ok || fortran {
		return errors.New("an array in Fortran's order, want C order")
	}
	return a.fill(t.Get(1), t.Get(2), t.Get(4))
}

// fill sets shape, type and data, which must fit together.
func (a *Array) fill(shape, kind, data any) error {
	t, ok := kind.(*dtype)
	if !ok {
		return fmt.Errorf("the type of an array is a %T, want a dtype", kind)
	}
	dims, ok := shape.(*types.Tuple)
	if !ok || dims.Len() > maxDimensions {
		return errors.New("the shape of an array is not a tuple")
	}
	raw, ok := content(data)
	if !ok {
		return fmt.Errorf("the data of an array is a %T, want bytes", data)
	}
	size := t.size()
	if size == 0 {
		return fmt.Errorf("an array of type %q, want bytes or integers", t.code)
	}
	want := size
	var all []int
	for _, d := range *dims {
		n, ok := d.(int)
		if !ok || n < 0 || n > len(raw) {
			return fmt.Errorf("the shape %v of an array does not fit its %d bytes", []any(*dims), len(raw))
		}
		if want *= n; want > len(raw) {
			break
		}
		all = append(all, n)
	}
	if len(all) != dims.Len() || want != len(raw) {
		return fmt.Errorf("the shape %v of an array of %q does not fit its %d bytes", []any(*dims), t.code, len(raw))
	}
	a.Shape, a.Type, a.Order, a.Data = all, t.code, t.order, raw
	return nil
}

// dtype is the type of an array's elements.
type dtype struct {
	code  string
	order byte
}

func (t *dtype) size() int {
	switch t.code {
	case "u1", "i1", "b1":
		return 1
	case "i2", "u2":
		return 2
	case "i4", "u4", "f4":
		return 4
	case "i8", "u8", "f8":
		return 8
	}
	return 0
}

// PySetState takes the byte order, which follows the version.
func (t *dtype) PySetState(state any) error {
	s, ok := state.(*types.Tuple)
	if !ok || s.Len() < 2 {
		return errors.New("the state of a dtype is not a tuple")
	}
	order, ok := text(s.Get(1))
	if !ok || len(order) != 1 {
		return errors.New("the byte order of a dtype is not one character")
	}
	t.order = order[0]
	return nil
}

// callable is a function that a pickle may call.
type callable func(args []any) (any, error)

// Call calls the function.
func (f callable) Call(args ...any) (any, error) { return f(args) }

// marker stands for a class that is only named.
type marker struct{ name string }

// classes are what pickles may ask for: how versions 1 and 2 of numpy write arrays, and Python 3 bytes in old protocols.
var classes = map[string]any{
	"numpy.ndarray":                       marker{"ndarray"},
	"numpy.dtype":                         callable(newDtype),
	"numpy.core.multiarray._reconstruct":  callable(reconstruct),
	"numpy._core.multiarray._reconstruct": callable(reconstruct),
	"numpy.core.numeric._frombuffer":      callable(fromBuffer),
	"numpy._core.numeric._frombuffer":     callable(fromBuffer),
	"_codecs.encode":                      callable(encode),
}

func newDtype(args []any) (any, error) {
	if len(args) < 1 {
		return nil, errors.New("dtype without a code")
	}
	code, ok := text(args[0])
	if !ok {
		return nil, fmt.Errorf("the code of a dtype is a %T, want a string", args[0])
	}
	return &dtype{code, '|'}, nil
}

// reconstruct begins an array, of which BUILD sets the state.
func reconstruct(args []any) (any, error) {
	if len(args) != 3 || args[0] != any(marker{"ndarray"}) {
		return nil, errors.New("_reconstruct of something that is no ndarray")
	}
	return &Array{}, nil
}

// fromBuffer makes an array of a buffer: protocol 5.
func fromBuffer(args []any) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("_frombuffer of %d arguments, want 4", len(args))
	}
	if order, _ := text(args[3]); order != "C" {
		return nil, errors.New("an array in Fortran's order, want C order")
	}
	a := &Array{}
	return a, a.fill(args[2], args[1], args[0])
}

// encode makes bytes of text whose characters are bytes.
func encode(args []any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("encode of %d arguments, want 2", len(args))
	}
	s, ok := args[0].(string)
	if name, _ := text(args[1]); !ok || name != "latin1" {
		return nil, errors.New("encode into anything but latin1")
	}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, fmt.Errorf("character %q is no byte", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// content returns bytes, whichever way Python wrote them.
func content(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case string:
		return []byte(v), true
	case *types.ByteArray:
		return []byte(*v), true
	}
	return nil, false
}

func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int:
		return v != 0, true
	}
	return false, false
}
