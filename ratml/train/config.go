package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// Off turns off what a zero setting would set to its default.
const Off = -1

// Config describes a training run. The zero value of every field is usable.
type Config struct {
	Objective Objective // what is minimised; nil means Plain
	Epochs    int       // passes through the set; 0 means 10

	// FinalObjective takes the place of Objective in the last FinalEpochs epochs, for example the same without mixup;
	// nil for none.
	FinalObjective Objective
	FinalEpochs    int

	// BatchSize is the number of images a step, over all devices; 0 means 64, or all images of a smaller set. The last
	// batch of an epoch has what is left.
	BatchSize int
	DropLast  bool // leave out a last batch that is not full, which has other images each epoch

	Optimizer        Optimizer // nil means SGD
	LearningRate     float64   // at its peak; 0 means 0.1, and 1e-3 with AdamW
	WeightDecay      float64   // 0 means 1e-4; Off is none
	DecayWeightsOnly bool      // no decay of batch normalisation and biases

	// Schedule gives the learning rate of each step; nil means Cosine(WarmupEpochs).
	Schedule     Schedule
	WarmupEpochs float64 // epochs in which the learning rate rises to its peak; ignored if Schedule is set

	ClipNorm       float64 // largest L2 norm of the gradient of all weights, which is scaled down to it; 0 is no limit
	Accumulate     int     // batches whose gradients are averaged for one update; 0 is 1. Statistics of batch normalisation are those of each batch
	LabelSmoothing float64 // share of a label that is spread over all classes, in [0,1)

	// BFloat16 multiplies in bfloat16: convolutions and linear layers, forward and backward. Weights, batch
	// normalisation and losses stay in float32.
	BFloat16 bool

	// Averaging keeps an average of the weights, which the classifier has in the end; nil for none.
	Averaging Averaging

	// Devices is the number of devices that every batch is divided over; 0 is one. All have the same weights. A batch
	// that does not divide is computed by every device as a whole. Results are the same up to rounding.
	Devices int
	// LocalBatchNorm normalises each device's share of a batch with its own statistics, as PyTorch's
	// DistributedDataParallel does without SyncBatchNorm. The running ones are those of the first device.
	LocalBatchNorm bool

	Seed    uint64            // of the order of images, of Augment and of the objective's random values
	Augment dataset.Transform // applied to every training image, in parallel with the device; nil for none
	Workers int               // batches that are read and augmented at the same time; 0 means one a CPU. It changes no result

	// Validation images are evaluated after each epoch, nil for none, and every ValidateEvery steps if that is not 0.
	Validation    dataset.Set
	ValidateEvery int

	// Checkpoints, if not nil, says where the state of the training is kept, and whether to go on from there.
	Checkpoints *Checkpoints

	// Progress is called after every step, with the number of steps taken and to take and a short note.
	Progress func(done, total int, note string)

	// OnStep is called after every step, OnEpoch after every epoch, when the classifier has its weights, and both before
	// a checkpoint of it is written. An error ends the training. See [Logger], [Board] and [JSONLines].
	OnStep  func(Step) error
	OnEpoch func(Epoch) error
}

// complete returns the configuration with defaults filled in, or what is wrong with it.
func (c Config) complete(clf *nets.Classifier, set dataset.Set) (Config, error) {
	if clf == nil || clf.Arch == nil || clf.Backend == nil {
		return c, errors.New("no classifier to train")
	}
	if err := fits(clf.Arch, set, "training"); err != nil {
		return c, err
	}
	if c.Validation != nil {
		if err := fits(clf.Arch, c.Validation, "validation"); err != nil {
			return c, err
		}
	}
	if c.Objective == nil {
		c.Objective = Plain{}
	}
	if c.Optimizer == nil {
		c.Optimizer = SGD{}
	}
	for _, part := range []any{c.Objective, c.FinalObjective, c.Optimizer, c.Averaging, c.Checkpoints} {
		if p, ok := part.(interface{ Check() error }); ok && part != nil {
			if err := p.Check(); err != nil {
				return c, err
			}
		}
	}
	c, err := c.counts(set.Len())
	if err != nil {
		return c, err
	}
	if n := clf.Backend.Devices(); c.Devices > n {
		return c, fmt.Errorf("%d devices: %s has %d", c.Devices, clf.Backend.Kind(), n)
	}
	return c.rates()
}

