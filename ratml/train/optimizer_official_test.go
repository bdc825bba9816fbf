package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// trajectories is what PyTorch's optimizers did (testdata/optimizers.py).
type trajectories struct {
	Initial [][]float32
	Cases   map[string]struct {
		Optimizer string
		Decays    []float64 // by parameter
		Steps     []struct {
			LR                float32
			Gradients, Params [][]float32 // by parameter; the latter after the step
		}
		Slots [][][]float32 // by parameter, after the last step
	}
}

// TestOptimizersOfficial follows PyTorch's optimizers, given their gradients.
func TestOptimizersOfficial(t *testing.T) {
	data, err := os.ReadFile("testdata/optimizers.json")
	require.NoError(t, err)
	var want trajectories
	require.NoError(t, json.Unmarshal(data, &want))
	optimizers := map[string]Optimizer{
		"sgd":                  SGD{},
		"sgd, weights only":    SGD{Momentum: 0.5},
		"sgd, nesterov":        SGD{Nesterov: true},
		"sgd, no momentum":     SGD{Momentum: Off},
		"adamw":                AdamW{},
		"adamw, weights only":  AdamW{},
		"adamw, no decay":      AdamW{Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-3},
		"adamw, no first mean": AdamW{Beta1: Off, Beta2: 0.99},
	}
	require.Len(t, want.Cases, len(optimizers))
	for name, c := range want.Cases {
		t.Run(name, func(t *testing.T) {
			backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
				o := newOptimization(t, be, optimizers[name], c.Decays, want.Initial)
				for n, s := range c.Steps {
					o.step(t, s.LR, float32(n+1), s.Gradients)
					for p, w := range s.Params {
						near(t, w, o.params[p], "step %d, parameter %d", n+1, p)
					}
				}
				for p, slots := range c.Slots {
					require.Len(t, o.slots[p], len(slots))
					for k, w := range slots {
						near(t, w, o.slots[p][k], "parameter %d, buffer %d", p, k)
					}
				}
			})
		})
	}
}

// near compares vectors up to the rounding of a few float32 operations.
func near(t *testing.T, want, got []float32, msg string, args ...any) {
	t.Helper()
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	require.InDeltaSlice(t, want, got, 1e-6*largest, append([]any{msg}, args...)...)
}

// optimization is an optimizer at work on a list of vectors.
type optimization struct {
	exec   *Exec
	params [][]float32
	slots  [][][]float32
}

func newOptimization(t *testing.T, be *backend.Backend, opt Optimizer, decays []float64, params [][]float32) *optimization {
	per := opt.Slots()
	exec, err := NewExec(be.Backend, func(in []*Node) []*Node {
		lr, step, in := in[0], in[1], in[2:]
		var out []*Node
		for _, decay := range decays {
			param, slots := opt.Update(lr, step, decay, in[0], in[1], in[2:2+per])
			out, in = append(append(out, param), slots...), in[2+per:]
		}
		return out
	})
	require.NoError(t, err)
	t.Cleanup(exec.Finalize)
	o := &optimization{exec: exec, params: params}
	for _, p := range params {
		var slots [][]float32
		for range per {
			slots = append(slots, make([]float32, len(p)))
		}
		o.slots = append(o.slots, slots)
	}
	return o
}

func (o *optimization) step(t *testing.T, lr, step float32, gradients [][]float32) {
	t.Helper()
	args := []any{lr, step}
	for p, param := range o.params {
		args = append(args, param, gradients[p])
		for _, s := range o.slots[p] {
			args = append(args, s)
		}
	}
	out, err := o.exec.Call(args...)
	require.NoError(t, err)
	per := len(out)/len(o.params) - 1
	params := make([][]float32, len(o.params))
	for p := range o.params {
		params[p] = tensors.MustCopyFlatData[float32](out[0])
		for k := range per {
			o.slots[p][k] = tensors.MustCopyFlatData[float32](out[1+k])
		}
		out = out[1+per:]
	}
	o.params = params
}

func TestOptimizerCheck(t *testing.T) {
	nan := math.NaN()
	for _, good := range []interface{ Check() error }{
		SGD{}, SGD{Momentum: Off}, SGD{Momentum: 1, Nesterov: true}, AdamW{}, AdamW{Beta1: Off, Beta2: 0.5, Epsilon: 1},
	} {
		require.NoError(t, good.Check(), "%+v", good)
	}
	for setting, bad := range map[string][]interface{ Check() error }{
		"Momentum": {SGD{Momentum: -0.5}, SGD{Momentum: 1.1}, SGD{Momentum: nan}, SGD{Momentum: Off, Nesterov: true}},
		"Beta1":    {AdamW{Beta1: -0.1}, AdamW{Beta1: 1}, AdamW{Beta1: nan}},
		"Beta2":    {AdamW{Beta2: Off}, AdamW{Beta2: 1}, AdamW{Beta2: nan}},
		"Epsilon":  {AdamW{Epsilon: -1e-8}, AdamW{Epsilon: math.Inf(1)}, AdamW{Epsilon: nan}},
	} {
		for _, o := range bad {
			require.ErrorContains(t, o.Check(), setting, "%+v", o)
		}
	}
}

// TestUnbiased wants all digits of the corrections of Adam, which are differences of almost equal numbers at first.
func TestUnbiased(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, beta := range []float64{0, 0.5, 0.9, 0.999, 0.9999} {
			exec, err := NewExec(be.Backend, func(step *Node) *Node { return unbiased(beta, step) })
			require.NoError(t, err)
			defer exec.Finalize()
			for _, step := range []float64{1, 2, 3, 10, 100, 1e4, 1e6} {
				out, err := exec.Call(float32(step))
				require.NoError(t, err)
				require.InEpsilon(t, 1-math.Pow(beta, step), tensors.ToScalar[float32](out[0]), 1e-6, "%v^%v", beta, step)
			}
		}
	})
}
