package weights_test

import (
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

func TestOpen(t *testing.T) {
	want, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, err := weights.Open(be, "wrn10_1_cifar10", goldenFile)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c.Weights(), want) {
			t.Error("the classifier has other weights than the file")
		}
		other, err := nets.New(be, "wrn10_1_cifar10", 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := weights.LoadInto(other, goldenFile); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(other.Weights(), want) {
			t.Error("the other classifier has other weights than the file")
		}
	})
}

// TestStrict changes good weights in every way that must be refused, or accepted.
func TestStrict(t *testing.T) {
	good, err := weights.Load(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	be := backendtest.Go(t)
	vector := func(v ...float32) *nets.Tensor { return &nets.Tensor{Shape: []int{len(v)}, Data: v} }
	for name, c := range map[string]struct {
		change func(w nets.Weights)
		want   []string // parts of the error; none: no error
	}{
		"all at once": {func(w nets.Weights) {
			delete(w, "output.bias")
			delete(w, "features.init_block.weight")
			w["extra"] = vector(1)
			w["output.weight"] = nets.NewTensor(10, 3)
		}, []string{"missing output.bias [10]", "missing features.init_block.weight [16 3 3 3]", "unexpected extra [1]", "wrong shape [10 3] for output.weight, want [10 64]"}},
		"NaN": {func(w nets.Weights) { w["output.bias"].Data[3] = float32(math.NaN()) }, []string{"output.bias holds NaN at element 3"}},
		"infinity": {func(w nets.Weights) { w["output.bias"].Data[9] = float32(math.Inf(-1)) },
			[]string{"output.bias holds -Inf at element 9"}},
		"variance": {func(w nets.Weights) { w["features.post_activ.bn.running_var"].Data[2] = -1 },
			[]string{"features.post_activ.bn.running_var is negative in channel 2"}},
		"same normalisation": {func(w nets.Weights) {
			w["mean"], w["std"] = vector(.4914, .4822, .4465), vector(.2023, .1994, .2010)
		}, nil},
		"wrapped": {func(w nets.Weights) {
			all := maps.Clone(w)
			clear(w)
			for name, t := range all {
				w["module.1."+name] = t
			}
			w["module.0.mean"] = &nets.Tensor{Shape: []int{1, 3, 1, 1}, Data: []float32{.4914, .4822, .4465}}
		}, nil},
		"other mean":   {func(w nets.Weights) { w["mean"] = vector(.5, .5, .5) }, []string{"mean [0.5 0.5 0.5]"}},
		"other std":    {func(w nets.Weights) { w["std"] = vector(.2470, .2435, .2616) }, []string{"std [0.247 0.2435 0.2616]"}},
		"grey as well": {func(w nets.Weights) { w["mean"] = vector(.4914) }, []string{"mean [0.4914]"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := good.Clone()
			c.change(w)
			path := filepath.Join(t.TempDir(), "w.safetensors")
			if err := weights.Save(path, w, nil); err != nil {
				t.Fatal(err)
			}
			clf, err := nets.New(be, "wrn10_1_cifar10", 1)
			if err != nil {
				t.Fatal(err)
			}
			before := clf.Weights()
			_, opening := weights.Open(be, "wrn10_1_cifar10", path)
			loading := weights.LoadInto(clf, path)
			if len(c.want) == 0 {
				if opening != nil || loading != nil || !reflect.DeepEqual(clf.Weights(), good) {
					t.Errorf("errors %v, %v, or other weights", opening, loading)
				}
				return
			}
			for _, err := range []error{opening, loading} {
				for _, part := range append(c.want, path) {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("error %v lacks %q", err, part)
					}
				}
			}
			if !reflect.DeepEqual(clf.Weights(), before) {
				t.Error("a failed load changed the weights")
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	be := backendtest.Go(t)
	if _, err := weights.Open(be, "nonesuch", goldenFile); err == nil || !strings.Contains(err.Error(), `"nonesuch"`) {
		t.Errorf("unknown architecture: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing.safetensors")
	if _, err := weights.Open(be, "wrn10_1_cifar10", missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
}
