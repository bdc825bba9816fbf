package train

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestFMFPRates compares the learning rates with those of the official loop over PyTorch's schedulers.
func TestFMFPRates(t *testing.T) {
	rates, cfg := recorded(t).Rates, FMFP(0)
	require.Len(t, rates, cfg.Epochs)
	for epoch, want := range rates {
		for _, part := range []float64{0, 0.5} {
			require.InDelta(t, want, cfg.Schedule(cfg.LearningRate, float64(epoch)+part, 200), 1e-9, "epoch %d", epoch)
		}
	}
	averaged := 0
	for epoch := range cfg.Epochs {
		if cfg.Averaging.(SWA).averages(epoch) {
			averaged++
		}
	}
	require.Equal(t, 80, averaged)
}

// TestFMFPLearns trains on the images of stripes.
func TestFMFPLearns(t *testing.T) {
	clf, cfg := tiny(t, backendtest.Go(t)), FMFP(10)
	cfg.BatchSize = 32
	cfg.Validation = stripes{100, 2}
	hist, err := Fit(t.Context(), clf, stripes{256, 1}, cfg)
	require.NoError(t, err)
	require.Less(t, hist.Epochs[9].Loss, 0.6*hist.Epochs[0].Loss)
	_, accuracy, err := Evaluate(t.Context(), clf, stripes{100, 2}, 0)
	require.NoError(t, err)
	require.Greater(t, accuracy, 0.75)
}
