package train

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

func mulScalarNode(x, scalar *Node) *Node { return Mul(x, scalar) }

// softmaxNet is a linear net of three classes with images and labels for it.
func softmaxNet(t *testing.T, n int) (a *nets.Arch, w nets.Weights, images []float32, labels []int32) {
	a, w = linear(t, nets.Input{Height: 1, Width: 2, Channels: 1}, [][]float32{{1, 0}, {0, 1}, {0.5, -0.5}}, []float32{0.1, 0, -0.1})
	rng := rand.New(rand.NewPCG(3, 4))
	for range n {
		images = append(images, rng.Float32(), rng.Float32())
		labels = append(labels, int32(rng.IntN(3)))
	}
	return a, w, images, labels
}

// TestAccumulate compares a step on six images with three steps on two each whose gradients are averaged.
func TestAccumulate(t *testing.T) {
	a, w, images, labels := softmaxNet(t, 6)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, opt := range []Optimizer{SGD{}, AdamW{}} {
			whole := newTrial(t, be, a, w, Config{Objective: Plain{}, Optimizer: opt, WeightDecay: 0.1, Averaging: EMA{Decay: 0.5}})
			parts := newTrial(t, be, a, w, Config{Objective: Plain{}, Optimizer: opt, WeightDecay: 0.1, Averaging: EMA{Decay: 0.5}, Accumulate: 3})
			for update := 1; update <= 2; update++ {
				whole.advance(t, pace{0.5, update, 1}, images, labels)
				for k, weight := range []float64{0, 0, 1. / 3} {
					before := parts.weights(t)
					parts.advance(t, pace{0.5, update, weight}, images[4*k:4*k+4], labels[2*k:2*k+2])
					if weight == 0 {
						require.Equal(t, before, parts.weights(t))
					}
				}
				for name, tensor := range whole.weights(t) {
					require.InDeltaSlice(t, tensor.Data, parts.weights(t)[name].Data, 1e-6)
				}
				want, err := whole.state.averaged(whole.step.layout)
				require.NoError(t, err)
				got, err := parts.state.averaged(parts.step.layout)
				require.NoError(t, err)
				require.NotEqual(t, whole.weights(t), want)
				for name, tensor := range want {
					require.InDeltaSlice(t, tensor.Data, got[name].Data, 1e-6)
				}
			}
		}
	})
}

// TestAccumulateUneven checks the weights of gradients at the end of an epoch of five batches, two by two.
func TestAccumulateUneven(t *testing.T) {
	r, err := start(tiny(t, backendtest.Go(t)), stripes{20, 1}, completed(t, Config{BatchSize: 4, Accumulate: 2}, stripes{20, 1}))
	require.NoError(t, err)
	defer r.free()
	var weights []float64
	for r.at.Batch < 5 {
		p := r.pace()
		weights = append(weights, p.weight)
		r.at.Batch++
	}
	require.Equal(t, []float64{0, 0.5, 0, 0.5, 1}, weights)
}

func completed(t *testing.T, cfg Config, set stripes) Config {
	cfg, err := cfg.complete(tiny(t, backendtest.Go(t)), set)
	require.NoError(t, err)
	return cfg
}

// TestLabelSmoothing compares with the definition of torch.nn.functional.cross_entropy.
func TestLabelSmoothing(t *testing.T) {
	a, w, images, labels := softmaxNet(t, 5)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		plain := newTrial(t, be, a, w, Config{Objective: Plain{}}).advance(t, pace{0, 1, 1}, images, labels)
		uniform := 0.0
		for k := range int32(3) {
			o := newTrial(t, be, a, w, Config{Objective: Plain{}}).advance(t, pace{0, 1, 1}, images, []int32{k, k, k, k, k})
			uniform += o.clean / 3
		}
		smooth := newTrial(t, be, a, w, Config{Objective: Plain{}, LabelSmoothing: 0.2}).advance(t, pace{0, 1, 1}, images, labels)
		require.InDelta(t, 0.8*plain.clean+0.2*uniform, smooth.clean, 1e-6)
		require.InDelta(t, smooth.clean, smooth.total, 1e-6)
	})
}

