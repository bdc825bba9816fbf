package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

func TestFitLearns(t *testing.T) {
	train, test := stripes{256, 1}, stripes{100, 2}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, objective := range []Objective{nil, RAT{}} {
			t.Run(fmt.Sprintf("%T", objective), func(t *testing.T) {
				clf := tiny(t, be)
				var done, total int
				hist, err := Fit(t.Context(), clf, train, Config{
					Objective: objective, Epochs: 8, BatchSize: 32, WarmupEpochs: 1, Validation: test,
					Progress: func(d, n int, _ string) { done, total = d, n },
				})
				require.NoError(t, err)
				require.Equal(t, 64, hist.Steps)
				require.Equal(t, []int{64, 64}, []int{done, total})
				require.Len(t, hist.Epochs, 8)
				first, last := hist.Epochs[0], hist.Epochs[7]
				require.Equal(t, []int{1, 8, 8, 64}, []int{first.Epoch, first.Steps, last.Epoch, last.Steps})
				require.Less(t, last.Loss, 0.6*first.Loss)
				require.Greater(t, last.TrainAccuracy, 0.75)
				require.Greater(t, last.ValAccuracy, 0.7)
				require.Equal(t, objective == nil, math.IsNaN(last.AdversarialLoss))
				require.Less(t, last.LearningRate, 1e-4)
				require.Positive(t, last.ImagesPerSecond)
				require.Positive(t, last.Seconds)

				loss, accuracy, err := Evaluate(t.Context(), clf, test, 7)
				require.NoError(t, err)
				require.InEpsilon(t, last.ValLoss, loss, 1e-5)
				require.Equal(t, last.ValAccuracy, accuracy)
			})
		}
	})
}

// TestFitMNIST trains the small net on real images, a few seconds of it.
func TestFitMNIST(t *testing.T) {
	data, err := dataset.Open("mnist", dataset.Config{})
	require.NoError(t, err)
	open := backendtest.Go
	if backend.HasXLA() {
		open = backendtest.XLA
	}
	clf, err := nets.New(open(t), "smallcnn_mnist", 1)
	require.NoError(t, err)
	_, before, err := Evaluate(t.Context(), clf, dataset.Take(data.Test, 500), 0)
	require.NoError(t, err)
	require.Less(t, before, 0.4)
	hist, err := Fit(t.Context(), clf, dataset.Take(data.Train, 2000), Config{Objective: RAT{}, Epochs: 8})
	require.NoError(t, err)
	_, after, err := Evaluate(t.Context(), clf, dataset.Take(data.Test, 500), 0)
	require.NoError(t, err)
	require.Greater(t, after, 0.85)
	last := hist.Epochs[len(hist.Epochs)-1]
	require.Greater(t, last.TrainAccuracy, hist.Epochs[0].TrainAccuracy)
	require.NotEqual(t, last.Loss, last.AdversarialLoss)
}

// TestFitRepeats checks that equal seeds give equal weights, bit for bit, and others do not.
func TestFitRepeats(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		augment := dataset.Chain(dataset.RandomCrop(1), dataset.RandomFlip())
		fit := func(seed uint64, augment dataset.Transform) nets.Weights {
			clf := tiny(t, be)
			_, err := Fit(t.Context(), clf, stripes{96, 1}, Config{
				Objective: RAT{}, Epochs: 2, BatchSize: 16, Seed: seed, Augment: augment,
			})
			require.NoError(t, err)
			return clf.Weights()
		}
		want := fit(7, augment)
		require.Equal(t, want, fit(7, augment))
		require.NotEqual(t, want, fit(8, augment))
		if be.Kind() == backend.KindGo { // where compiling costs nothing
			require.NotEqual(t, want, fit(7, nil))
			require.NotEqual(t, fit(7, nil), fit(8, nil))
		}
	})
}

