package train

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/checkpoint"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// TestUpdatesAreCounted counts the updates of five batches, two by two: AdamW corrects its moments by their number.
func TestUpdatesAreCounted(t *testing.T) {
	r, err := start(tiny(t, backendtest.Go(t)), stripes{20, 1}, completed(t, Config{BatchSize: 4, Accumulate: 2, Epochs: 2}, stripes{20, 1}))
	require.NoError(t, err)
	defer r.free()
	require.NoError(t, r.epoch(t.Context()))
	require.Equal(t, []int{5, 3}, []int{r.at.Steps, r.at.Updates})
	require.Equal(t, 4, r.pace().update)
}

// TestEMAStart checks that the average starts at the weights.
func TestEMAStart(t *testing.T) {
	a, w, _, _ := softmaxNet(t, 1)
	r := newTrial(t, backendtest.Go(t), a, w, Config{Objective: Plain{}, Averaging: EMA{}})
	got, err := r.state.averaged(r.step.layout)
	require.NoError(t, err)
	require.Equal(t, w, got)
}

// TestRawGradient compares steps along the gradient itself with its closed form: for two pixels that are the logits it
// is the probability of the wrong class, over the number of images.
func TestRawGradient(t *testing.T) {
	a, w := linear(t, nets.Input{Height: 1, Width: 2, Channels: 1}, [][]float32{{1, 0}, {0, 1}}, []float32{0, 0})
	images, labels := []float32{0.5, 0.25, 0.25, 0.5}, []int32{0, 0}
	pgd := RAT{NoFlex: true, StepSize: 0.5, PGD: &PGD{Steps: 1, StepSize: 0.25, RawGradient: true}}
	moved, _ := move(t, backendtest.Go(t), a, w, pgd, images, labels)
	for i := range labels {
		wrong := 1 / (1 + math.Exp(float64(images[2*i]-images[2*i+1])))
		require.InDelta(t, float64(images[2*i])-0.25*wrong/2, moved[2*i], 1e-6)
		require.InDelta(t, float64(images[2*i+1])+0.25*wrong/2, moved[2*i+1], 1e-6)
	}
	pgd.PGD.RawGradient = false
	moved, _ = move(t, backendtest.Go(t), a, w, pgd, images, labels)
	require.InDelta(t, images[0]-0.25, moved[0], 1e-6)
}

// TestBestIsKept compares the best checkpoint with the epoch of the highest validation accuracy, which is not the last.
func TestBestIsKept(t *testing.T) {
	dir := t.TempDir()
	hist, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{64, 1}, Config{
		Epochs: 8, BatchSize: 16, Validation: stripes{40, 2}, Checkpoints: &Checkpoints{Dir: dir},
		Schedule: func(peak, epoch, _ float64) float64 {
			if epoch >= 5 {
				return 30 // spoils what was learned
			}
			return peak
		},
	})
	require.NoError(t, err)
	best := hist.Epochs[0]
	for _, e := range hist.Epochs {
		if e.ValAccuracy > best.ValAccuracy {
			best = e
		}
	}
	require.NotEqual(t, 8, best.Epoch)
	require.NotEqual(t, 1, best.Epoch)
	s, err := checkpoint.Read(filepath.Join(dir, "best.safetensors"))
	require.NoError(t, err)
	require.Equal(t, best.Steps, s.Step)
}
