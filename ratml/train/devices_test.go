package train

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
)

// TestDevicesFirstStep compares a step on several devices with that on one: losses, gradients, statistics.
func TestDevicesFirstStep(t *testing.T) {
	o, be := openOfficial(t), backendtest.XLA(t)
	require.GreaterOrEqual(t, be.Devices(), 4, "XLA's CPU plugin shows four devices")
	var partner []int32
	for _, p := range golden.Read[int64](o.file, "init/flex_mixup/perm") {
		partner = append(partner, int32(p))
	}
	for _, c := range []struct {
		name      string
		objective Objective
		feed      []any
		images    int
		devices   []int
	}{
		{"RAT", RAT{}, nil, 8, []int{2, 4}},
		{"mixup", RAT{Mixup: Mixup{Alpha: 1}}, []any{float32(0.3), partner}, 8, []int{4}},
		{"a batch that does not divide", RAT{}, nil, 7, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			step := func(n int) (outcome, map[string][]float32) {
				r := newTrial(t, be, o.arch, o.weights, Config{Objective: c.objective, Optimizer: SGD{}, Devices: n})
				out := r.advance(t, pace{0.1, 1, 1}, o.images[:c.images*3072], o.labels[:c.images], c.feed...)
				for d := range n { // every device has the same state
					for i := range r.state[d] {
						require.True(t, r.state[0][i].InDelta(r.state[d][i], 0), "tensor %d of device %d", i, d)
					}
				}
				all := map[string][]float32{}
				for name, s := range r.slots(t) {
					all["gradient of "+name] = s[0]
				}
				for name, w := range r.weights(t) {
					all[name] = w.Data
				}
				return out, all
			}
			want, tensors := step(1)
			for _, n := range c.devices {
				got, others := step(n)
				require.InEpsilon(t, want.total, got.total, 1e-6)
				require.InEpsilon(t, want.adversarial, got.adversarial, 1e-6)
				require.Equal(t, want.right, got.right)
				for name, w := range tensors {
					require.LessOrEqual(t, distance(w, others[name]), 1e-6, "%s on %d devices", name, n)
				}
			}
		})
	}
}

// distance is the relative distance of b from a in the L2 norm.
func distance(a, b []float32) float64 {
	var diff, norm float64
	for i := range a {
		diff, norm = math.Hypot(diff, float64(a[i])-float64(b[i])), math.Hypot(norm, float64(a[i]))
	}
	return diff / max(norm, 1e-12)
}

// TestDevicesTraining compares the losses of 20 steps, five of them on a last batch that does not divide.
func TestDevicesTraining(t *testing.T) {
	be := backendtest.XLA(t)
	fit := func(n int, objective Objective) []float64 {
		var losses []float64
		_, err := Fit(t.Context(), tiny(t, be), stripes{64 + 13, 1}, Config{
			Objective: objective, Epochs: 4, BatchSize: 16, Devices: n, Seed: 1, Augment: dataset.RandomCrop(1),
			OnStep: func(s Step) error {
				losses = append(losses, s.Loss, s.AdversarialLoss)
				return nil
			},
		})
		require.NoError(t, err)
		require.Len(t, losses, 40)
		return losses
	}
	for _, objective := range []Objective{RAT{}, RAT{Mixup: Mixup{Alpha: 1}}} {
		t.Run(fmt.Sprintf("%+v", objective), func(t *testing.T) {
			want := fit(1, objective)
			for _, n := range []int{2, 4} {
				for i, got := range fit(n, objective) {
					require.InEpsilon(t, want[i], got, 1e-3, "step %d on %d devices", 1+i/2, n)
				}
			}
		})
	}
}

// TestLocalBatchNorm compares a step on two devices that normalise for themselves with the mean of two steps on halves
// of the batch.
func TestLocalBatchNorm(t *testing.T) {
	o, be := openOfficial(t), backendtest.XLA(t)
	step := func(cfg Config, from, to int) (outcome, *trial) {
		cfg.Objective, cfg.Optimizer = Plain{}, SGD{}
		r := newTrial(t, be, o.arch, o.weights, cfg)
		return r.advance(t, pace{0.1, 1, 1}, o.images[from*3072:to*3072], o.labels[from:to]), r
	}
	both, r := step(Config{Devices: 2, LocalBatchNorm: true}, 0, 8)
	first, r1 := step(Config{}, 0, 4)
	second, r2 := step(Config{}, 4, 8)
	require.InEpsilon(t, (first.total+second.total)/2, both.total, 1e-6)
	whole, _ := step(Config{Devices: 2}, 0, 8)
	require.Greater(t, math.Abs(whole.total-both.total), 1e-3, "statistics of the whole batch give another loss")

	half1, half2 := r1.slots(t), r2.slots(t)
	for name, got := range r.slots(t) {
		for i := range half1[name][0] {
			half1[name][0][i] = (half1[name][0][i] + half2[name][0][i]) / 2
		}
		require.LessOrEqual(t, distance(half1[name][0], got[0]), 1e-5, name)
	}
	w, w1 := r.weights(t), r1.weights(t)
	for _, p := range o.arch.Params {
		if !p.Trainable() { // the running statistics are those of the first device
			require.LessOrEqual(t, distance(w1[p.Name].Data, w[p.Name].Data), 1e-5, p.Name)
		}
	}
}

// TestDevicesEvaluation evaluates a number of images that does not divide, alone and during a training.
func TestDevicesEvaluation(t *testing.T) {
	clf := tiny(t, backendtest.XLA(t))
	loss, accuracy, err := Evaluate(t.Context(), clf, stripes{13, 1}, 5)
	require.NoError(t, err)
	clf.Devices = 4
	loss4, accuracy4, err := Evaluate(t.Context(), clf, stripes{13, 1}, 5)
	require.NoError(t, err)
	require.InEpsilon(t, loss, loss4, 1e-5)
	require.Equal(t, accuracy, accuracy4)

	fit := func(n int) Epoch {
		hist, err := Fit(t.Context(), tiny(t, backendtest.XLA(t)), stripes{16, 1}, Config{
			Epochs: 1, BatchSize: 8, Devices: n, Validation: stripes{13, 1},
		})
		require.NoError(t, err)
		return hist.Epochs[0]
	}
	require.InEpsilon(t, fit(1).ValLoss, fit(4).ValLoss, 1e-4)
}
