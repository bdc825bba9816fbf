package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
)

// finish saves the weights, whether the training came to its end or not, and measures them if it did.
func (j *job) finish(ctx context.Context, hist *train.History, err error, stdout io.Writer) error {
	path := filepath.Join(j.flags.Out, "weights.safetensors")
	if saveErr := j.save(path, hist); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	err = errors.Join(err, j.profile(hist, stdout))
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fmt.Errorf("interrupted after step %d, whose weights are in %s; the same command with --resume goes on", hist.Steps, path)
	case err != nil:
		return fmt.Errorf("%w; the weights of step %d are in %s", err, hist.Steps, path)
	}
	if n := len(hist.Epochs); n > 0 {
		fmt.Fprintln(stdout, hist.Epochs[n-1])
	}
	if test := j.images.test; test != nil {
		j.classifier.Devices = j.Devices
		loss, accuracy, err := train.Evaluate(ctx, j.classifier, test, j.BatchSize)
		if err != nil {
			return fmt.Errorf("%w; the weights are in %s", err, path)
		}
		fmt.Fprintf(stdout, "test accuracy %.2f %% (loss %.4f, %d images)\n", 100*accuracy, loss, test.Len())
	}
	fmt.Fprintf(stdout, "wrote %s\n", path)
	return nil
}

// save writes the weights, without an output for outliers.
func (j *job) save(path string, hist *train.History) error {
	a := j.classifier.Arch
	w, err := a.DropExtraOutputs(j.classifier.Weights())
	if err != nil {
		return err
	}
	return weights.Save(path, w, j.metadata(a, hist))
}

// metadata says in the weights' file where they come from.
func (j *job) metadata(a *nets.Arch, hist *train.History) map[string]string {
	m := map[string]string{
		"format": "pt", "arch": a.Name, "dataset": j.dataset, "objective": j.kind,
		"objective_settings": train.Describe(j.Objective),
		"steps":              strconv.Itoa(hist.Steps), "seed": strconv.FormatUint(j.Seed, 10),
	}
	if r, ok := j.Objective.(train.RAT); ok {
		m["step_size"] = strconv.FormatFloat(r.StepSize, 'g', -1, 64)
	}
	if j.flags.Recipe != "" {
		m["recipe"] = j.flags.Recipe
	}
	return m
}
