package train

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// averages is what torch.optim.swa_utils made of weights (testdata/averaging.py).
type averages struct {
	arch    *nets.Arch
	Weights []nets.Weights
	EMA     nets.Weights // with decay 0.9
	SWA     nets.Weights
	Updated nets.Weights // SWA after update_bn
	Images  []int        // 10 images of 8x8 pixels
}

func openAverages(t *testing.T) averages {
	data, err := os.ReadFile("testdata/averaging.json")
	require.NoError(t, err)
	var a averages
	require.NoError(t, json.Unmarshal(data, &a))
	a.arch, err = nets.NewArch("averaged", nets.Input{Height: 8, Width: 8, Channels: 1}, 2, []float32{0.5}, []float32{0.25},
		func(p *nets.Pass, x *Node) *Node {
			x = nets.ReLU(p.ConvBatchNorm("conv1", "bn1", x, 3, 3, 1, 1))
			x = nets.ReLU(p.ConvBatchNorm("conv2", "bn2", x, 4, 3, 2, 1))
			return p.Linear("fc", nets.GlobalMean(x), 2)
		})
	require.NoError(t, err)
	return a
}

// loader serves the images in batches of 4, 4 and 2.
func (a averages) loader(t *testing.T) dataset.Loader {
	pixels := make([]uint8, len(a.Images))
	for i, v := range a.Images {
		pixels[i] = uint8(v)
	}
	set, err := dataset.NewImages(dataset.Shape{Height: 8, Width: 8, Channels: 1}, []string{"one"}, pixels, make([]int, 10))
	require.NoError(t, err)
	return dataset.Loader{Set: set, BatchSize: 4}
}

func nearWeights(t *testing.T, a *nets.Arch, want, got nets.Weights) {
	t.Helper()
	require.Len(t, got, len(want))
	for _, p := range a.Params {
		require.Equal(t, want[p.Name].Shape, got[p.Name].Shape, p.Name)
		near(t, want[p.Name].Data, got[p.Name].Data, p.Name)
	}
}

func TestSWAOfficial(t *testing.T) {
	a := openAverages(t)
	first := a.Weights[0].Clone()
	var m weightMean
	for _, w := range a.Weights {
		m.add(a.arch, w)
	}
	require.Equal(t, 4, m.n)
	nearWeights(t, a.arch, a.SWA, m.weights)
	require.Equal(t, first, a.Weights[0], "changed")
}

func TestEMAOfficial(t *testing.T) {
	a := openAverages(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		exec, err := NewExec(be.Backend, func(average, value *Node) *Node { return ema(average, value, 0.9) })
		require.NoError(t, err)
		defer exec.Finalize()
		for _, p := range a.arch.Params {
			average := a.Weights[0][p.Name].Data
			for _, w := range a.Weights[1:] {
				out, err := exec.Call(average, w[p.Name].Data)
				require.NoError(t, err)
				average = tensors.MustCopyFlatData[float32](out[0])
			}
			near(t, a.EMA[p.Name].Data, average, p.Name)
		}
	})
}

// TestEMASteady wants the average of equal values to be that value, whatever the rounding of decay.
func TestEMASteady(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		exec, err := NewExec(be.Backend, func(v *Node) *Node { return ema(v, v, 0.9999) })
		require.NoError(t, err)
		defer exec.Finalize()
		v := []float32{0.1, 1, 3.3, -7}
		out, err := exec.Call(v)
		require.NoError(t, err)
		require.Equal(t, v, tensors.MustCopyFlatData[float32](out[0]))
	})
}

func TestReestimateOfficial(t *testing.T) {
	a := openAverages(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		before := a.SWA.Clone()
		clf, err := nets.NewClassifier(be, a.arch, a.Weights[0])
		require.NoError(t, err)
		got, err := reestimate(t.Context(), clf, a.SWA, a.loader(t), 0)
		require.NoError(t, err)
		nearWeights(t, a.arch, a.Updated, got)
		require.Equal(t, before, a.SWA, "changed")
		require.Equal(t, a.Weights[0], clf.Weights(), "changed")
	})
}

// TestReestimateWithoutNorm leaves a network as it is that has nothing to estimate.
func TestReestimateWithoutNorm(t *testing.T) {
	arch, err := nets.NewArch("flat", nets.Input{Height: 8, Width: 8, Channels: 1}, 2, []float32{0}, []float32{1},
		func(p *nets.Pass, x *Node) *Node { return p.Linear("fc", nets.GlobalMean(x), 2) })
	require.NoError(t, err)
	clf, err := nets.NewClassifier(backendtest.Go(t), arch, arch.Init(1))
	require.NoError(t, err)
	got, err := reestimate(t.Context(), clf, clf.Weights(), openAverages(t).loader(t), 0)
	require.NoError(t, err)
	require.Equal(t, clf.Weights(), got)
}

func TestReestimateStops(t *testing.T) {
	a := openAverages(t)
	clf, err := nets.NewClassifier(backendtest.Go(t), a.arch, a.SWA)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = reestimate(ctx, clf, a.SWA, a.loader(t), 0)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAveragingCheck(t *testing.T) {
	for _, good := range []Averaging{EMA{}, EMA{Decay: 0.9999}, SWA{}, SWA{From: 120}} {
		require.NoError(t, good.Check(), "%+v", good)
	}
	for _, bad := range []Averaging{EMA{Decay: -0.1}, EMA{Decay: 1}, EMA{Decay: math.NaN()}, SWA{From: -1}} {
		require.Error(t, bad.Check(), "%+v", bad)
	}
	require.Equal(t, 0.999, EMA{}.decay())
	require.Equal(t, 0.5, EMA{Decay: 0.5}.decay())
	require.False(t, SWA{From: 2}.averages(1))
	require.True(t, SWA{From: 2}.averages(2))
}
