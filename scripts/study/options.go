package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/radius"
)

// scores are computed of every net.
var scores = []string{"MSR", "MLS", "DOCTOR", "RR_fast", "RR_exp", "RR_soft", "RR_fgsm"}

// fill sets the defaults of flags that take lists.
func (o *options) fill() {
	if len(o.Datasets) == 0 {
		o.Datasets = []string{"fashion_mnist"}
	}
	if len(o.StepSizes) == 0 {
		o.StepSizes = []float64{0.0003, 0.001, 0.003, 0.01, 0.03}
	}
	if len(o.Figures) == 0 {
		o.Figures = []string{"MSR", "RR_fgsm"}
	}
}

func (o options) check() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"--seeds", o.Seeds, 1}, {"--epochs", o.Epochs, 1}, {"--batch_size", o.BatchSize, 1}, {"--val_size", o.ValSize, 1},
		{"--train_size", o.TrainSize, 0}, {"--test_size", o.TestSize, 0}, {"--resamples", o.Resamples, 0},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s %d: want %d or more", f.name, f.value, f.least)
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"--learning_rate", o.LearningRate}, {"--mixup_alpha", o.MixupAlpha}} {
		if !(f.value > 0) || math.IsInf(f.value, 1) {
			return fmt.Errorf("%s %v: want a positive number", f.name, f.value)
		}
	}
	if !(o.WeightDecay >= 0) || !(o.StepSize >= 0) || math.IsInf(o.WeightDecay+o.StepSize, 1) {
		return fmt.Errorf("--weight_decay %v and --step_size %v must not be negative", o.WeightDecay, o.StepSize)
	}
	if !(o.WarmupEpochs >= 0 && o.WarmupEpochs < float64(o.Epochs)) {
		return fmt.Errorf("--warmup_epochs %v: want less than the %d epochs", o.WarmupEpochs, o.Epochs)
	}
	if !slices.Contains([]string{"auto", "none", "crop_flip"}, o.Augment) {
		return fmt.Errorf("--augment %q: want auto, none or crop_flip", o.Augment)
	}
	for i, eps := range o.StepSizes {
		if !(eps > 0) || math.IsInf(eps, 1) || slices.Contains(o.StepSizes[:i], eps) {
			return fmt.Errorf("--step_sizes %v: want positive numbers, each once", o.StepSizes)
		}
	}
	return o.checkNames()
}

func (o options) checkNames() error {
	for i, d := range o.Datasets {
		if slices.Contains(o.Datasets[:i], d) || d == "synthetic" {
			return fmt.Errorf("--dataset %s: want mnist, fashion_mnist or cifar10, each once", strings.Join(o.Datasets, " "))
		}
	}
	for _, name := range append([]string{o.ChooseBy}, o.Figures...) {
		if !slices.Contains(scores, name) {
			return fmt.Errorf("--choose_by and --figure_scores: there is no score %q, only %s", name, strings.Join(scores, ", "))
		}
	}
	var names []string
	for _, t := range treatments(o.MixupAlpha) {
		names = append(names, t.name)
	}
	for _, name := range o.Only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--only: there is no way of training %q, only %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// functions returns the scores.
func functions() ([]confidence.Function, error) {
	var out []confidence.Function
	for _, name := range scores {
		f, err := confidence.ByName(name, radius.Sound)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// command is the line that makes the same tables and figures again on the same backend.
func (o options) command() string {
	line := fmt.Sprintf("go run ./scripts/study --dataset %s --seeds %d --epochs %d --train_size %d --val_size %d --test_size %d "+
		"--batch_size %d --learning_rate %g --weight_decay %g --warmup_epochs %g --augment %s --mixup_alpha %g --step_sizes %s "+
		"--step_size %g --choose_by %s --figure_scores %s --resamples %d",
		strings.Join(o.Datasets, " "), o.Seeds, o.Epochs, o.TrainSize, o.ValSize, o.TestSize, o.BatchSize, o.LearningRate, o.WeightDecay,
		o.WarmupEpochs, o.Augment, o.MixupAlpha, strings.Trim(fmt.Sprint(o.StepSizes), "[]"), o.StepSize, o.ChooseBy,
		strings.Join(o.Figures, " "), o.Resamples)
	if o.Arch != "" {
		line += " --arch " + o.Arch
	}
	if o.Backend != "" {
		line += " --backend " + o.Backend
	}
	if len(o.Only) > 0 {
		line += " --only " + strings.Join(o.Only, " ")
	}
	return line
}
