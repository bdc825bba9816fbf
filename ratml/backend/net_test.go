package backend_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// outputs runs f on be and returns all its outputs, which must be float32.
func outputs(t *testing.T, be *backend.Backend, f func([]*Node) []*Node, in []*tensors.Tensor) [][]float32 {
	t.Helper()
	exec, err := NewExec(be.Backend, f)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	var args []any
	for _, x := range in {
		c, err := x.LocalClone()
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, c)
	}
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	var flat [][]float32
	for _, o := range out {
		flat = append(flat, tensors.MustCopyFlatData[float32](o))
	}
	return flat
}

// distance is the relative L2 distance.
func distance(got, want []float32) float64 {
	var d, n float64
	for i, w := range want {
		d += math.Pow(float64(got[i]-w), 2)
		n += math.Pow(float64(w), 2)
	}
	return math.Sqrt(d / max(n, 1e-30))
}

// A whole net, its input gradient and the gradients of its weights are the
// same on every backend.
func TestNet(t *testing.T) {
	plain, err := backend.OpenConfig(backend.Config{Name: "go:plain", Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	x, y, w := smallNet(rand.New(rand.NewPCG(2, 2)))
	in := append([]*tensors.Tensor{x, y}, w...)
	for name, f := range map[string]func([]*Node) []*Node{
		"forward": forwardPass,
		"input gradient": func(in []*Node) []*Node {
			return []*Node{Gradient(crossEntropy(logits(in[0], in[2:], false), in[1]), in[0])[0]}
		},
		"weight gradients": func(in []*Node) []*Node {
			return Gradient(crossEntropy(logits(in[0], in[2:], true), in[1]), in[2:]...)
		},
	} {
		want := outputs(t, plain, f, in)
		t.Run(name, func(t *testing.T) {
			backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
				for i, got := range outputs(t, be, f, in) {
					if d := distance(got, want[i]); !(d < 1e-4) {
						t.Errorf("output %d differs by %.1e", i, d)
					}
				}
			})
		})
	}
}

// GoMLX's gradient of a convolution with respect to its input is wrong for
// kernels of even size; package nets goes around it. When this test fails,
// GoMLX has mended it and nets need not any more.
func TestGoMLXGradientOfEvenKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	x, k := random(rng, 1, 4, 4, 1), random(rng, 1, 1, 2, 2)
	square := func(x, k *Node) *Node { return ReduceAllSum(Square(convolve(x, k, 1, 0))) }
	configs := []string{"go", "go:plain"}
	if backend.HasXLA() {
		configs = append(configs, "xla:cpu")
	}
	for _, config := range configs {
		be, err := backend.OpenConfig(backend.Config{Name: config, Quiet: true})
		if err != nil {
			t.Fatal(err)
		}
		got := outputs(t, be, func(in []*Node) []*Node { return Gradient(square(in[0], in[1]), in...) }, []*tensors.Tensor{x, k})
		for i, of := range []*tensors.Tensor{x, k} {
			want := differences(t, be, square, x, k, of)
			if right, d := i == 1, distance(got[i], want); right != (d < 1e-2) {
				t.Errorf("%s: gradient %d differs from finite differences by %.1e", config, i, d)
			}
		}
	}
}

// differences are central differences of f(x, k) by the elements of one of them.
func differences(t *testing.T, be *backend.Backend, f func(x, k *Node) *Node, x, k, of *tensors.Tensor) []float32 {
	t.Helper()
	const step = 1.0 / 64
	value := func() float64 {
		out := outputs(t, be, func(in []*Node) []*Node { return []*Node{f(in[0], in[1])} }, []*tensors.Tensor{x, k})
		return float64(out[0][0])
	}
	grad := make([]float32, of.Size())
	for i := range grad {
		move := func(by float32) {
			tensors.MustMutableFlatData(of, func(flat []float32) { flat[i] += by })
		}
		move(step)
		up := value()
		move(-2 * step)
		down := value()
		move(step)
		grad[i] = float32((up - down) / (2 * step))
	}
	return grad
}
