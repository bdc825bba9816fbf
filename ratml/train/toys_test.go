package train

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// tiny returns a classifier with two convolutions for the images of stripes.
func tiny(t testing.TB, be *backend.Backend) *nets.Classifier {
	a, err := nets.NewArch("tiny", nets.Input{Height: 8, Width: 8, Channels: 1}, 4, []float32{0.5}, []float32{0.25},
		func(p *nets.Pass, x *Node) *Node {
			x = nets.ReLU(p.ConvBatchNorm("conv1", "bn1", x, 8, 3, 1, 1))
			x = nets.ReLU(p.ConvBatchNorm("conv2", "bn2", x, 16, 3, 2, 1))
			return p.Linear("fc", nets.GlobalMean(x), 4)
		})
	require.NoError(t, err)
	clf, err := nets.NewClassifier(be, a, a.Init(1))
	require.NoError(t, err)
	return clf
}

// stripes is a set of n noisy images of 8x8 pixels: plain, lying, standing or chequered, by class. An image depends on
// its number and on the seed alone.
type stripes struct {
	n    int
	seed uint64
}

func (s stripes) Len() int           { return s.n }
func (stripes) Shape() dataset.Shape { return dataset.Shape{Height: 8, Width: 8, Channels: 1} }
func (stripes) Classes() []string    { return []string{"plain", "lying", "standing", "chequered"} }

func (s stripes) Read(i int, dst []float32) (int, error) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
	class, phase := i%4, rng.IntN(2)
	for p := range dst {
		bright := phase + class&1*(p/8) + class>>1*(p%8)
		dst[p] = 0.3 + 0.2*float32(bright%2) + 0.5*rng.Float32()
	}
	return class, nil
}

// trial is a training step by itself, with its state.
type trial struct {
	be    *backend.Backend
	step  *step
	state state
}

// newTrial makes the step of a configuration, whose defaults are not filled in but for what the step cannot do without.
func newTrial(t testing.TB, be *backend.Backend, a *nets.Arch, w nets.Weights, cfg Config) *trial {
	if cfg.Optimizer == nil {
		cfg.Optimizer = SGD{Momentum: Off}
	}
	cfg.Accumulate, cfg.Devices = max(1, cfg.Accumulate), max(1, cfg.Devices)
	l := newLayout(a, cfg)
	r := &trial{be: be, step: newStep(l, cfg, cfg.Objective)}
	t.Cleanup(r.step.free)
	var err error
	r.state, err = upload(be, cfg.Devices, l.initial(w))
	require.NoError(t, err)
	t.Cleanup(func() { r.state.free() })
	return r
}

// reset makes the state that of a training that starts with weights w.
func (r *trial) reset(t testing.TB, w nets.Weights) {
	r.state.free()
	var err error
	r.state, err = upload(r.be, r.step.cfg.Devices, r.step.layout.initial(w))
	require.NoError(t, err)
}

// advance makes a step on the images, which the next one goes on from.
func (r *trial) advance(t testing.TB, at pace, images []float32, labels []int32, feed ...any) outcome {
	b := &dataset.Batch{Images: images, Labels: labels, N: len(labels)}
	o, err := r.step.advance(r.be, &r.state, at, b, feed, new(Profile))
	require.NoError(t, err)
	return o
}

// weights returns the weights after the steps so far.
func (r *trial) weights(t testing.TB) nets.Weights {
	w, err := r.state.weights(r.step.layout)
	require.NoError(t, err)
	return w
}

// slots returns the optimiser's buffers after the steps so far, by parameter.
func (r *trial) slots(t testing.TB) map[string][][]float32 {
	l := r.step.layout
	first := len(l.arch.Params)
	list, err := r.state.download(l, first, first+l.slots*l.trainable())
	require.NoError(t, err)
	m := map[string][][]float32{}
	for _, p := range l.arch.Params {
		for range l.slots {
			if p.Trainable() {
				m[p.Name] = append(m[p.Name], list[0].Data)
				list = list[1:]
			}
		}
	}
	return m
}
