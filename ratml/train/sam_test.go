package train

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestSAMOfficial replays trainings by FMFP's code, which updates running statistics twice a step.
func TestSAMOfficial(t *testing.T) {
	r := recorded(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, o := range map[string]SAM{"sam": {}, "asam": {Adaptive: true, Statistics: true}} {
			if o.Adaptive && be.Kind() != backend.KindGo { // where compiling costs nothing
				continue
			}
			t.Run(name, func(t *testing.T) {
				want := r.Cases[name]
				r.replay(t, be, o, 0, want, o.Statistics,
					func(int, *dataset.Batch) []any { return nil },
					func(step int, _ *dataset.Batch, got outcome) {
						require.InDelta(t, want.Clean[step], got.clean, 1e-4)
						require.InDelta(t, want.Worst[step], got.total, 1e-4)
					})
			})
		}
	})
}

// TestSAMGradient compares the gradient that a step follows with finite differences of the inner objective's loss at
// weights moved by hand, and checks that the second pass leaves the running statistics alone.
func TestSAMGradient(t *testing.T) {
	r, be := recorded(t), backendtest.Go(t)
	a, w := r.netOf(t, 0, Tanh)
	inner, feed := RegMixup{}, []any{float32(0.3), []int32{2, 0, 3, 1}}
	first, _ := r.toyGradient(t, be, a, w, inner, feed...)
	norm := 0.0
	for _, g := range first {
		for _, v := range g {
			norm += v * v
		}
	}
	norm = math.Sqrt(norm)
	moved := w.Clone()
	for name, g := range first {
		for i, v := range g {
			moved[name].Data[i] += float32(0.25 * v / norm)
		}
	}
	gradient, _ := r.toyGradient(t, be, a, w, SAM{Objective: inner, Rho: 0.25}, feed...)
	r.requireSlopes(t, be, a, moved, inner, gradient, feed...)

	b := r.batch(0)
	plain, sam := newTrial(t, be, a, w, Config{Objective: Plain{}}), newTrial(t, be, a, w, Config{Objective: SAM{}})
	plain.advance(t, pace{1, 1, 1}, b.Images, b.Labels)
	sam.advance(t, pace{1, 1, 1}, b.Images, b.Labels)
	require.Equal(t, plain.weights(t)["bn1.running_mean"], sam.weights(t)["bn1.running_mean"])
	require.NotEqual(t, plain.weights(t)["fc.bias"], sam.weights(t)["fc.bias"])
}

// TestSAMFeed checks that SAM takes the feed of its objective.
func TestSAMFeed(t *testing.T) {
	feed, err := SAM{}.Feed(stripes{3, 1})
	require.NoError(t, err)
	require.Nil(t, feed)
	feed, err = SAM{Objective: LogitNorm{}}.Feed(stripes{3, 1}) // not a Feeder
	require.NoError(t, err)
	require.Nil(t, feed)
	feed, err = SAM{Objective: CRL{}}.Feed(stripes{3, 1})
	require.NoError(t, err)
	require.Implements(t, (*Memory)(nil), feed)
}
