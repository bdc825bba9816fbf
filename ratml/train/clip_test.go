package train

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestClipNormOfficial compares with torch.nn.utils.clip_grad_norm_ (testdata/clip.py).
func TestClipNormOfficial(t *testing.T) {
	data, err := os.ReadFile("testdata/clip.json")
	require.NoError(t, err)
	var cases []struct {
		Max                float64
		Norm               string
		Gradients, Clipped [][]string
	}
	require.NoError(t, json.Unmarshal(data, &cases))
	require.NotEmpty(t, cases)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, c := range cases {
			clipped, norm := clip(t, be, c.Max, parseAll(t, c.Gradients))
			want := parseAll(t, append(c.Clipped, []string{c.Norm}))
			for i, got := range append(clipped, []float32{norm}) {
				for k, w := range want[i] {
					if finite(float64(w)) && w != 0 {
						require.InEpsilon(t, w, got[k], 1e-6, "norm %s, at most %v", c.Norm, c.Max)
					} else {
						require.Equal(t, strconv.FormatFloat(float64(w), 'g', -1, 32), strconv.FormatFloat(float64(got[k]), 'g', -1, 32))
					}
				}
			}
		}
	})
}

// TestClipNormOff wants the norm without a limit, too.
func TestClipNormOff(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clipped, norm := clip(t, be, 0, [][]float32{{3, 0}, {0, -4}})
		require.Equal(t, [][]float32{{3, 0}, {0, -4}}, clipped)
		require.Equal(t, float32(5), norm)
	})
}

func clip(t *testing.T, be *backend.Backend, max float64, gradients [][]float32) (clipped [][]float32, norm float32) {
	exec, err := NewExec(be.Backend, func(in []*Node) []*Node {
		list, norm := clipNorm(in, max)
		return append([]*Node{norm}, list...)
	})
	require.NoError(t, err)
	defer exec.Finalize()
	var args []any
	for _, g := range gradients {
		args = append(args, g)
	}
	out, err := exec.Call(args...)
	require.NoError(t, err)
	for _, o := range out[1:] {
		clipped = append(clipped, tensors.MustCopyFlatData[float32](o))
	}
	require.Len(t, clipped, len(gradients))
	return clipped, tensors.ToScalar[float32](out[0])
}

func parseAll(t *testing.T, lists [][]string) [][]float32 {
	all := make([][]float32, len(lists))
	for i, list := range lists {
		for _, s := range list {
			v, err := strconv.ParseFloat(s, 32)
			require.NoError(t, err)
			all[i] = append(all[i], float32(v))
		}
	}
	return all
}
