package numpickle

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// pickled is what Python's pickle.dumps({b"labels": [1, 2], b"data": numpy.uint8([[7, 8]])}, 2) holds, with numpy's names in 1.x.
const pickled = "\x80\x02}q\x00(c_codecs\nencode\nq\x01X\x06\x00\x00\x00labelsq\x02X\x06\x00\x00\x00latin1q\x03\x86q\x04Rq\x05]q\x06(K\x01K\x02e" +
	"h\x01X\x04\x00\x00\x00dataq\x07h\x03\x86q\x08Rq\x09cnumpy.core.multiarray\n_reconstruct\nq\x0acnumpy\nndarray\nq\x0bK\x00\x85q\x0c" +
	"h\x01X\x01\x00\x00\x00bq\x0dh\x03\x86q\x0eRq\x0f\x87q\x10Rq\x11(K\x01K\x01K\x02\x86q\x12cnumpy\ndtype\nq\x13X\x02\x00\x00\x00u1q\x14" +
	"\x89\x88\x87q\x15Rq\x16(K\x03X\x01\x00\x00\x00|q\x17NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x18b\x89h\x01X\x02\x00\x00\x00\x07\x08q\x19h\x03\x86q\x1aRq\x1btq\x1cbu."

func TestLoadDict(t *testing.T) {
	dict, err := LoadDict([]byte(pickled))
	require.NoError(t, err)
	labels, err := Ints(dict["labels"])
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, labels)
	require.Equal(t, &Array{[]int{1, 2}, "u1", '|', []byte{7, 8}}, dict["data"])
}

func TestRefused(t *testing.T) {
	eight := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	for name, c := range map[string]struct{ data, want string }{
		"code":            {"cposix\nsystem\n(X\x02\x00\x00\x00lstR.", `asks for "posix.system"`},
		"code by stack":   {"\x80\x04\x8c\x02os\x8c\x06system\x93.", `asks for "os.system"`},
		"builtin":         {"c__builtin__\neval\n.", `asks for "__builtin__.eval"`},
		"constructor":     {"}ccopy_reg\n_reconstructor\n0.", `asks for "copy_reg._reconstructor"`},
		"instance":        {"(iposix\nsystem\n.", "operation 0x69"},
		"persistent":      {"Pfile\n.", "operation 0x50"},
		"extension":       {"\x82\x01.", "operation 0x82"},
		"unknown":         {"\xff.", "operation 0xff"},
		"huge bytes":      {"\x8e" + eight(1<<62) + ".", "a length of 4611686018427387904"},
		"huge frame":      {"\x80\x04\x95" + eight(1<<40) + "N.", "a length of 1099511627776"},
		"long of nothing": {"\x8a\x00.", "an integer of 0 bytes"},
		"long":            {"\x8b\x10\x00\x00\x000123456789abcdef.", "an integer of 16 bytes"},
		"odd dictionary":  {"(K\x01d.", "do not fit together"},
		"empty stack":     {"R.", "stack is empty"},
		"no dictionary":   {"K\x01.", "want a dictionary"},
		"more":            {"}.}", "1 more bytes"},
		"endless line":    {"V" + string(make([]byte, 5000)) + "\n.", "no end of a line"},
		"protocol":        {"\x80\x09}.", "protocol 9"},
		"marks":           {string(make([]byte, 0)) + repeat("(", 20000), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadDict([]byte(c.data))
			require.ErrorContains(t, err, c.want)
			var at *Error
			require.ErrorAs(t, err, &at)
		})
	}
}

func repeat(s string, n int) string {
	var b []byte
	for range n {
		b = append(b, s...)
	}
	return string(b)
}

func TestTruncated(t *testing.T) {
	for n := range len(pickled) {
		_, err := LoadDict([]byte(pickled[:n]))
		require.Error(t, err)
	}
}

func FuzzLoadDict(f *testing.F) {
	f.Add([]byte(pickled))
	f.Add([]byte("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."))
	f.Add([]byte("cnumpy._core.numeric\n_frombuffer\n(\x96\x01\x00\x00\x00\x00\x00\x00\x00acnumpy\ndtype\n(X\x02\x00\x00\x00u1tRK\x01\x85X\x01\x00\x00\x00CtR."))
	f.Fuzz(func(t *testing.T, data []byte) {
		dict, err := LoadDict(data)
		var at *Error
		if err != nil && (!errors.As(err, &at) || at.Offset < 0 || at.Offset > int64(len(data))) {
			t.Fatal(err)
		}
		for _, v := range dict {
			ints, err := Ints(v)
			if a, ok := v.(*Array); ok && err == nil && len(ints) != a.Shape[0] {
				t.Fatalf("%d numbers of %v", len(ints), a.Shape)
			}
		}
	})
}
