package train

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCosineOfficial compares with the rates of the official recipe, from the two formulas of its schedulers: PyTorch's
// LambdaLR with rel + (1-rel)*(cos(pi+pi*e/5)+1)/2, then CosineAnnealingLR over the other 495 epochs.
func TestCosineOfficial(t *testing.T) {
	schedule := PerEpoch(Cosine(5))
	rel := 1e-8 / 0.2
	for e := range 500 {
		want := 0.2 * (rel + (1-rel)*(math.Cos(math.Pi+math.Pi*float64(e)/5)+1)/2)
		if e >= 5 {
			want = 0.2 * (1 + math.Cos(math.Pi*float64(e-5)/495)) / 2
		}
		for _, within := range []float64{0, 0.3, 0.999} {
			require.InDelta(t, want, schedule(0.2, float64(e)+within, 500), 1e-12, "epoch %d", e)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name        string
		schedule    Schedule
		epoch, want float64
	}{
		{"no warm-up", Cosine(0), 0, 1},
		{"a third", Cosine(0), 10.0 / 3, 0.75},
		{"half", Cosine(0), 5, 0.5},
		{"end", Cosine(0), 10, 0},
		{"start of the warm-up", Cosine(2), 0, 1e-8},
		{"half of the warm-up", Cosine(2), 1, 0.5},
		{"peak", Cosine(2), 2, 1},
		{"half of the rest", Cosine(2), 6, 0.5},
		{"end after warm-up", Cosine(2), 10, 0},
		{"constant, start", Constant(2), 0, 1e-8},
		{"constant, half of the warm-up", Constant(2), 1, 0.5},
		{"constant, later", Constant(2), 9.9, 1},
		{"constant, no warm-up", Constant(0), 0, 1},
		{"per epoch", PerEpoch(Cosine(0)), 5.9, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.InDelta(t, c.want, c.schedule(1, c.epoch, 10), 2e-8)
			require.InDelta(t, 3*c.want, c.schedule(3, c.epoch, 10), 6e-8)
		})
	}
}

func FuzzCosine(f *testing.F) {
	f.Add(0.2, 2.5, 5.0, 500.0)
	f.Add(1.0, 0.0, 0.0, 1.0)
	f.Fuzz(func(t *testing.T, peak, epoch, warmup, epochs float64) {
		if !(peak >= 1e-8 && peak < 1e9 && epochs > 0 && epochs < 1e9 && epoch >= 0 && epoch < epochs && warmup >= 0 && warmup < epochs) {
			return
		}
		if lr := Cosine(warmup)(peak, epoch, epochs); !(lr >= 0 && lr <= peak*(1+1e-9)) {
			t.Errorf("rate %v outside [0,%v]", lr, peak)
		}
	})
}
