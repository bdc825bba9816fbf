package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/scripts/internal/progress"
)

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	arch, err := nets.Lookup(o.arch())
	if err != nil {
		return err
	}
	data, training, err := o.open(arch)
	if err != nil {
		return err
	}
	cfg.Validation = training.validation
	clf, err := o.classifier(arch, stderr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	log, err := os.Create(filepath.Join(o.Out, "log.jsonl"))
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer log.Close()

	bar := progress.New("training", 0)
	cfg.Progress, cfg.OnEpoch = bar.Func(), train.JSONLines(log)
	hist, err := train.Fit(ctx, clf, training.images, cfg)
	bar.Finish()
	if hist == nil || hist.Steps == 0 {
		return err
	}
	return errors.Join(o.finish(ctx, clf, data.Test, hist, err, stdout), log.Close())
}

// finish saves the weights, whether the training came to its end or not, and measures them if it did.
func (o options) finish(ctx context.Context, clf *nets.Classifier, test dataset.Set, hist *train.History, err error, stdout io.Writer) error {
	path := filepath.Join(o.Out, "weights.safetensors")
	if saveErr := weights.Save(path, clf.Weights(), o.metadata(clf.Arch, hist)); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	if err != nil {
		return fmt.Errorf("%w; the weights of step %d are in %s", err, hist.Steps, path)
	}
	fmt.Fprintln(stdout, hist.Epochs[len(hist.Epochs)-1])
	if test != nil {
		loss, accuracy, err := train.Evaluate(ctx, clf, test, o.BatchSize)
		if err != nil {
			return fmt.Errorf("%w; the weights are in %s", err, path)
		}
		fmt.Fprintf(stdout, "test accuracy %.2f %% (loss %.4f, %d images)\n", 100*accuracy, loss, test.Len())
	}
	fmt.Fprintf(stdout, "wrote %s\n", path)
	return nil
}

// metadata says in the weights' file where they come from.
func (o options) metadata(a *nets.Arch, hist *train.History) map[string]string {
	m := map[string]string{
		"format": "pt", "arch": a.Name, "dataset": o.Dataset, "objective": o.Objective,
		"steps": strconv.Itoa(hist.Steps), "seed": strconv.FormatUint(o.Seed, 10),
	}
	if o.Objective != "plain" {
		m["step_size"] = strconv.FormatFloat(o.StepSize, 'g', -1, 64)
	}
	return m
}

// classifier returns the network to train, with its initial weights.
func (o options) classifier(a *nets.Arch, stderr io.Writer) (*nets.Classifier, error) {
	be, err := backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	if err != nil {
		return nil, err
	}
	clf, err := nets.NewClassifier(be, a, a.Init(o.Seed))
	if err != nil || o.Init == "" {
		return clf, err
	}
	return clf, weights.LoadInto(clf, o.Init)
}

// training holds the images to train on and those that were kept back from them.
type training struct{ images, validation dataset.Set }

// open opens the data set and splits its training images. Generated images get the size that the network takes.
func (o options) open(a *nets.Arch) (*dataset.Data, training, error) {
	data, err := dataset.Open(o.Dataset, dataset.Config{
		Dir: o.DataDir, Seed: o.Seed, Synthetic: dataset.SyntheticConfig{Shape: dataset.Shape(a.Input), Classes: a.Classes},
	})
	if err != nil {
		return nil, training{}, err
	}
	all, err := data.Training()
	if err != nil {
		return nil, training{}, err
	}
	validation, err := o.kept(all.Len())
	if err != nil {
		return nil, training{}, err
	}
	size := o.TrainSize
	if size == 0 {
		size = all.Len() - validation
	}
	if size < 1 || size+validation > all.Len() {
		return nil, training{}, fmt.Errorf("%d images to train on and %d for validation: there are %d", size, validation, all.Len())
	}
	parts, err := dataset.Split(all, o.Seed, validation, size)
	if err != nil {
		return nil, training{}, err
	}
	if validation == 0 {
		parts[0] = nil
	}
	return data, training{validation: parts[0], images: parts[1]}, nil
}

// kept returns how many of n training images are for validation.
func (o options) kept(n int) (int, error) {
	switch {
	case o.ValSize != 0 && o.ValSplit != 0:
		return 0, errors.New("--val_size and --val_split say the same, give one of them")
	case o.ValSize < 0 || !(o.ValSplit >= 0 && o.ValSplit < 1):
		return 0, errors.New("--val_size must not be negative, --val_split be from 0 to less than 1")
	case o.ValSplit > 0:
		return int(o.ValSplit*float64(n) + 0.5), nil
	}
	return o.ValSize, nil
}
