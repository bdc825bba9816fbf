package npy

import (
	"bytes"
	"math"
	"testing"

	"github.com/sbinet/npyio"
	"github.com/stretchr/testify/require"
)

func TestHeader(t *testing.T) {
	for _, h := range []Header{
		{Shape: []int{2, 3}, Type: "u1", Order: '|'}, {Shape: []int{5}, Type: "i8", Order: '<'}, {Type: "f4", Order: '>'},
		{Shape: []int{0, 4, 1}, Type: "f2", Order: '<', Fortran: true},
	} {
		b := h.Append(nil)
		require.Zero(t, len(b)%64)
		got, offset, err := ReadHeader(bytes.NewReader(b))
		require.NoError(t, err)
		require.Equal(t, h, got)
		require.Equal(t, int64(len(b)), offset)
	}
	// Another reader understands it.
	h := Header{Shape: []int{2, 3}, Type: "u1", Order: '|'}
	var out []uint8
	require.NoError(t, npyio.Read(bytes.NewReader(append(h.Append(nil), 1, 2, 3, 4, 5, 6)), &out))
	require.Equal(t, []uint8{1, 2, 3, 4, 5, 6}, out)
}

func TestHeaderFaults(t *testing.T) {
	text := func(s string) []byte { return append([]byte(magic+"\x01\x00"+string(rune(len(s)))+"\x00"), s...) }
	for want, data := range map[string][]byte{
		"no numpy header":             []byte("\x93NUMPY"),
		"at the start":                []byte("PK\x03\x04......"),
		"version 4":                   []byte(magic + "\x04\x00\x01\x00 "),
		"a header of 65535 bytes":     []byte(magic + "\x01\x00\xff\xff "),
		"cut off":                     []byte(magic + "\x01\x00\x40\x00 "),
		"type 'O'":                    []byte(magic + "\x01\x00\x3a\x00{'descr': 'O', 'fortran_order': False, 'shape': (3,), }    "),
		`type "c8"`:                   text("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }"),
		"want a dictionary of descr":  text("{'descr': '<u1', 'shape': (3,), }"),
		"product that can be counted": text("{'descr': '<u1', 'fortran_order': False, 'shape': (9999999999, 9999999999), }"),
	} {
		_, _, err := ReadHeader(bytes.NewReader(data))
		require.ErrorContains(t, err, want)
	}
}

func TestFloat(t *testing.T) {
	for _, c := range []struct {
		kind  string
		order byte
		bytes []byte
		want  float64
	}{
		{"u1", '|', []byte{200}, 200}, {"i1", '|', []byte{0xff}, -1}, {"b1", '|', []byte{1}, 1}, {"u2", '>', []byte{1, 2}, 258}, {"i2", '<', []byte{0xfe, 0xff}, -2},
		{"f2", '<', []byte{0x00, 0x3c}, 1}, {"f2", '<', []byte{0x01, 0x00}, math.Ldexp(1, -24)}, {"f2", '<', []byte{0x00, 0xfc}, math.Inf(-1)},
		{"f4", '>', []byte{0x40, 0x20, 0, 0}, 2.5}, {"i4", '<', []byte{0xff, 0xff, 0xff, 0xff}, -1}, {"u4", '<', []byte{0xff, 0xff, 0xff, 0xff}, 1<<32 - 1},
		{"i8", '>', []byte{0, 0, 0, 0, 0, 0, 1, 0}, 256}, {"u8", '<', []byte{1, 0, 0, 0, 0, 0, 0, 0}, 1}, {"f8", '<', []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 1},
	} {
		require.Equal(t, c.want, Header{Type: c.kind, Order: c.order}.Float(c.bytes), "%+v", c)
	}
	require.True(t, math.IsNaN(Header{Type: "f2", Order: '<'}.Float([]byte{1, 0xfc})))
}

func FuzzReadHeader(f *testing.F) {
	f.Add(Header{Shape: []int{2, 3}, Type: "u1", Order: '|'}.Append(nil))
	f.Add([]byte(magic + "\x02\x00\x3a\x00\x00\x00{'descr': 'O', 'fortran_order': False, 'shape': (3,), }    "))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, offset, err := ReadHeader(bytes.NewReader(data))
		if err == nil && (offset > int64(len(data)) || h.Size() == 0 || h.Len() < 0) {
			t.Fatalf("%+v at %d of %d bytes", h, offset, len(data))
		}
	})
}
