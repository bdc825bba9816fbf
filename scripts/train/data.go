package main

import (
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// images are those that a training needs. Validation and test may be nil.
type images struct{ training, validation, test dataset.Set }

// open opens the data set and splits its training images. Generated images get the size that the network takes.
func (o options) open(s *settings, a *nets.Arch) (images, error) {
	data, err := dataset.Open(s.dataset, o.dataConfig(o.DataDir, a))
	if err != nil {
		return images{}, err
	}
	all, err := data.Training()
	if err != nil {
		return images{}, err
	}
	validation, err := o.kept(s, all.Len())
	if err != nil {
		return images{}, err
	}
	size := o.TrainSize
	if size == 0 {
		size = all.Len() - validation
	}
	if size < 1 || size+validation > all.Len() {
		return images{}, fmt.Errorf("%d images to train on (--train_size) and %d for validation (--val_size): there are %d", size, validation, all.Len())
	}
	parts, err := dataset.Split(all, o.Seed, validation, size)
	if err != nil {
		return images{}, err
	}
	if most := len(all.Classes()); most > a.Classes {
		return images{}, fmt.Errorf("the data set %s has %d classes, %s tells %d apart", s.dataset, most, a.Name, a.Classes)
	}
	i := images{training: parts[1], test: data.Test}
	if i.training, err = s.cropFiles(i.training); err != nil {
		return images{}, err
	}
	switch {
	case validation > 0:
		i.validation = parts[0]
	case o.Protocol == "official":
		i.validation = data.Test // as officially
	case s.ValidateEvery > 0:
		return i, errors.New("--val_check_interval without images to validate on: keep some back with --val_size or --val_split")
	}
	return i, nil
}

func (o options) dataConfig(dir string, a *nets.Arch) dataset.Config {
	return dataset.Config{Dir: dir, Seed: o.Seed, Preprocess: a.Preparation(), Synthetic: dataset.SyntheticConfig{Shape: dataset.Shape(a.Input), Classes: a.Classes}}
}

// kept returns how many of n training images are for validation.
func (o options) kept(s *settings, n int) (int, error) {
	switch {
	case o.ValSize != nil && o.ValSplit != 0:
		return 0, usageError{errors.New("--val_size and --val_split say the same, give one of them")}
	case o.ValSize != nil && *o.ValSize < 0 || !(o.ValSplit >= 0 && o.ValSplit < 1):
		return 0, usageError{errors.New("--val_size must not be negative, --val_split be from 0 to less than 1")}
	case o.ValSize != nil:
		return *o.ValSize, nil
	case o.ValSplit > 0:
		return int(o.ValSplit*float64(n) + 0.5), nil
	}
	return s.keptBack, nil
}

// openOutliers gives OpenMix its outliers, which are changed like training images.
func (o options) openOutliers(s *settings, a *nets.Arch) error {
	mix, ok := s.Objective.(train.OpenMix)
	if !ok {
		return nil
	}
	data, err := dataset.Open(o.Outliers, o.dataConfig(o.OutliersDir, a))
	if err != nil {
		return fmt.Errorf("--outliers: %w", err)
	}
	if mix.Outliers, err = data.Training(); err != nil {
		return fmt.Errorf("--outliers: %w", err)
	}
	if have := mix.Outliers.Shape(); have != dataset.Shape(a.Input) {
		return fmt.Errorf("--outliers %s: its images are %v, %s takes %v", o.Outliers, have, a.Name, dataset.Shape(a.Input))
	}
	mix.Augment = s.Augment
	s.Objective = mix
	return nil
}

// fitBatch completes the number of images of a step.
func (s *settings) fitBatch(o options, images int) error {
	if s.perDevice > 0 {
		s.BatchSize = s.perDevice * s.Devices
	}
	if s.BatchSize <= images {
		return nil
	}
	if o.BatchSize == nil && o.Recipe == "" {
		s.BatchSize = max(s.Devices, images/s.Devices*s.Devices)
		return nil
	}
	return fmt.Errorf("a step takes %d images (--batch_size times --devices), but there are only %d to train on", s.BatchSize, images)
}

// mean returns the mean colour that an architecture subtracts, or nil if there is no such architecture.
func mean(arch string) []float32 {
	a, err := nets.Lookup(arch)
	if err != nil {
		return nil
	}
	return a.Mean
}
