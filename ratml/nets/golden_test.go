package nets_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

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

func images(v []float32) array { return array{[]int{len(v) / 3072, 32, 32, 3}, widen(v)} }

func TestGoldenLogits(t *testing.T) {
	a := lookup(t, "wrn10_1_cifar10")
	f := golden.Open(t, "scores_rat.npz")
	x := images(golden.Images(f, "images"))
	want := f.Float64("logits_f64")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, mode := range modes {
			t.Run(name, func(t *testing.T) {
				got := network(t, be, a, trained(t), mode, false, x, logits)[0]
				t.Log(worst(got, want))
				absolutely(t, got, want, 1e-5)
				got = network(t, be, a, trained(t), mode, true, x, logits)[0]
				t.Log(worst(got, want))
			})
		}
	})
}

func worst(a, b []float64) float64 {
	m := 0.0
	for i := range a {
		m = max(m, math.Abs(a[i]-b[i]))
	}
	return m
}

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

func TestGoldenAll(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	x, _ := golden.TestBatch(t)
	want := f.Float64("full_logits")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, err := nets.NewClassifier(be, lookup(t, "wrn10_1_cifar10"), trained(t))
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node {
			return []*graph.Node{net(in[0])}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Free()
		var got []float32
		for batch := range slices.Chunk(x, 125*3072) {
			out, err := p.RunFloats(c.Arch.Images(batch))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out[0]...)
		}
		t.Log(worst(widen(got), want))
		absolutely(t, widen(got), want, 1e-5)
	})
}

func TestGoldenGradient(t *testing.T) {
	a := lookup(t, "wrn10_1_cifar10")
	f := golden.Open(t, "scores_rat.npz")
	x := images(golden.Images(f, "images"))
	signs, want := nhwc(f.Float64("sign_f64")), nhwc(f.Float64("grad"))
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, mode := range modes {
			t.Run(name, func(t *testing.T) {
				for _, double := range []bool{false, true} {
					got := network(t, be, a, trained(t), mode, double, x, gradient)[0]
					wrong := 0
					for i, s := range signs {
						if sign(got[i]) != s {
							wrong++
						}
					}
					t.Log("wrong signs", wrong)
					for i := range 16 {
						g, w := got[i*3072:(i+1)*3072], want[i*3072:(i+1)*3072]
						d := make([]float64, 3072)
						for j := range d {
							d[j] = g[j] - w[j]
						}
						t.Log(i, math.Sqrt(dot(d, d)/dot(w, w)), math.Sqrt(dot(w, w)))
					}
				}
			})
		}
	})
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
