package train

import (
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestSGD follows three steps with a constant gradient and a changing learning rate, worked out by hand from
// torch.optim.SGD's definition: g += decay*p; buffer = momentum*buffer + g; p -= lr*buffer.
func TestSGD(t *testing.T) {
	rates := []float32{0.1, 0.1, 0.01}
	for _, c := range []struct {
		name string
		opt  sgd
		want [3]float64
	}{
		{"momentum and decay", sgd{momentum: 0.9, decay: 0.1}, [3]float64{0.94, 0.8266, 0.8105674}},
		{"momentum", sgd{momentum: 0.9}, [3]float64{0.95, 0.855, 0.84145}},
		{"decay", sgd{decay: 0.1}, [3]float64{0.94, 0.8806, 0.8747194}},
		{"plain", sgd{}, [3]float64{0.95, 0.9, 0.895}},
	} {
		t.Run(c.name, func(t *testing.T) {
			backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
				exec, err := NewExec(be.Backend, func(in []*Node) []*Node {
					p, b := c.opt.update(in[0], in[1], in[2], in[3])
					return []*Node{p, b}
				})
				require.NoError(t, err)
				defer exec.Finalize()
				p, b := []float32{1}, []float32{0}
				for i, lr := range rates {
					out, err := exec.Call(lr, p, []float32{0.5}, b)
					require.NoError(t, err)
					p, b = tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
					require.InDelta(t, c.want[i], p[0], 1e-6, "step %d", i+1)
				}
			})
		})
	}
}
