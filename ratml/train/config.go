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

	// BatchSize is the number of images a step, 0 means 64. A set with fewer images is one batch. Otherwise the images
	// that do not fill a last batch, different ones each epoch, are left out of that epoch.
	BatchSize int

	LearningRate float64 // at its peak; 0 means 0.1
	Momentum     float64 // 0 means 0.9; Off is none
	WeightDecay  float64 // of all parameters; 0 means 1e-4; Off is none
	WarmupEpochs float64 // epochs in which the learning rate rises to its peak; ignored if Schedule is set

	// Schedule gives the learning rate of each step; nil means Cosine(WarmupEpochs).
	Schedule Schedule

	Seed    uint64            // of the order of images and of Augment
	Augment dataset.Transform // applied to every training image, in parallel with the device; nil for none

	// Validation images are evaluated after each epoch, nil for none.
	Validation dataset.Set

	// Progress is called after every step, with the number of steps taken and to take and a short note.
	Progress func(done, total int, note string)

	// OnEpoch is called after every epoch, when the classifier has its weights. An error ends the training.
	// See [JSONLines].
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
	if o, ok := c.Objective.(interface{ Check() error }); ok {
		if err := o.Check(); err != nil {
			return c, err
		}
	}
	if c.Epochs < 0 || c.BatchSize < 0 {
		return c, fmt.Errorf("%d epochs with batches of %d images: want positive numbers, or 0 for the default", c.Epochs, c.BatchSize)
	}
	c.Epochs, c.BatchSize = orDefault(c.Epochs, 10), min(orDefault(c.BatchSize, 64), set.Len())
	return c.rates()
}

// rates completes the settings of the optimiser.
func (c Config) rates() (Config, error) {
	for _, s := range []struct {
		name     string
		value    *float64
		fallback float64
		most     float64
		canBeOff bool
	}{
		{"LearningRate", &c.LearningRate, 0.1, math.MaxFloat32, false},
		{"Momentum", &c.Momentum, 0.9, 1, true},
		{"WeightDecay", &c.WeightDecay, 1e-4, math.MaxFloat32, true},
		{"WarmupEpochs", &c.WarmupEpochs, 0, math.MaxFloat32, false},
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
