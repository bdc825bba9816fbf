package nets_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// modes are the two ways to evaluate a network, which must agree.
var modes = map[string]nets.Mode{"eval": nets.Eval, "folded": nets.Folded}

func lookup(t testing.TB, name string) *nets.Arch {
	t.Helper()
	a, err := nets.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trained returns the golden trained weights of WRN-10-1.
func trained(t testing.TB) nets.Weights {
	t.Helper()
	w, err := weights.Load(filepath.Join(golden.Dir(), "weights_rat.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// initial returns the golden initial weights of WRN-10-1.
func initial(t testing.TB) nets.Weights {
	t.Helper()
	f := golden.Open(t, "weights_init.npz")
	w := nets.Weights{}
	for _, key := range f.Keys() {
		name := strings.TrimSuffix(key, ".npy")
		if !strings.HasSuffix(name, "num_batches_tracked") {
			w[name] = &nets.Tensor{Shape: f.Shape(key), Data: golden.Read[float32](f, key)}
		}
	}
	return w
}

// images returns values of pixels as a batch of WRN-10-1's images.
func images(v []float32) array { return array{[]int{len(v) / 3072, 32, 32, 3}, widen(v)} }

func TestGoldenLogits(t *testing.T) {
	a, w := lookup(t, "wrn10_1_cifar10"), trained(t)
	f := golden.Open(t, "scores_rat.npz")
	x := images(golden.Images(f, "images"))
	want := f.Float64("logits_f64")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		var both [][]float64
		for _, mode := range modes {
			got := network(t, be, a, w, mode, false, x, logits)[0]
			absolutely(t, got, want, 1e-5)
			both = append(both, got)
		}
		absolutely(t, both[0], both[1], 1e-5)
	})
}

// TestGoldenLogitsExactly repeats the official run in float64. There the normalisation's numbers were not rounded to
// float32, so the images are moved by what ours are off.
func TestGoldenLogitsExactly(t *testing.T) {
	a := lookup(t, "wrn10_1_cifar10")
	f := golden.Open(t, "scores_rat.npz")
	x := images(golden.Images(f, "images"))
	mean, std := []float64{.4914, .4822, .4465}, []float64{.2023, .1994, .2010}
	for i, v := range x.data {
		c := i % 3
		x.data[i] = (v-mean[c])/std[c]*float64(a.Std[c]) + float64(a.Mean[c])
	}
	got := network(t, backendtest.Go(t), a, trained(t), nets.Eval, true, x, logits)[0]
	absolutely(t, got, f.Float64("logits_f64"), 1e-12)
}

// TestGoldenProgram runs all 1000 images through a program in batches.
func TestGoldenProgram(t *testing.T) {
	x, _ := golden.TestBatch(t)
	want := golden.Open(t, "scores_rat.npz").Float64("full_logits")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, err := nets.NewClassifier(be, lookup(t, "wrn10_1_cifar10"), trained(t))
		if err != nil {
			t.Fatal(err)
		}
		p := program(t, c, logits)
		var got []float32
		for batch := range slices.Chunk(x, 125*3072) {
			out, err := p.RunFloats(c.Arch.Images(batch))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out[0]...)
		}
		absolutely(t, widen(got), want, 1e-5)
	})
}

// TestGoldenGradient compares the gradient of the log confidence with the official one: every sign with that of a
// run in float64, and the values.
func TestGoldenGradient(t *testing.T) {
	a, w := lookup(t, "wrn10_1_cifar10"), trained(t)
	f := golden.Open(t, "scores_rat.npz")
	x := images(golden.Images(f, "images"))
	signs, want := nhwc(f.Float64("sign_f64")), nhwc(f.Float64("grad"))
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, mode := range modes {
			t.Run(name, func(t *testing.T) {
				got := network(t, be, a, w, mode, false, x, gradient)[0]
				wrong := 0
				for i, s := range signs {
					if sign(got[i]) != s {
						wrong++
					}
				}
				if wrong > 0 {
					t.Errorf("%d of %d signs differ", wrong, len(signs))
				}
				// Where the network is sure the gradient is small, and as uncertain as the logits.
				const size = 3072
				for i := range len(want) / size {
					if d := distance(got[i*size:(i+1)*size], want[i*size:(i+1)*size]); d > 5e-5 {
						t.Errorf("image %d: the gradient is off by %g", i, d)
					}
				}
			})
		}
	})
}

// TestGoldenInitialWeights compares the logits of the first training step, where batch normalisation uses the
// statistics of the batch.
func TestGoldenInitialWeights(t *testing.T) {
	a, w := lookup(t, "wrn10_1_cifar10"), initial(t)
	if err := a.Check(w); err != nil {
		t.Fatal(err)
	}
	f := golden.Open(t, "rat_step.npz")
	x := images(golden.Images(f, "images"))
	want := f.Float64("init/flex/logits_clean")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		absolutely(t, network(t, be, a, w, nets.Train, false, x, logits)[0], want, 1e-5)
	})
}

// absolutely fails the test where got differs from want by more than tol.
func absolutely(t testing.TB, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tol) {
			t.Fatalf("element %d is %v, want %v", i, got[i], w)
		}
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// nhwc turns values [n, 3, 32, 32] into [n, 32, 32, 3].
func nhwc(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		n, c, p := i/3072, i/1024%3, i%1024
		out[n*3072+p*3+c] = v[i]
	}
	return out
}
