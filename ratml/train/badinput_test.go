package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

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
		{"set too small", train, Config{BatchSize: 33}, "batches of 33 images, but there are only 32"},
		{"devices", train, Config{Devices: 1000}, "1000 devices: "},
		{"final epochs", train, Config{FinalEpochs: 2}, "no objective for the last 2 epochs"},
		{"smoothing", train, Config{LabelSmoothing: 2}, "LabelSmoothing is 2"},
		{"clipping", train, Config{ClipNorm: -3}, "ClipNorm is -3"},
		{"averaging", train, Config{Epochs: 3, Averaging: SWA{From: 3}}, "weights are averaged after epoch 3, but there are 3"},
		{"workers", train, Config{Workers: -1}, "Workers is -1"},
		{"validation", train, Config{ValidateEvery: 5}, "no images for the validation every 5 steps"},
		{"decay", train, Config{WeightDecay: -2}, "WeightDecay is -2"},
		{"warm-up", train, Config{Epochs: 3, WarmupEpochs: 3}, "a warm-up of 3 epochs leaves nothing of 3 epochs"},
		{"epochs", train, Config{Epochs: -1}, "Epochs is -1"},
		{"batch size", train, Config{BatchSize: -8}, "BatchSize is -8"},
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
