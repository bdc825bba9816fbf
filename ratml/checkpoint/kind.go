package checkpoint

import (
	"encoding/binary"
	"io"
	"math"
)

// kind moves the values of one type to and from little-endian bytes.
type kind struct {
	dtype string // the type's name in the format
	count func(data any) int
	write func(w io.Writer, data any) error
	read  func(r io.Reader, n int) (any, error)
}

var kinds = [...]kind{
	kindOf("F32", 4,
		func(b []byte, v float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(v)) },
		func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }),
	kindOf("I32", 4,
		func(b []byte, v int32) { binary.LittleEndian.PutUint32(b, uint32(v)) },
		func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }),
	kindOf("I64", 8,
		func(b []byte, v int64) { binary.LittleEndian.PutUint64(b, uint64(v)) },
		func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }),
	kindOf("U8", 1,
		func(b []byte, v uint8) { b[0] = v },
		func(b []byte) uint8 { return b[0] }),
}

func kindNamed(dtype string) *kind {
	for i := range kinds {
		if kinds[i].dtype == dtype {
			return &kinds[i]
		}
	}
	return nil
}

// chunk is the number of values that are converted at once.
const chunk = 1 << 14

func kindOf[T any](dtype string, width int, put func([]byte, T), get func([]byte) T) kind {
	return kind{
		dtype: dtype,
		count: func(data any) int { return len(data.([]T)) },
		write: func(w io.Writer, data any) error {
			values := data.([]T)
			b := make([]byte, min(len(values), chunk)*width)
			for len(values) > 0 {
				n := min(len(values), chunk)
				for i, v := range values[:n] {
					put(b[i*width:], v)
				}
				if _, err := w.Write(b[:n*width]); err != nil {
					return err
				}
				values = values[n:]
			}
			return nil
		},
		read: func(r io.Reader, n int) (any, error) {
			values := make([]T, n)
			b := make([]byte, min(n, chunk)*width)
			for rest := values; len(rest) > 0; {
				m := min(len(rest), chunk)
				if _, err := io.ReadFull(r, b[:m*width]); err != nil {
					return nil, err
				}
				for i := range m {
					rest[i] = get(b[i*width:])
				}
				rest = rest[m:]
			}
			return values, nil
		},
	}
}