// TestFitStops cancels a longer run after its first epoch's last step: the weights must be those of one epoch.
func TestFitStops(t *testing.T) {
	cfg := Config{Epochs: 1, BatchSize: 16, Schedule: Constant(0)}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		want := tiny(t, be)
		_, err := Fit(t.Context(), want, stripes{64, 1}, cfg)
		require.NoError(t, err)

		got, ctx, cancel := stopAt(t, be, 4)
		defer cancel()
		long := cfg
		long.Epochs, long.Progress = 5, got.progress
		hist, err := Fit(ctx, got.clf, stripes{64, 1}, long)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 4, hist.Steps)
		require.Equal(t, want.Weights(), got.clf.Weights())

		got, ctx, cancel = stopAt(t, be, 2) // in the middle of an epoch
		defer cancel()
		long.Progress = got.progress
		hist, err = Fit(ctx, got.clf, stripes{64, 1}, long)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 2, hist.Steps)
		require.Empty(t, hist.Epochs)
		require.NotEqual(t, want.Weights(), got.clf.Weights())
		require.NotEqual(t, tiny(t, be).Weights(), got.clf.Weights())
	})
}

type stopped struct {
	clf      *nets.Classifier
	progress func(done, total int, note string)
}

func stopAt(t *testing.T, be *backend.Backend, step int) (stopped, context.Context, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	return stopped{tiny(t, be), func(done, _ int, _ string) {
		if done == step {
			cancel()
		}
	}}, ctx, cancel
}

func TestFitCancelledBefore(t *testing.T) {
	clf := tiny(t, backendtest.Go(t))
	before := clf.Weights()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hist, err := Fit(ctx, clf, stripes{64, 1}, Config{})
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, hist.Steps)
	require.Equal(t, before, clf.Weights())
}

// TestFitDiverges raises the learning rate beyond all bounds in the middle of the second epoch. What is left must be
// the weights of the last good step, as a run that is cancelled there has them.
func TestFitDiverges(t *testing.T) {
	cfg := Config{Epochs: 4, BatchSize: 16, Schedule: func(_, epoch, _ float64) float64 {
		if epoch >= 1.5 {
			return 3e38
		}
		return 0.1
	}}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf := tiny(t, be)
		hist, err := Fit(t.Context(), clf, stripes{64, 1}, cfg)
		require.ErrorIs(t, err, ErrDiverged)
		require.ErrorContains(t, err, "epoch 2, batch 3 (step 7)")
		require.NotContains(t, err.Error(), "\n")
		require.Len(t, hist.Epochs, 1)
		require.Equal(t, 6, hist.Steps)

		want, ctx, cancel := stopAt(t, be, 6)
		defer cancel()
		cancelled := cfg
		cancelled.Progress = want.progress
		_, err = Fit(ctx, want.clf, stripes{64, 1}, cancelled)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, want.clf.Weights(), clf.Weights())
	})
}

// TestFitKeepsLastFinite checks that a step to weights that are not finite is taken back.
func TestFitKeepsLastFinite(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf := tiny(t, be)
		before := clf.Weights()
		// The decay alone turns every weight into an infinity.
		_, err := Fit(t.Context(), clf, stripes{32, 1}, Config{LearningRate: 1e38, WeightDecay: 1e38})
		require.ErrorIs(t, err, ErrDiverged)
		require.ErrorContains(t, err, "epoch 1, batch 1 (step 1)")
		require.Equal(t, before, clf.Weights())
	})
}

// TestFitBatches checks what happens to the images that do not fill a batch.
func TestFitBatches(t *testing.T) {
	for _, c := range []struct{ images, batch, steps int }{{10, 0, 1}, {10, 4, 3}, {12, 4, 3}, {65, 0, 2}, {1, 1, 1}} {
		hist, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{c.images, 1}, Config{Epochs: 1, BatchSize: c.batch})
		require.NoError(t, err)
		require.Equal(t, c.steps, hist.Steps, "%d images, batches of %d", c.images, c.batch)
	}
}
