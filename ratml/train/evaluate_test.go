package train

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

func TestEvaluate(t *testing.T) {
	set := stripes{50, 1}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf := tiny(t, be)
		program, err := clf.Compile("logits", func(net nets.Network, in []*Node) []*Node { return []*Node{net(in[0])} })
		require.NoError(t, err)
		defer program.Free()
		var wantLoss, wantRight float64
		pixels := make([]float32, 64)
		for i := range 50 {
			label, err := set.Read(i, pixels)
			require.NoError(t, err)
			out, err := program.RunFloats(clf.Arch.Images(pixels))
			require.NoError(t, err)
			sum, best := 0.0, 0
			for j, z := range out[0] {
				sum += math.Exp(float64(z))
				if z > out[0][best] {
					best = j
				}
			}
			wantLoss += (math.Log(sum) - float64(out[0][label])) / 50
			if best == label {
				wantRight++
			}
		}
		for _, batch := range []int{0, 7, 50, 1} {
			loss, accuracy, err := Evaluate(t.Context(), clf, set, batch)
			require.NoError(t, err)
			require.InEpsilon(t, wantLoss, loss, 1e-5)
			require.Equal(t, wantRight/50, accuracy)
		}
		_, _, err = Evaluate(t.Context(), clf, set, -1)
		require.Error(t, err)
		_, _, err = Evaluate(t.Context(), clf, dataset.Take(set, 0), 0)
		require.ErrorContains(t, err, "no evaluation images")
	})
}
