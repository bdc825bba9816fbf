package nets_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// TestActivations compares values and derivatives with their definitions, and derivatives at corners with PyTorch's.
func TestActivations(t *testing.T) {
	clamp := func(x, low, high float64) float64 { return min(max(x, low), high) }
	hard := func(x float64) float64 { return clamp(x+3, 0, 6) / 6 }
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, c := range []struct {
		name    string
		f       func(*graph.Node) *graph.Node
		value   func(float64) float64
		corners map[float64]float64 // derivatives
	}{
		{"ReLU6", nets.ReLU6, func(x float64) float64 { return clamp(x, 0, 6) }, map[float64]float64{0: 0, 6: 0}},
		{"HardSigmoid", nets.HardSigmoid, hard, map[float64]float64{-3: 0, 3: 0}},
		{"HardSwish", nets.HardSwish, func(x float64) float64 { return x * hard(x) }, map[float64]float64{-3: 0, 3: 1}},
		{"SiLU", nets.SiLU, func(x float64) float64 { return x * logistic(x) }, map[float64]float64{0: 0.5}},
		{"GELU", nets.GELU, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }, map[float64]float64{0: 0.5}},
	} {
		x := array{nil, []float64{-90, -7, -3.5, -2.9, -1, -1e-3, 1e-3, 0.7, 2.9, 3.1, 5.9, 6.1, 40}}
		var value, slope []float64
		for _, v := range x.data {
			const h = 1e-6
			value, slope = append(value, c.value(v)), append(slope, (c.value(v+h)-c.value(v-h))/(2*h))
		}
		for v, d := range c.corners {
			x.data, value, slope = append(x.data, v), append(value, c.value(v)), append(slope, d)
		}
		x.shape = []int{len(x.data)}
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			got := run(t, be, func(in []*graph.Node) []*graph.Node {
				y := c.f(in[0])
				return append(graph.Gradient(graph.ReduceAllSum(y), in[0]), y)
			}, x.float32())
			near(t, c.name+": derivative", got[0], slope, 1e-6)
			for i := range value {
				if math.Abs(got[1][i]-value[i]) > 1e-6*max(1, math.Abs(value[i])) {
					t.Errorf("%s(%g) is %g, want %g", c.name, x.data[i], got[1][i], value[i])
				}
			}
		})
	}
}
