package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// epoch trains for an epoch and prints the number of steps.
func epoch(clf *nets.Classifier, set dataset.Set, cfg train.Config) {
	cfg.Epochs, cfg.BatchSize = 1, 32
	hist, err := train.Fit(context.Background(), clf, set, cfg)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("steps:", hist.Steps)
}

func ExampleCRL() {
	clf, data := open()
	epoch(clf, data.Train, train.Config{Objective: train.CRL{Weight: 0.5, Target: train.RankMargin}})
	// Output: steps: 3
}

// Sharpness-aware minimisation of another objective.
func ExampleSAM() {
	clf, data := open()
	epoch(clf, data.Train, train.Config{Objective: train.SAM{Objective: train.RAT{}, Rho: 0.05}})
	// Output: steps: 3
}

func ExampleLogitNorm() {
	clf, data := open()
	epoch(clf, data.Train, train.Config{Objective: train.LogitNorm{Temperature: 0.01}, LearningRate: 0.01})
	// Output: steps: 3
}

func ExampleRegMixup() {
	clf, data := open()
	epoch(clf, data.Train, train.Config{Objective: train.RegMixup{Alpha: 10}})
	// Output: steps: 3
}

// The network gets an output for outliers, which here are images of another generated set. Only training sees it.
func ExampleOpenMix() {
	clf, data := open()
	arch, err := clf.Arch.WithExtraOutputs(1)
	if err != nil {
		log.Fatal(err)
	}
	if clf, err = nets.NewClassifier(clf.Backend, arch, arch.Init(1)); err != nil {
		log.Fatal(err)
	}
	others, err := dataset.Open("synthetic", dataset.Config{Seed: 7, Synthetic: dataset.SyntheticConfig{
		Shape: data.Train.Shape(), TrainSize: 40, TestSize: 1,
	}})
	if err != nil {
		log.Fatal(err)
	}
	epoch(clf, data.Train, train.Config{Objective: train.OpenMix{Outliers: others.Train, Augment: dataset.RandomFlip()}})
	fmt.Println("classes:", clf.Arch.Classes)
	// Output:
	// steps: 3
	// classes: 10
}

func ExampleFMFP() {
	clf, data := open()
	cfg := train.FMFP(2)
	cfg.BatchSize = 32
	hist, err := train.Fit(context.Background(), clf, data.Train, cfg)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("steps:", hist.Steps)
	// Output: steps: 6
}