// counts completes the settings that are whole numbers, for a set of so many images.
func (c Config) counts(images int) (Config, error) {
	for _, s := range []struct {
		name     string
		value    *int
		fallback int
	}{
		{"Epochs", &c.Epochs, 10},
		{"BatchSize", &c.BatchSize, min(64, images)},
		{"Accumulate", &c.Accumulate, 1},
		{"Devices", &c.Devices, 1},
		{"FinalEpochs", &c.FinalEpochs, 0},
		{"ValidateEvery", &c.ValidateEvery, 0},
		{"Workers", &c.Workers, 0},
	} {
		if *s.value < 0 {
			return c, fmt.Errorf("%s is %d, want a positive number, or 0 for the default", s.name, *s.value)
		}
		*s.value = orDefault(*s.value, s.fallback)
	}
	switch {
	case c.BatchSize > images:
		return c, fmt.Errorf("batches of %d images, but there are only %d to train on", c.BatchSize, images)
	case c.BatchSize < c.Devices:
		return c, fmt.Errorf("batches of %d images for %d devices: want one image a device at least", c.BatchSize, c.Devices)
	case c.LocalBatchNorm && c.BatchSize%c.Devices != 0:
		return c, fmt.Errorf("batches of %d images for %d devices with statistics of their own: want a multiple", c.BatchSize, c.Devices)
	case c.FinalEpochs > c.Epochs:
		return c, fmt.Errorf("the last %d of %d epochs", c.FinalEpochs, c.Epochs)
	case c.FinalEpochs > 0 && c.FinalObjective == nil:
		return c, fmt.Errorf("no objective for the last %d epochs", c.FinalEpochs)
	case c.averagesFrom() >= c.Epochs:
		return c, fmt.Errorf("weights are averaged after epoch %d, but there are %d", c.averagesFrom(), c.Epochs)
	case c.ValidateEvery > 0 && c.Validation == nil:
		return c, fmt.Errorf("no images for the validation every %d steps", c.ValidateEvery)
	}
	return c, nil
}

// averagesFrom returns the epochs before those whose weights SWA averages.
func (c Config) averagesFrom() int {
	s, _ := c.Averaging.(SWA)
	return s.From
}

// rates completes the settings that are real numbers.
func (c Config) rates() (Config, error) {
	rate := 0.1
	if _, ok := c.Optimizer.(AdamW); ok {
		rate = 1e-3
	}
	for _, s := range []struct {
		name     string
		value    *float64
		fallback float64
		most     float64
		canBeOff bool
	}{
		{"LearningRate", &c.LearningRate, rate, math.MaxFloat32, false},
		{"WeightDecay", &c.WeightDecay, 1e-4, math.MaxFloat32, true},
		{"WarmupEpochs", &c.WarmupEpochs, 0, math.MaxFloat32, false},
		{"ClipNorm", &c.ClipNorm, 0, math.MaxFloat32, false},
		{"LabelSmoothing", &c.LabelSmoothing, 0, 1, false},
	} {
		switch v := *s.value; {
		case v == Off && s.canBeOff:
			*s.value = 0
		case !(v >= 0 && v <= s.most): // also NaN
			return c, fmt.Errorf("%s is %v, want a number from 0 (for the default) to %.3g", s.name, v, s.most)
		case v == 0:
			*s.value = s.fallback
		}
	}
	if c.Schedule == nil {
		if c.WarmupEpochs >= float64(c.Epochs) {
			return c, fmt.Errorf("a warm-up of %v epochs leaves nothing of %d epochs", c.WarmupEpochs, c.Epochs)
		}
		c.Schedule = Cosine(c.WarmupEpochs)
	}
	return c, nil
}

// decay returns the weight decay of a parameter.
func (c Config) decay(p nets.Param) float64 {
	if c.DecayWeightsOnly && p.Kind != nets.ConvWeight && p.Kind != nets.LinearWeight {
		return 0
	}
	return c.WeightDecay
}

// fits returns an error where an architecture cannot be used with a set of images.
func fits(a *nets.Arch, set dataset.Set, role string) error {
	if set == nil || set.Len() == 0 {
		return fmt.Errorf("no %s images", role)
	}
	if s, in := set.Shape(), a.Input; s != dataset.Shape(in) {
		return fmt.Errorf("%s takes images of %dx%dx%d, the %s images are %v", a.Name, in.Height, in.Width, in.Channels, role, s)
	}
	if n := len(set.Classes()); n > a.Classes {
		return fmt.Errorf("%s tells %d classes apart, the %s images have %d", a.Name, a.Classes, role, n)
	}
	return nil
}

// orDefault returns v, or fallback where v is zero.
func orDefault[T int | float64](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}
