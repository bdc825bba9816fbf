package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/train"
)

// settings are what flags, recipe and defaults say together. What needs images or devices is still missing in Config.
type settings struct {
	train.Config
	kind      string // of the objective, as --objective names it
	dataset   string
	arch      string
	keptBack  int // training images
	perDevice int // images of a step on each device; 0 for Config.BatchSize, of all devices
	augment   []string
	changes   []dataset.Transform // the same, one by one

	scheduler string // that makes Config.Schedule; empty where there is one
	perEpoch  bool

	notes []string // what should be known of these settings
}

// settings combines the flags with the recipe or the defaults.
func (o options) settings() (settings, error) {
	s, err := o.base()
	if err != nil {
		return s, err
	}
	if err := o.counts(&s); err != nil {
		return s, err
	}
	for _, apply := range []func(options, *settings) error{
		options.objective, options.mixup, options.optimizer, options.updates, options.averaging, options.schedule,
		options.batchNorm, options.augmentation, options.output,
	} {
		if err := apply(o, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// base returns the settings of the recipe, or the defaults.
func (o options) base() (settings, error) {
	var s settings
	switch {
	case o.Protocol != "sound" && o.Protocol != "official":
		return s, fmt.Errorf("--protocol %q: want sound or official", o.Protocol)
	case o.Recipe != "" && o.Protocol == "official":
		return s, errors.New("--recipe and --protocol official: a recipe has its own settings, give one of them")
	case o.Recipe != "":
		r, err := train.FindRecipe(o.Recipe)
		if err != nil {
			return s, fmt.Errorf("--recipe: %s", oneLine(err))
		}
		s = settings{Config: r.Config, kind: kindOf(r.Config), dataset: r.Dataset, arch: r.Arch, keptBack: r.KeptBack, augment: []string{"none"}}
		if r.Config.Augment != nil {
			s.augment = []string{"crop_flip"} // in every recipe that has any
		}
	case o.Protocol == "official":
		s = officialDefaults()
		if !o.FromScratch && o.Init == "" && o.Checkpoint == "" {
			return s, errors.New("--protocol official without --from_scratch begins with pretrained weights, which are not here: give --from_scratch, or weights with --init or --ckpt")
		}
	default:
		s = settings{kind: "rat", dataset: "mnist", perDevice: 64, scheduler: "cosine"}
		s.Epochs = 10
	}
	if o.Dataset != "" && o.Dataset != s.dataset {
		s.dataset, s.arch = o.Dataset, ""
	}
	if o.Arch != "" {
		s.arch = o.Arch
	}
	if s.arch == "" {
		s.arch = defaultArch(s.dataset)
	}
	s.Seed = o.Seed
	return s, nil
}

func defaultArch(dataset string) string {
	switch name, _, _ := strings.Cut(dataset, ":"); name {
	case "cifar10", "cifar100", "svhn":
		return "wrn16_2_" + name
	case "fashion_mnist":
		return "smallcnn_fashion_mnist"
	case "mnist", "synthetic":
		return "smallcnn_mnist"
	case "tiny_imagenet", "cub":
		return "resnet18_200classes"
	case "places365":
		return "resnet18_365classes"
	}
	return "resnet18"
}

// counts applies the flags that are numbers of something.
func (o options) counts(s *settings) error {
	for _, f := range []struct {
		flag  string
		value *int
		least int
		into  *int
	}{
		{"--epochs", o.Epochs, 1, &s.Epochs},
		{"--batch_size", o.BatchSize, 1, &s.perDevice},
		{"--val_check_interval", o.ValEvery, 1, &s.ValidateEvery},
		{"--num_workers", o.Workers, 0, &s.Workers},
		{"--accumulate", o.Accumulate, 1, &s.Accumulate},
	} {
		if f.value == nil {
			continue
		}
		if *f.value < f.least {
			return fmt.Errorf("%s %d: want a number from %d on", f.flag, *f.value, f.least)
		}
		*f.into = *f.value
	}
	set(&s.DropLast, o.DropLast)
	return nil
}

// output checks the flags of the output.
func (o options) output(*settings) error {
	switch {
	case o.Out == "":
		return errors.New("--out: want a folder")
	case o.CheckpointEvery < 0 || o.Keep < 1 || o.LogEvery < 1:
		return errors.New("--checkpoint_every must not be negative, --keep and --log_every be positive")
	case o.Init != "" && o.Checkpoint != "":
		return errors.New("--init and --ckpt both say what to begin with, give one of them")
	case o.FromScratch && o.Init+o.Checkpoint != "":
		return errors.New("--from_scratch begins with random weights, --init and --ckpt with others: give one of them")
	}
	return nil
}

// set replaces a setting by the value of a flag, if it was given.
func set[T any](setting *T, flag *T) {
	if flag != nil {
		*setting = *flag
	}
}

// number is a flag that is a real number, for [setNumbers].
type number struct {
	flag  string
	value *float64
	zero  bool // is a value: off, where the setting's zero is the default
	into  *float64
}

// setNumbers replaces settings by the values of flags that were given: positive numbers, or zero where that is one.
func setNumbers(list ...number) error {
	for _, f := range list {
		if f.value == nil {
			continue
		}
		switch v := *f.value; {
		case math.IsNaN(v) || math.IsInf(v, 0) || v < 0:
			return fmt.Errorf("%s %v: want a positive number", f.flag, v)
		case v > 0:
			*f.into = v
		case f.zero:
			*f.into = train.Off
		default:
			return fmt.Errorf("%s 0: want a positive number", f.flag)
		}
	}
	return nil
}
