package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/scripts/internal/progress"
)

// A job is a training that is ready to begin.
type job struct {
	flags options
	settings
	images     images
	classifier *nets.Classifier
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	s, err := o.settings()
	if err != nil {
		return usageError{err}
	}
	for _, note := range s.notes {
		fmt.Fprintln(stderr, "train:", note)
	}
	if err := o.checkOut(); err != nil {
		return err
	}
	j, err := o.prepare(s, stderr)
	if err != nil {
		return err
	}
	journal, err := j.openJournal()
	if err != nil {
		return err
	}
	if err := j.keepCheckpoints(stderr); err != nil {
		return errors.Join(err, journal.Close())
	}
	bar := progress.New("training", 0)
	j.Progress = pace(bar.Func(), j.BatchSize)
	j.OnStep, j.OnEpoch = journal.Step, journal.Epoch
	hist, err := train.Fit(ctx, j.classifier, j.images.training, j.Config)
	bar.Finish()
	err = errors.Join(err, journal.Close())
	switch {
	case hist != nil && hist.Steps > 0:
		return j.finish(ctx, hist, err, stdout)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return errors.New("interrupted before the first step")
	}
	return err
}

// prepare opens images, devices and weights.
func (o options) prepare(s settings, stderr io.Writer) (*job, error) {
	arch, err := s.network()
	if err != nil {
		return nil, err
	}
	images, err := o.open(&s, arch)
	if err != nil {
		return nil, err
	}
	if err := o.openOutliers(&s, arch); err != nil {
		return nil, err
	}
	s.Validation = images.validation
	be, err := backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	if err != nil {
		return nil, err
	}
	if s.Devices, err = o.devices(be); err != nil {
		return nil, err
	}
	n := images.training.Len()
	if err := s.fitBatch(o, n); err != nil {
		return nil, err
	}
	s.countSteps(dataset.Loader{Set: images.training, BatchSize: s.BatchSize, DropLast: s.DropLast}.Batches())
	clf, err := o.classifier(be, arch)
	return &job{o, s, images, clf}, err
}

// keepCheckpoints has the training keep its state in the folder checkpoints of --out.
func (j *job) keepCheckpoints(stderr io.Writer) error {
	folder := filepath.Join(j.flags.Out, "checkpoints")
	if err := j.flags.adopt(folder); err != nil {
		return err
	}
	j.Checkpoints = &train.Checkpoints{
		Dir: folder, Every: j.flags.CheckpointEvery, Keep: j.flags.Keep, Resume: j.flags.Resume || j.flags.Checkpoint != "",
		Warn: func(err error) { fmt.Fprintln(stderr, "train: warning:", oneLine(err)) },
	}
	return nil
}

// profile tells where the time went.
func (j *job) profile(hist *train.History, stdout io.Writer) error {
	if !j.flags.Profile {
		return nil
	}
	p := hist.Profile
	fmt.Fprint(stdout, p)
	file, err := json.MarshalIndent(map[string]any{
		"steps": p.Steps, "total": p.Total.Seconds(), "first_step": p.First.Seconds(), "compute": (p.Compute - p.First).Seconds(),
		"wait": p.Wait.Seconds(), "feed": p.Feed.Seconds(), "upload": p.Upload.Seconds(), "evaluate": p.Evaluate.Seconds(),
		"checkpoint": p.Checkpoint.Seconds(), "idle_share": p.Idle(),
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.flags.Out, "profile.json"), append(file, '\n'), 0o666)
}
