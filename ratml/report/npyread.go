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
	t := npy.TypeFrom(d.Type)
	if t == nil || strings.HasPrefix(d.Type, ">") {
		return nil, fmt.Errorf("element type %q is not supported", d.Type)
	}
	if d.Fortran && len(d.Shape) > 1 {
		return nil, errors.New("order of elements: Fortran order is not supported; save it with numpy.ascontiguousarray")
	}
	if want, ok := byteCount(d.Shape, int64(t.Size())); !ok || want != int64(len(body)) {
		return nil, fmt.Errorf("shape %v of %s does not fit %d bytes of data", d.Shape, d.Type, len(body))
	}
	return d.Shape, convert(body, d.Type, dst)
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
	}
	return fmt.Errorf("cannot read into %T", dst)
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
