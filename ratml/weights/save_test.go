package weights_test

import (
	"archive/zip"
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// varied are tensors of many shapes and values.
func varied() nets.Weights {
	large := nets.NewTensor(3, 20011)
	for i := range large.Data {
		large.Data[i] = float32(i) / 7
	}
	return nets.Weights{
		"large": large, "scalar": {Shape: []int{}, Data: []float32{-0.5}}, "none": nets.NewTensor(3, 0),
		"a \"quoted\" <näme>": {Shape: []int{2}, Data: []float32{1, 2}},
		"features.bn.weight":  {Shape: []int{3}, Data: []float32{float32(math.Copysign(0, -1)), 1e-40, 65504}},
	}
}

// TestSavePyTorch checks the structure of the file against what PyTorch's reader (caffe2/serialize/inline_container.h)
// asks for, that equal weights make equal bytes, and that the values come back.
func TestSavePyTorch(t *testing.T) {
	w := varied()
	for _, metadata := range []map[string]string{nil, {"arch": "own", "note": "é"}} {
		path := filepath.Join(t.TempDir(), "w.pth")
		require.NoError(t, os.WriteFile(path, []byte("what was there before"), 0o600))
		var first []byte
		for range 3 {
			require.NoError(t, weights.SavePyTorch(path, w, metadata))
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			if first != nil {
				require.True(t, bytes.Equal(first, b), "not the same bytes twice")
			}
			first = b
		}
		got, err := weights.Load(path)
		require.NoError(t, err)
		require.Equal(t, w, got)
		f, err := weights.Inspect(path)
		require.NoError(t, err)
		require.Equal(t, "PyTorch zip", f.Format)
		if metadata == nil {
			require.Empty(t, f.Metadata)
			require.Empty(t, f.Entry)
		} else {
			require.Equal(t, metadata, f.Metadata)
			require.Equal(t, "state_dict", f.Entry)
		}

		z, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
		require.NoError(t, err)
		text := map[string]string{}
		for _, e := range z.File {
			require.Equal(t, zip.Store, e.Method)
			require.Zero(t, e.Flags&8, "%s: sizes follow the data", e.Name)
			at, err := e.DataOffset()
			require.NoError(t, err)
			require.Zero(t, at%64, "%s begins at %d", e.Name, at)
			r, err := e.Open()
			require.NoError(t, err)
			content, err := io.ReadAll(r) // checks the checksum
			require.NoError(t, err)
			text[strings.TrimPrefix(e.Name, "archive/")] = string(content)
		}
		require.Equal(t, "3\n", text["version"])
		require.Equal(t, "little", text["byteorder"])
		require.Equal(t, "archive/data.pkl", z.File[0].Name)
		require.Equal(t, "\x80\x02", text["data.pkl"][:2])
		require.Equal(t, "\x00\x00\x00\xbf", text["data/4"], "the scalar")
		require.Empty(t, text["data/3"], "the tensor without elements")
		require.Len(t, text, 4+5+1)
	}
}

// TestSaveAs rounds to the types that files can have, as IEEE 754 does.
func TestSaveAs(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	odd := math.Float32frombits(0x7f800001) // a NaN whose upper 16 bits are those of infinity
	values := []float32{0, 1, 1 + 0x1p-11, 1 + 3*0x1p-11, 1 + 0x1p-8, 1 + 3*0x1p-8, -65504, 0x1p-24, 0x1p-25, 0x1.8p-25, inf, -inf, nan, odd}
	w := nets.Weights{"a": {Shape: []int{len(values)}, Data: values}}
	for dtype, want := range map[string][]float32{
		"F32":  values,
		"F16":  {0, 1, 1, 1 + 2*0x1p-10, 1 + 0x1p-8, 1 + 3*0x1p-8, -65504, 0x1p-24, 0, 0x1p-24, inf, -inf, nan, nan},
		"BF16": {0, 1, 1, 1, 1, 1 + 0x1p-6, -65536, 0x1p-24, 0x1p-25, 0x1.8p-25, inf, -inf, nan, nan},
	} {
		for _, name := range []string{"w.pth", "w.safetensors", "w.pt", "w.CKPT"} {
			path := filepath.Join(t.TempDir(), name)
			require.NoError(t, weights.SaveAs(path, w, map[string]string{"k": "v"}, dtype))
			f, err := weights.Inspect(path)
			require.NoError(t, err)
			require.Equal(t, dtype, f.Tensors[0].Dtype)
			require.Equal(t, "v", f.Metadata["k"])
			got, err := weights.Load(path)
			require.NoError(t, err)
			for i, v := range got["a"].Data {
				same := v == want[i] || v != v && want[i] != want[i]
				require.True(t, same, "%v as %s is %v, want %v", values[i], dtype, v, want[i])
			}
		}
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name, dtype string
		value       float32
		want        string
	}{
		{"w.npz", "F32", 1, `the name ends in ".npz", want .safetensors`},
		{"w.pth", "F8", 1, `type "F8"`},
		{"w.pth", "F16", 65520, `tensor "a" holds 65520 at element 0, too large for F16`},
	} {
		path := filepath.Join(dir, c.name)
		err := weights.SaveAs(path, nets.Weights{"a": {Shape: []int{}, Data: []float32{c.value}}}, nil, c.dtype)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, path)
	}
	require.Error(t, weights.SavePyTorch(filepath.Join(dir, "w.pth"), nets.Weights{"a\xff": nets.NewTensor(1)}, nil))
	require.Error(t, weights.SavePyTorch(filepath.Join(dir, "w.pth"), nets.Weights{"a": nil}, nil))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}
