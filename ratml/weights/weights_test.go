package weights_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

var goldenFile = filepath.Join(golden.Dir(), "weights_rat.safetensors")

func TestGoldenFile(t *testing.T) {
	w, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	a, err := nets.Lookup("wrn10_1_cifar10")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Check(w); err != nil {
		t.Error(err)
	}
	// The last tensor of the file that is a weight, read by hand.
	if got := w["output.bias"]; len(got.Data) != 10 || got.Data[0] == 0 {
		t.Errorf("output.bias = %v", got)
	}
}

func TestRoundTrip(t *testing.T) {
	w, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	w["scalar"] = &nets.Tensor{Data: []float32{-0.5}}
	w["none"] = nets.NewTensor(3, 0)
	w["a \"quoted\" <name>"] = &nets.Tensor{Shape: []int{2}, Data: []float32{1, 2}}
	meta := map[string]string{"epoch": "3", "arch": "wrn10_1_cifar10"}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := weights.Save(path, w, meta); err != nil {
		t.Fatal(err)
	}
	got, err := weights.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	w["scalar"].Shape = []int{}
	if !reflect.DeepEqual(got, w) {
		t.Error("the weights changed")
	}
	if m, err := weights.Metadata(path); err != nil || !reflect.DeepEqual(m, meta) {
		t.Errorf("metadata %v, %v; want %v", m, err, meta)
	}
}

func TestOpen(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, err := weights.Open(be, "wrn10_1_cifar10", goldenFile)
		if err != nil {
			t.Fatal(err)
		}
		want, err := weights.Load(goldenFile)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c.Weights(), want) {
			t.Error("the classifier has other weights than the file")
		}
		before := c.Weights()
		path := filepath.Join(t.TempDir(), "other.safetensors")
		bad := c.Weights()
		delete(bad, "output.bias")
		bad["extra"] = nets.NewTensor(1)
		bad["output.weight"] = nets.NewTensor(10, 3)
		if err := weights.Save(path, bad, nil); err != nil {
			t.Fatal(err)
		}
		err = weights.LoadInto(c, path)
		if err == nil {
			t.Fatal("no error")
		}
		for _, part := range []string{path, "missing output.bias [10]", "unexpected extra [1]", "wrong shape [10 3] for output.weight"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v\nlacks %q", err, part)
			}
		}
		if !reflect.DeepEqual(c.Weights(), before) {
			t.Error("a failed load changed the weights")
		}
	})
}

func TestSaveLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	w := nets.Weights{"a": {Shape: []int{2}, Data: []float32{1}}}
	if err := weights.Save(path, w, nil); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("error %v does not name the tensor", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left %v", files)
	}
}
