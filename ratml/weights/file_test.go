package weights_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

var goldenFile = filepath.Join(golden.Dir(), "weights_rat.safetensors")

// TestGoldenFile compares all values with the file's bytes, found by a plain decoding of its header.
func TestGoldenFile(t *testing.T) {
	got, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	n := 8 + binary.LittleEndian.Uint64(file)
	var entries map[string]struct {
		Dtype   string
		Shape   []int
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:n], &entries); err != nil {
		t.Fatal(err)
	}
	want := nets.Weights{}
	for name, e := range entries {
		if e.Dtype == "F32" {
			v := make([]float32, (e.Offsets[1]-e.Offsets[0])/4)
			if err := binary.Read(bytes.NewReader(file[int(n)+e.Offsets[0]:]), binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
			want[name] = &nets.Tensor{Shape: e.Shape, Data: v}
		}
	}
	if len(want) != 39 || !reflect.DeepEqual(got, want) {
		t.Errorf("read %d tensors, want %d, or their values differ", len(got), len(want))
	}
}

// TestPythonFile reads a file written by the Python package safetensors 0.8.0: all types of numbers, a prefix, a step
// counter, an empty tensor, metadata.
func TestPythonFile(t *testing.T) {
	path := filepath.Join("testdata", "python.safetensors")
	got, err := weights.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	zero := float32(math.Copysign(0, -1))
	want := nets.Weights{
		"f64":  {Shape: []int{2, 4}, Data: []float32{0, zero, 1, -2.5, 65504, 6e-8, 0x1p-15, 1. / 3}},
		"f32":  {Shape: []int{8}, Data: []float32{0, zero, 1, -2.5, 65504, 6e-8, 0x1p-15, 1. / 3}},
		"f16":  {Shape: []int{8}, Data: []float32{0, zero, 1, -2.5, 65504, 0x1p-24, 0x1p-15, 0x1.554p-2}},
		"bf16": {Shape: []int{8}, Data: []float32{0, zero, 1, -2.5, 0x1.fep15, 0x1p-24, 0x1p-15, 0x1.54p-2}},
		"none": {Shape: []int{0, 3}, Data: []float32{}},
		"odd":  {Shape: []int{3}, Data: []float32{1, 2, 3}},
	}
	for name, w := range want {
		if g := got[name]; g == nil || !reflect.DeepEqual(g.Shape, w.Shape) || !equalBits(g.Data, w.Data) {
			t.Errorf("%s = %v, want %v", name, g, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("names %v", got.Names())
	}
	meta, err := weights.Metadata(path)
	if want := map[string]string{"format": "pt", "note": "é <&>"}; err != nil || !reflect.DeepEqual(meta, want) {
		t.Errorf("metadata %v, %v; want %v", meta, err, want)
	}
}

func equalBits(a, b []float32) bool {
	for i := range min(len(a), len(b)) {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestRoundTrip(t *testing.T) {
	w, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	w["scalar"] = &nets.Tensor{Shape: []int{}, Data: []float32{-0.5}}
	w["none"] = nets.NewTensor(3, 0)
	w["a \"quoted\" <näme>"] = &nets.Tensor{Shape: []int{2}, Data: []float32{1, 2}}
	// More values than are read at a time.
	w["large"] = nets.NewTensor(3, 20011)
	for i := range w["large"].Data {
		w["large"].Data[i] = float32(i)
	}
	meta := map[string]string{"epoch": "3", "arch": "wrn10_1_cifar10"}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := weights.Save(path, w, meta); err != nil {
		t.Fatal(err)
	}
	got, err := weights.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		t.Error("the weights changed")
	}
	if m, err := weights.Metadata(path); err != nil || !reflect.DeepEqual(m, meta) {
		t.Errorf("metadata %v, %v; want %v", m, err, meta)
	}
}

func TestSaveBytes(t *testing.T) {
	w := nets.Weights{
		"b": {Data: []float32{1}},
		"a": {Shape: []int{1, 2}, Data: []float32{-2, float32(math.Inf(1))}},
	}
	header := `{"__metadata__":{"x":"1","y":"2"},` +
		`"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},` +
		`"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	want = append(want, header...)
	want = append(want, 0, 0, 0, 0xc0, 0, 0, 0x80, 0x7f, 0, 0, 0x80, 0x3f)
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := os.WriteFile(path, []byte("what was there before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := weights.Save(path, w, map[string]string{"y": "2", "x": "1"}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q, %v\nwant %q", got, err, want)
		}
	}
}

func TestSaveAlignment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for n := range 9 {
		name := strings.Repeat("x", n)
		if err := weights.Save(path, nets.Weights{name: nets.NewTensor(1)}, nil); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if header := binary.LittleEndian.Uint64(b); header%8 != 0 || len(b) != 8+int(header)+4 {
			t.Errorf("a header of %d bytes in a file of %d", header, len(b))
		}
		if w, err := weights.Load(path); err != nil || w[name] == nil {
			t.Errorf("%q: %v, %v", name, w, err)
		}
	}
}

func TestSaveErrors(t *testing.T) {
	one := &nets.Tensor{Shape: []int{1}, Data: []float32{1}}
	for name, c := range map[string]struct {
		weights  nets.Weights
		metadata map[string]string
		want     string
	}{
		"values":        {nets.Weights{"a": {Shape: []int{2}, Data: []float32{1}}}, nil, `tensor "a" of shape [2] has 1 values`},
		"negative":      {nets.Weights{"a": {Shape: []int{-1, -1}, Data: []float32{1}}}, nil, "negative dimension"},
		"nil":           {nets.Weights{"a": nil}, nil, `tensor "a" is nil`},
		"reserved name": {nets.Weights{"__metadata__": one}, nil, "__metadata__"},
		"name":          {nets.Weights{"\xff": one}, nil, "UTF-8"},
		"metadata":      {nets.Weights{"a": one}, map[string]string{"k": "\xff"}, "UTF-8"},
		"metadata key":  {nets.Weights{"a": one}, map[string]string{"\xff": "v"}, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "w.safetensors")
			err := weights.Save(path, c.weights, c.metadata)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, c.want)
			}
			if files, _ := os.ReadDir(dir); len(files) != 0 {
				t.Errorf("left %v behind", files)
			}
		})
	}
	if err := weights.Save(filepath.Join(t.TempDir(), "no", "folder"), nets.Weights{"a": one}, nil); err == nil {
		t.Error("saved into a folder that does not exist")
	}
}

func TestPrefixes(t *testing.T) {
	for name, c := range map[string]struct{ file, want []string }{
		"none":          {[]string{"a.weight", "b.bias"}, []string{"a.weight", "b.bias"}},
		"module":        {[]string{"module.a", "module.b"}, []string{"a", "b"}},
		"backbone":      {[]string{"backbone.a", "backbone.b"}, []string{"a", "b"}},
		"nested":        {[]string{"backbone._orig_mod.module.a", "backbone._orig_mod.module.b"}, []string{"a", "b"}},
		"sequential":    {[]string{"module.0.mean", "module.0.std", "module.1.module.a"}, []string{"a", "mean", "std"}},
		"normalisation": {[]string{"mean", "std", "backbone.a"}, []string{"a", "mean", "std"}},
		"not shared":    {[]string{"module.a", "b"}, []string{"b", "module.a"}},
		"layers":        {[]string{"0.weight", "1.weight", "3.weight"}, []string{"0.weight", "1.weight", "3.weight"}},
		"nothing left":  {[]string{"module."}, []string{"module."}},
		"collision":     {[]string{"mean", "module.mean"}, []string{"mean", "module.mean"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := nets.Weights{}
			for i, n := range c.file {
				w[n] = &nets.Tensor{Shape: []int{1}, Data: []float32{float32(i)}}
			}
			path := filepath.Join(t.TempDir(), "w.safetensors")
			if err := weights.Save(path, w, nil); err != nil {
				t.Fatal(err)
			}
			got, err := weights.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Names(), c.want) {
				t.Errorf("names %v, want %v", got.Names(), c.want)
			}
		})
	}
}
