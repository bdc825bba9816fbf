package confidence_test

import (
	"context"
	"math"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/weights"
)

func goldenNet(tb testing.TB, be *backend.Backend) *nets.Classifier {
	tb.Helper()
	c, err := weights.Open(be, "wrn10_1_cifar10", golden.Dir()+"/weights_rat.safetensors")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func goldenSet(tb testing.TB, n int) dataset.Set {
	tb.Helper()
	d, err := dataset.Open("cifar10", dataset.Config{Dir: golden.Dir()})
	if err != nil {
		tb.Fatal(err)
	}
	return dataset.Take(d.Test, n)
}

// Values that the official code computed in float64 for the first 64 images. Where the score is a difference of
// probabilities near 0 or 1, the float32 logits behind ours leave an absolute error.
func TestGoldenScores(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	tests := map[string]confidence.Direct{
		"MSR": confidence.MSR{}, "ODIN_T1000": confidence.ODIN{Temperature: 1000}, "ODIN_T2": confidence.ODIN{Temperature: 2},
		"NE": confidence.NE{}, "HPS": confidence.HPS{}, "DOCTOR": confidence.DOCTOR{},
		"DOCTOR_T2": confidence.DOCTOR{Temperature: 2}, "tfDOCTOR": confidence.TFDOCTOR{}, "MLS": confidence.MLS{},
		"ratio": confidence.Ratio{}, "logiDiff": confidence.LogitDiff{}, "softLogiDiff": confidence.SoftLogitDiff{},
		"linear_mix": confidence.LinearMix{}, "thr": confidence.Thresholded{}, "tunedLD": confidence.TunedLogitDiff{},
	}
	logits := golden.Read[float32](f, "logits")
	for name, s := range tests {
		for i, want := range f.Float64("s64_" + name) {
			got := s.Values(logits, 10, nil)[i]
			if d := math.Abs(got - want); d > 2e-6 && d > 1e-5*math.Abs(want) {
				t.Errorf("%s of image %d is %.8g, want %.8g", name, i, got, want)
				break
			}
		}
	}
}

func TestGoldenRun(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		n := 1000
		if be.Kind() == backend.KindGo {
			n = 200
		}
		s := confidence.Scorer{BatchSize: 100, Protocol: radius.Official}
		run, err := s.Run(context.Background(), goldenNet(t, be), goldenSet(t, n), confidence.All(radius.Official)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, sc := range run.Scores {
			name := sc.Name
			if name == "ODIN" {
				name = "MSR"
			}
			want := f.Float64("full_" + name)[:n]
			bad, worst := 0, 0.0
			for i := range want {
				d := math.Abs(sc.Values[i]-want[i]) / math.Max(math.Abs(want[i]), 1e-3)
				if d > 1e-4 {
					bad++
				}
				worst = max(worst, d)
			}
			t.Logf("%-14s worst %.2g, %d off, cost %.2f", sc.Name, worst, bad, sc.Cost)
		}
	})
}
