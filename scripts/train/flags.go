package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/train"
)

// spellings are the official names of flags that are called otherwise here; an empty one says nothing new.
var spellings = map[string]string{"--max_epochs": "--epochs", "--model": "--arch", "--from_scratch": ""}

// aliases replaces official spellings of flags.
func aliases(args []string) []string {
	var out []string
	for _, a := range args {
		name, value, hasValue := strings.Cut(a, "=")
		if alias, ok := spellings[name]; ok {
			a = alias
			if hasValue {
				a += "=" + value
			}
		}
		if a != "" {
			out = append(out, a)
		}
	}
	return out
}

// config returns the settings of the training, but for what depends on the data.
func (o options) config() (train.Config, error) {
	cfg := train.Config{
		Epochs: o.Epochs, BatchSize: o.BatchSize, Seed: o.Seed, WarmupEpochs: o.WarmupEpochs,
		LearningRate: o.LearningRate, Optimizer: train.SGD{Momentum: zeroIsOff(o.Momentum)}, WeightDecay: zeroIsOff(o.WeightDecay),
	}
	if o.Epochs < 1 || o.BatchSize < 1 || !(o.LearningRate > 0) || o.Momentum < 0 || o.WeightDecay < 0 {
		return cfg, errors.New("--epochs, --batch_size and --learning_rate must be positive, --momentum and --weight_decay not negative")
	}
	if o.Optimizer != "sgd" {
		return cfg, fmt.Errorf("--optimizer %q: want sgd", o.Optimizer)
	}
	switch o.Scheduler {
	case "cosine":
	case "cosine_epoch":
		cfg.Schedule = train.PerEpoch(train.Cosine(o.WarmupEpochs))
	case "constant":
		cfg.Schedule = train.Constant(o.WarmupEpochs)
	default:
		return cfg, fmt.Errorf("--scheduler %q: want cosine, cosine_epoch or constant", o.Scheduler)
	}
	if !(o.WarmupEpochs >= 0 && o.WarmupEpochs < float64(o.Epochs)) {
		return cfg, fmt.Errorf("--warmup_epochs %v: want less than the %d epochs", o.WarmupEpochs, o.Epochs)
	}
	var err error
	if cfg.Objective, err = o.objective(); err != nil {
		return cfg, err
	}
	cfg.Augment, err = o.augment()
	return cfg, err
}

func (o options) objective() (train.Objective, error) {
	if o.FlexDirection && o.Objective != "rat" {
		return nil, fmt.Errorf("--flex_direction is --objective rat, not %s", o.Objective)
	}
	if !(o.StepSize > 0) || !(o.Lambda > 0) || !(o.OriginalLambda >= 0) || math.IsInf(o.StepSize+o.Lambda+o.OriginalLambda, 0) {
		return nil, errors.New("--step_size and --lam must be positive, --ori_lam not negative")
	}
	rat := train.RAT{StepSize: o.StepSize, Lambda: o.Lambda, OriginalLambda: zeroIsOff(o.OriginalLambda), Reverse: o.Reverse}
	switch o.Objective {
	case "plain":
		return train.Plain{}, nil
	case "at":
		rat.NoFlex = true
		return rat, nil
	case "rat":
		return rat, nil
	}
	return nil, fmt.Errorf("--objective %q: want plain, at or rat", o.Objective)
}

func (o options) augment() (dataset.Transform, error) {
	kind := o.Augment
	if kind == "auto" {
		kind = "none"
		if o.Dataset == "cifar10" {
			kind = "crop_flip"
		}
	}
	switch kind {
	case "none":
		return nil, nil
	case "crop":
		return dataset.RandomCrop(4), nil
	case "crop_flip":
		return dataset.Chain(dataset.RandomCrop(4), dataset.RandomFlip()), nil
	}
	return nil, fmt.Errorf("--augment %q: want auto, none, crop or crop_flip", o.Augment)
}

// arch returns the name of the architecture.
func (o options) arch() string {
	if o.Arch != "" {
		return o.Arch
	}
	switch o.Dataset {
	case "cifar10":
		return "wrn16_2_cifar10"
	case "fashion_mnist":
		return "smallcnn_fashion_mnist"
	default:
		return "smallcnn_mnist"
	}
}

// zeroIsOff translates a flag into a setting of package train, whose zero is the default.
func zeroIsOff(v float64) float64 {
	if v == 0 {
		return train.Off
	}
	return v
}
