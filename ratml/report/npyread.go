package report

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/sbinet/npyio/npy"
)

// maxArray bounds the bytes of one array, so that a small file cannot ask for all memory.
const maxArray = 1 << 31

// readArray reads one member of an npz file. The header is checked against the bytes that are there before npyio
// sees it, which trusts it.
func readArray(f *zip.File, dst any) (shape []int, err error) {
	if f.UncompressedSize64 > maxArray {
		return nil, fmt.Errorf("%d bytes are more than the %d allowed", f.UncompressedSize64, maxArray)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	data, err := io.ReadAll(io.LimitReader(rc, maxArray+1)) // zip checks length and checksum
	if err != nil {
		return nil, err
	}
	body, err := npyBody(data)
	if err != nil {
		return nil, err
	}
	r, err := openNPY(data)
	if err != nil {
		return nil, err
	}
	d := r.Header.Descr
	size, ok := elementSize(d.Type)
	if !ok {
		return nil, fmt.Errorf("element type %q is not supported", d.Type)
	}
	if d.Fortran && len(d.Shape) > 1 {
		return nil, errors.New("order of elements: Fortran order is not supported; save it with numpy.ascontiguousarray")
	}
	if want, ok := byteCount(d.Shape, size); !ok || want != int64(len(body)) {
		return nil, fmt.Errorf("shape %v of %s does not fit %d bytes of data", d.Shape, d.Type, len(body))
	}
	return d.Shape, convert(body, d.Type, dst)
}

// elementSize returns the bytes of an element; ok is false for types that are not read.
func elementSize(dtype string) (size int64, ok bool) {
	if size, _, ok := textSize(dtype); ok {
		return size, true
	}
	if dtype == "<f2" {
		return 2, true
	}
	t := npy.TypeFrom(dtype)
	if t == nil || strings.HasPrefix(dtype, ">") {
		return 0, false
	}
	return int64(t.Size()), true
}

// npyBody returns what follows the header of a file in the npy format.
func npyBody(data []byte) ([]byte, error) {
	if len(data) < 10 || !bytes.HasPrefix(data, npy.Magic[:]) {
		return nil, npy.ErrInvalidNumPyFormat
	}
	start, length := 10, uint64(binary.LittleEndian.Uint16(data[8:]))
	if data[6] >= 2 {
		if len(data) < 12 {
			return nil, npy.ErrInvalidNumPyFormat
		}
		start, length = 12, uint64(binary.LittleEndian.Uint32(data[8:]))
	}
	if length > uint64(len(data)-start) {
		return nil, errors.New("npy: the header is cut off")
	}
	return data[start+int(length):], nil
}

// openNPY parses the header; npyio panics on some malformed ones.
func openNPY(data []byte) (r *npy.Reader, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("npy: malformed header")
		}
	}()
	return npy.NewReader(bytes.NewReader(data))
}

// byteCount is the product of shape and size; ok is false if it is negative or too large.
func byteCount(shape []int, size int64) (n int64, ok bool) {
	n = size
	for _, d := range shape {
		if d < 0 || (d > 0 && n > maxArray/int64(d)) {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}

// convert decodes little-endian elements into the slice that dst points to.
func convert(b []byte, dtype string, dst any) error {
	kind := strings.TrimLeft(dtype, "<|")
	switch dst := dst.(type) {
	case *[]float64:
		return fill(b, kind, dst, map[string]func([]byte) float64{
			"f8": func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) },
			"f4": func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) },
		})
	case *[]float32:
		return fill(b, kind, dst, map[string]func([]byte) float32{
			"f8": func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
			"f4": func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
		})
	case *[]int:
		return fill(b, kind, dst, map[string]func([]byte) int{
			"i8": func(b []byte) int { return int(int64(binary.LittleEndian.Uint64(b))) },
			"i4": func(b []byte) int { return int(int32(binary.LittleEndian.Uint32(b))) },
			"i2": func(b []byte) int { return int(int16(binary.LittleEndian.Uint16(b))) },
			"i1": func(b []byte) int { return int(int8(b[0])) },
			"u1": func(b []byte) int { return int(b[0]) },
		})
	case *[]bool:
		return fill(b, kind, dst, map[string]func([]byte) bool{
			"b1": func(b []byte) bool { return b[0] != 0 },
			"u1": func(b []byte) bool { return b[0] != 0 },
		})
	case *numbers:
		return fill(b, kind, (*[]float64)(dst), numberDecoders)
	case *texts:
		if size, character, ok := textSize(dtype); ok {
			*dst = decodeTexts(b, size, character)
			return nil
		}
		return fill(b, kind, (*[]string)(dst), textDecoders)
	}
	return fmt.Errorf("cannot read into %T", dst)
}

// numberDecoders read every numeric type as float64.
var numberDecoders = map[string]func([]byte) float64{
	"f8": func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) },
	"f4": func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) },
	"f2": func(b []byte) float64 { return halfFloat(binary.LittleEndian.Uint16(b)) },
	"i8": func(b []byte) float64 { return float64(int64(binary.LittleEndian.Uint64(b))) },
	"i4": func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) },
	"i2": func(b []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(b))) },
	"i1": func(b []byte) float64 { return float64(int8(b[0])) },
	"u8": func(b []byte) float64 { return float64(binary.LittleEndian.Uint64(b)) },
	"u4": func(b []byte) float64 { return float64(binary.LittleEndian.Uint32(b)) },
	"u2": func(b []byte) float64 { return float64(binary.LittleEndian.Uint16(b)) },
	"u1": func(b []byte) float64 { return float64(b[0]) },
	"b1": func(b []byte) float64 { return float64(btoi(b[0] != 0)) },
}

// textDecoders write numbers as labels of groups.
var textDecoders = func() map[string]func([]byte) string {
	out := map[string]func([]byte) string{}
	for kind, decode := range numberDecoders {
		out[kind] = func(b []byte) string { return formatFloat(decode(b)) }
	}
	return out
}()

// halfFloat decodes an IEEE 754 number of 16 bits.
func halfFloat(bits uint16) float64 {
	sign, exponent, fraction := 1.0, int(bits>>10&31), float64(bits&1023)
	if bits>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func fill[T any](b []byte, kind string, dst *[]T, decoders map[string]func([]byte) T) error {
	decode := decoders[kind]
	if decode == nil {
		return fmt.Errorf("element type %q is not what belongs there", kind)
	}
	size := int(kind[1] - '0')
	v := make([]T, len(b)/size)
	for i := range v {
		v[i] = decode(b[i*size:])
	}
	*dst = v
	return nil
}
