package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/nets"
)

// FuzzRead checks that whatever is read accounts for every byte of the file, and survives being written again.
func FuzzRead(f *testing.F) {
	for _, header := range []string{
		`{}`,
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`,
		`{"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}`,
		`{"num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`,
		`{"module.b":{"dtype":"BF16","shape":[0,9],"data_offsets":[0,0]},"module.a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}  `,
	} {
		for _, n := range []int{0, 4, 8} {
			b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
			f.Add(append(append(b, header...), bytes.Repeat([]byte{0x3c}, n)...))
		}
	}
	if b, err := os.ReadFile(filepath.Join("testdata", "python.safetensors")); err != nil {
		f.Fatal(err)
	} else {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := bytes.NewReader(file)
		h, err := safetensors.Read(r, int64(len(file)))
		if err != nil {
			return
		}
		total := int64(0)
		for _, e := range h.Tensors {
			total += e.End - e.Begin
		}
		if total != int64(r.Len()) {
			t.Fatalf("tensors of %d bytes in %d", total, r.Len())
		}
		w, err := valuesOf(file)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "w.safetensors")
		if err := Save(path, w, h.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again.Names(), w.Names()) {
			t.Fatalf("names %q became %q", w.Names(), again.Names())
		}
		for name, a := range w {
			same := slices.EqualFunc(a.Data, again[name].Data, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
			if !same || !slices.Equal(a.Shape, again[name].Shape) {
				t.Fatalf("%s changed", name)
			}
		}
	})
}

// valuesOf returns the weights in the bytes of a file.
func valuesOf(file []byte) (nets.Weights, error) {
	c, err := open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	return c.values()
}

func TestHalf(t *testing.T) {
	// Every binary16 number against its definition.
	for i := range 1 << 16 {
		h := uint16(i)
		exponent, fraction := int(h>>10&31), float64(h&1023)
		want := math.Ldexp(1024+fraction, exponent-25)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := half(h)
		if back := toHalf(got); back != h && !(math.IsNaN(want) && math.IsNaN(float64(half(back)))) {
			t.Fatalf("toHalf(%v) = %#04x, want %#04x", got, back, h)
		}
		// Halfway to the next number, and one float32 to both sides of it.
		if next := float64(half(h + 1)); exponent < 30 && next != 0 {
			middle := float32((float64(got) + next) / 2)
			even := h + h&1
			for _, c := range []struct {
				v    float32
				want uint16
			}{{middle, even}, {math.Nextafter32(middle, got), h}, {math.Nextafter32(middle, float32(next)), h + 1}} {
				if r := toHalf(c.v); r != c.want {
					t.Fatalf("toHalf(%v) = %#04x, want %#04x", c.v, r, c.want)
				}
			}
		}
		if math.IsNaN(want) {
			if !math.IsNaN(float64(got)) {
				t.Fatalf("half(%#04x) = %v, want NaN", h, got)
			}
		} else if math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Fatalf("half(%#04x) = %v, want %v", h, got, want)
		}
	}
}
