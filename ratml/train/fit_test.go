package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// tiny returns a classifier with two convolutions for the images of shapes.
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
	for _, c := range []struct{ images, batch, steps int }{{10, 64, 1}, {10, 4, 2}, {12, 4, 3}, {65, 0, 1}, {1, 1, 1}} {
		hist, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{c.images, 1}, Config{Epochs: 1, BatchSize: c.batch})
		require.NoError(t, err)
		require.Equal(t, c.steps, hist.Steps, "%d images, batches of %d", c.images, c.batch)
	}
}

// mock is a set that fails where it is told to.
type mock struct {
	dataset.Set
	classes []string
	read    func(i int, dst []float32) (int, error)
}

func (m mock) Classes() []string {
	if m.classes != nil {
		return m.classes
	}
	return m.Set.Classes()
}

func (m mock) Read(i int, dst []float32) (int, error) {
	if m.read != nil {
		return m.read(i, dst)
	}
	return m.Set.Read(i, dst)
}

// broken is an objective that panics as graph functions do.
type broken struct{ losses *Losses }

func (b broken) Loss(Batch) Losses {
	if b.losses == nil {
		panic("no such layer")
	}
	return *b.losses
}

func TestFitBadInput(t *testing.T) {
	be := backendtest.Go(t)
	train := stripes{32, 1}
	larger, err := dataset.Open("synthetic", dataset.Config{Synthetic: dataset.SyntheticConfig{TrainSize: 4, TestSize: 4}})
	require.NoError(t, err)
	wrongLabel := mock{Set: train, read: func(i int, _ []float32) (int, error) { return 4, nil }}
	unreadable := mock{Set: train, read: func(i int, _ []float32) (int, error) { return 0, errors.New("disk on fire") }}
	for _, c := range []struct {
		name string
		set  dataset.Set
		cfg  Config
		want string
	}{
		{"no set", nil, Config{}, "no training images"},
		{"empty set", dataset.Take(train, 0), Config{}, "no training images"},
		{"image size", larger.Train, Config{}, "tiny takes images of 8x8x1, the training images are 16x16x1"},
		{"validation size", train, Config{Validation: larger.Test}, "the validation images are 16x16x1"},
		{"classes", mock{Set: train, classes: make([]string, 5)}, Config{}, "tells 4 classes apart, the training images have 5"},
		{"label", wrongLabel, Config{}, "label 4 is outside [0,4)"},
		{"unreadable", unreadable, Config{}, "disk on fire"},
		{"rate", train, Config{LearningRate: -0.1}, "LearningRate is -0.1"},
		{"rate that is no number", train, Config{LearningRate: math.NaN()}, "LearningRate is NaN"},
		{"rate off", train, Config{LearningRate: Off}, "LearningRate is -1"},
		{"momentum", train, Config{Momentum: 1.1}, "Momentum is 1.1"},
		{"decay", train, Config{WeightDecay: -2}, "WeightDecay is -2"},
		{"warm-up", train, Config{Epochs: 3, WarmupEpochs: 3}, "a warm-up of 3 epochs leaves nothing of 3 epochs"},
		{"epochs", train, Config{Epochs: -1}, "-1 epochs"},
		{"batch size", train, Config{BatchSize: -8}, "batches of -8 images"},
		{"objective's settings", train, Config{Objective: RAT{StepSize: -1}}, "StepSize is -1"},
		{"objective that panics", train, Config{Objective: broken{}}, "no such layer"},
		{"objective without a loss", train, Config{Objective: broken{&Losses{}}}, "no total loss"},
		{"callback", train, Config{OnEpoch: func(Epoch) error { return errors.New("disk full") }}, "after epoch 1: disk full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(t.Context(), tiny(t, be), c.set, c.cfg)
			require.ErrorContains(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), "train: "), err.Error())
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err = Fit(t.Context(), nil, train, Config{})
	require.ErrorContains(t, err, "no classifier")
}

func TestEvaluate(t *testing.T) {
	set := stripes{50, 1}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf := tiny(t, be)
		program, err := clf.Compile("logits", func(net nets.Network, in []*Node) []*Node { return []*Node{net(in[0])} })
		require.NoError(t, err)
		defer program.Free()
		var wantLoss, wantRight float64
		pixels := make([]float32, 64)
		for i := range 50 {
			label, err := set.Read(i, pixels)
			require.NoError(t, err)
			out, err := program.RunFloats(clf.Arch.Images(pixels))
			require.NoError(t, err)
			sum, best := 0.0, 0
			for j, z := range out[0] {
				sum += math.Exp(float64(z))
				if z > out[0][best] {
					best = j
				}
			}
			wantLoss += (math.Log(sum) - float64(out[0][label])) / 50
			if best == label {
				wantRight++
			}
		}
		for _, batch := range []int{0, 7, 50, 1} {
			loss, accuracy, err := Evaluate(t.Context(), clf, set, batch)
			require.NoError(t, err)
			require.InEpsilon(t, wantLoss, loss, 1e-5)
			require.Equal(t, wantRight/50, accuracy)
		}
		_, _, err = Evaluate(t.Context(), clf, set, -1)
		require.Error(t, err)
		_, _, err = Evaluate(t.Context(), clf, dataset.Take(set, 0), 0)
		require.ErrorContains(t, err, "no evaluation images")
	})
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	log := JSONLines(&b)
	nan := math.NaN()
	require.NoError(t, log(Epoch{1, 5, 0.1, 2, nan, 0.5, nan, nan, 1, 10}))
	require.NoError(t, log(Epoch{2, 10, 0, 1, 1.5, 0.75, math.Inf(1), 0, 1, 10}))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Equal(t, `{"epoch":1,"steps":5,"lr":0.1,"loss":2,"train_accuracy":0.5,"seconds":1,"images_per_second":10}`, lines[0])
	require.Equal(t, `{"epoch":2,"steps":10,"lr":0,"loss":1,"adv_loss":1.5,"train_accuracy":0.75,"val_accuracy":0,"seconds":1,"images_per_second":10}`, lines[1])
	require.True(t, json.Valid([]byte(lines[0])))
}

func TestEpochString(t *testing.T) {
	e := Epoch{Epoch: 3, Loss: 0.25, AdversarialLoss: 0.5, TrainAccuracy: 0.875, ValAccuracy: 0.75}
	require.Equal(t, "epoch 3: loss 0.2500, adversarial 0.5000, accuracy 87.50 %, validation 75.00 %", e.String())
	e.AdversarialLoss, e.ValAccuracy = math.NaN(), math.NaN()
	require.Equal(t, "epoch 3: loss 0.2500, accuracy 87.50 %", e.String())
}
