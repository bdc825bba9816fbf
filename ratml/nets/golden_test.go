package nets_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
)

// initial returns the golden initial weights of WRN-10-1 (weights_init.npz).
func initial(tb testing.TB) nets.Weights {
	f := golden.Open(tb, "weights_init.npz")
	w := nets.Weights{}
	for _, key := range f.Keys() {
		name := strings.TrimSuffix(key, ".npy")
		if strings.HasSuffix(name, "num_batches_tracked") {
			continue
		}
		w[name] = &nets.Tensor{Shape: f.Shape(key), Data: golden.Read[float32](f, key)}
	}
	return w
}

func TestGoldenInitialLogits(t *testing.T) {
	step := golden.Open(t, "rat_step.npz")
	images := nhwc(golden.Read[uint8](step, "images"), 8)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		a, err := nets.Lookup("wrn10_1_cifar10")
		if err != nil {
			t.Fatal(err)
		}
		c, err := nets.NewClassifier(be, a, initial(t))
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node {
			return []*graph.Node{net(in[0])}
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.RunFloats(a.Images(images))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(out[0][:10])
	})
}

// nhwc turns n images [3, 32, 32] of bytes to [32, 32, 3] in [0,1].
func nhwc(u []uint8, n int) []float32 {
	x := make([]float32, len(u))
	for i := range n {
		for c := range 3 {
			for p := range 1024 {
				x[i*3072+p*3+c] = float32(u[i*3072+c*1024+p]) / 255
			}
		}
	}
	return x
}

func maxAbsDiff(got []float32, want []float64) float64 {
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-want[i]))
	}
	return worst
}
