package train

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestLogitNormOfficial replays a training by the official code.
func TestLogitNormOfficial(t *testing.T) {
	r := recorded(t)
	want := r.Cases["LogitNorm"]
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		r.replay(t, be, LogitNorm{}, 0, want, true,
			func(int, *dataset.Batch) []any { return nil },
			func(step int, _ *dataset.Batch, got outcome) {
				require.InDelta(t, want.Clean[step], got.total, 1e-4*want.Clean[step])
				require.Equal(t, got.clean, got.total)
			})
	})
}

// TestLogitNormZero checks logits that are all 0, as a network has them whose last layer starts with zeros.
func TestLogitNormZero(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		exec, err := NewExec(be.Backend, func(logits *Node) []*Node {
			n := LogitNorm{}.normalise(logits)
			return []*Node{n, Gradient(ReduceAllSum(Slice(n, AxisRange(), AxisElem(0))), logits)[0]}
		})
		require.NoError(t, err)
		defer exec.Finalize()
		out, err := exec.Call([][]float32{{0, 0}, {3, 4}})
		require.NoError(t, err)
		values, slopes := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
		for i, want := range []float64{0, 0, 0.6 / 0.04, 0.8 / 0.04} {
			require.InDelta(t, want, values[i], 1e-5)
		}
		for i, want := range []float64{1e7 / 0.04, 0, 0.128 / 0.04, -0.096 / 0.04} { // (1-x²/r²)/r, -xy/r³
			require.InDelta(t, want, slopes[i], 1e-5*math.Max(1, want))
		}
	})
}
