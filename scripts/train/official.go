package main

import (
	"strings"

	"github.com/ratml/rat/ratml/train"
)

// spellings are the official trainer's names of flags that are called otherwise here.
var spellings = map[string]string{"--max_epochs": "--epochs", "--model": "--arch", "--mixed_precision": "--bf16"}

// translate replaces official spellings of flags, and tells whether the command is one of the official trainer's: it has
// a flag that has no other use here.
func translate(args []string) (translated []string, official bool) {
	for _, a := range args {
		name, value, hasValue := strings.Cut(a, "=")
		switch name {
		case "--max_epochs", "--model", "--from_scratch":
			official = true
		}
		if ours, ok := spellings[name]; ok {
			a = ours
			if hasValue {
				a += "=" + value
			}
		}
		translated = append(translated, a)
	}
	return translated, official
}

// officialDefaults are those of models/train.py of Trustworthy-ML-Lab/RAT_MisD.
func officialDefaults() settings {
	return settings{
		kind: "at", dataset: "imagenet", arch: "resnet18", perDevice: 128,
		Config: train.Config{
			Objective: train.RAT{StepSize: 0.01, NoFlex: true}, Epochs: 100,
			Optimizer: train.AdamW{}, LearningRate: 5e-5, WeightDecay: 1e-4, LocalBatchNorm: true,
		},
		scheduler: "constant", perEpoch: true,
	}
}
