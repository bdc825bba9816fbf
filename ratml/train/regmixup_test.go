package train

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestRegMixupOfficial replays trainings by RegMixup's own code and by OpenMix's.
func TestRegMixupOfficial(t *testing.T) {
	r := recorded(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		t.Run("sum", func(t *testing.T) {
			want := r.Cases["RegMixup"]
			r.replay(t, be, RegMixup{}, 0, want, true,
				func(step int, _ *dataset.Batch) []any { return want.mixing(step) },
				func(step int, _ *dataset.Batch, got outcome) { require.InDelta(t, want.Clean[step], got.clean, 1e-4) })
		})
		t.Run("mean", func(t *testing.T) {
			want := r.Cases["RegMixup, mean"]
			r.replay(t, be, RegMixup{Mean: true}, 0, want, true,
				func(step int, _ *dataset.Batch) []any { return want.mixing(step) },
				func(step int, _ *dataset.Batch, got outcome) { require.InDelta(t, want.Total[step], got.total, 1e-4) })
		})
	})
}

// TestRegMixupFeed checks the alphas: the official code's by default.
func TestRegMixupFeed(t *testing.T) {
	r := recorded(t)
	feed, err := RegMixup{}.Feed(nil)
	require.NoError(t, err)
	require.Equal(t, mixing{r.Cases["RegMixup, mean"].Alphas[0]}, feed)
	feed, err = RegMixup{Alpha: 10}.Feed(nil)
	require.NoError(t, err)
	require.Equal(t, mixing{r.Cases["RegMixup"].Alphas[0]}, feed)
}

func TestRegMixupWeight(t *testing.T) {
	r, be := recorded(t), backendtest.Go(t)
	a, w := r.net(t, 0)
	b, feed := r.batch(0), r.Cases["RegMixup"].mixing(0)
	of := func(o RegMixup) outcome {
		return newTrial(t, be, a, w, Config{Objective: o}).advance(t, pace{0.1, 1, 1}, b.Images, b.Labels, feed...)
	}
	one, three := of(RegMixup{}), of(RegMixup{Weight: 3})
	require.InDelta(t, 3*(one.total-one.clean), three.total-three.clean, 1e-5)
	require.Greater(t, one.total-one.clean, 1.0)
}

// TestTogetherOnDevices checks that an image and its mixed form are normalised together wherever a batch is divided:
// the loss of a batch on two devices, each with its own statistics, is the mean of the losses of the halves.
func TestTogetherOnDevices(t *testing.T) {
	if !backend.HasXLA() {
		t.Skip("only XLA has several devices")
	}
	r := recorded(t)
	a, w := r.net(t, 0)
	const n = 8
	partner := []int32{3, 0, 1, 2, 6, 7, 5, 4} // within the halves
	loss := func(be *backend.Backend, cfg Config, from, to int) float64 {
		var p []int32
		for _, i := range partner[from:to] {
			p = append(p, i-int32(from))
		}
		cfg.Objective = RegMixup{}
		images := r.Images[from*recordedPixels : to*recordedPixels]
		return newTrial(t, be, a, w, cfg).advance(t, pace{0.1, 1, 1}, images, r.Labels[from:to], float32(0.3), p).total
	}
	one := backendtest.Go(t)
	halves := (loss(one, Config{}, 0, n/2) + loss(one, Config{}, n/2, n)) / 2
	require.InDelta(t, halves, loss(backendtest.XLA(t), Config{Devices: 2, LocalBatchNorm: true}, 0, n), 1e-5)
	require.Greater(t, math.Abs(loss(one, Config{}, 0, n)-halves), 1e-3, "the statistics matter")
}