// TestDecayWeightsOnly makes a step of rate 1 on weights whose gradient is known from one without decay.
func TestDecayWeightsOnly(t *testing.T) {
	a, w, images, labels := softmaxNet(t, 5)
	be := backendtest.Go(t)
	step := func(cfg Config) nets.Weights {
		cfg.Objective = Plain{}
		r := newTrial(t, be, a, w, cfg)
		r.advance(t, pace{1, 1, 1}, images, labels)
		return r.weights(t)
	}
	none, all, some := step(Config{}), step(Config{WeightDecay: 0.1}), step(Config{WeightDecay: 0.1, DecayWeightsOnly: true})
	for i, v := range w["fc.bias"].Data {
		require.InDelta(t, none["fc.bias"].Data[i]-0.1*v, all["fc.bias"].Data[i], 1e-6)
	}
	require.Equal(t, none["fc.bias"], some["fc.bias"])
	require.Equal(t, all["fc.weight"], some["fc.weight"])
	require.NotEqual(t, none["fc.weight"], some["fc.weight"])
}

// TestClipNorm checks that a step is as long as the gradient may be, and what is told of the gradient.
func TestClipNorm(t *testing.T) {
	a, w, images, labels := softmaxNet(t, 5)
	be := backendtest.Go(t)
	step := func(limit float64) (float64, float64) {
		r := newTrial(t, be, a, w, Config{Objective: Plain{}, ClipNorm: limit})
		o := r.advance(t, pace{1, 1, 1}, images, labels)
		var before, after []float32
		for _, p := range a.Params {
			before, after = append(before, w[p.Name].Data...), append(after, r.weights(t)[p.Name].Data...)
		}
		length := 0.0
		for i := range before {
			length += float64(before[i]-after[i]) * float64(before[i]-after[i])
		}
		return o.norm * o.norm, length
	}
	norm, free := step(0)
	require.InEpsilon(t, norm, free, 1e-4)
	told, clipped := step(0.01)
	require.Equal(t, norm, told)
	require.InEpsilon(t, 1e-4, clipped, 1e-3)
}

// TestBFloat16 compares a mixed-precision training with one in float32: near, but not the same.
func TestBFloat16(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		fit := func(half bool) float64 {
			hist, err := Fit(t.Context(), tiny(t, be), stripes{64, 1}, Config{Objective: RAT{}, Epochs: 4, BatchSize: 16, BFloat16: half})
			require.NoError(t, err)
			return hist.Epochs[3].Loss
		}
		full, half := fit(false), fit(true)
		require.NotEqual(t, full, half)
		require.InEpsilon(t, full, half, 0.05)
	})
}

// TestFinalObjective checks which epochs have which objective.
func TestFinalObjective(t *testing.T) {
	hist, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{32, 1}, Config{
		Objective: Plain{}, FinalObjective: RAT{}, FinalEpochs: 2, Epochs: 5, BatchSize: 16,
	})
	require.NoError(t, err)
	for i, e := range hist.Epochs {
		require.Equal(t, i < 3, e.AdversarialLoss != e.AdversarialLoss, "epoch %d", i+1)
	}
}

// TestValidateEvery counts evaluations within epochs.
func TestValidateEvery(t *testing.T) {
	var at []int
	_, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{64, 1}, Config{
		Epochs: 2, BatchSize: 16, Validation: stripes{8, 2}, ValidateEvery: 3,
		OnStep: func(s Step) error {
			if s.ValAccuracy == s.ValAccuracy {
				at = append(at, s.Step)
			}
			return nil
		},
	})
	require.NoError(t, err)
	require.Equal(t, []int{3, 6}, at)
}
