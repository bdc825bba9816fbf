package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/scripts/internal/progress"
)

// evaluation is everything that the options name, opened and checked.
type evaluation struct {
	options
	stderr     io.Writer
	protocol   radius.Protocol
	functions  []confidence.Function
	test       dataset.Set
	validation dataset.Set // nil where nothing is fitted
	classifier *nets.Classifier
}

// prepare checks the options, cheapest first, before anything is computed.
func prepare(o options, stderr io.Writer) (*evaluation, error) {
	e := &evaluation{options: o, stderr: stderr}
	var err error
	if e.protocol, err = protocol(o.Protocol); err != nil {
		return nil, err
	}
	if e.functions, err = functions(o, e.protocol); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	data, err := dataset.Open(o.Dataset, dataset.Config{Dir: o.DataDir, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	if data.Test == nil {
		return nil, fmt.Errorf("data set %s has no test images in %s", o.Dataset, o.DataDir)
	}
	if err := e.split(data.Test); err != nil {
		return nil, err
	}
	if e.Arch == "" {
		e.Arch = "smallcnn_" + o.Dataset
	}
	be, err := backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	if err != nil {
		return nil, err
	}
	e.classifier, err = weights.Open(be, e.Arch, o.Checkpoint)
	return e, err
}

func protocol(name string) (radius.Protocol, error) {
	for _, p := range []radius.Protocol{radius.Sound, radius.Official} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("--protocol %q: want sound or official", name)
}

// functions returns the scores that the options name, each once.
func functions(o options, p radius.Protocol) ([]confidence.Function, error) {
	search := radius.BoundarySearch{}.Name()
	names := o.Scores
	if len(names) == 0 || slices.Equal(names, []string{"all"}) {
		names = slices.DeleteFunc(confidence.Names(), func(n string) bool { return n == search })
	}
	if o.RobustRadius && !slices.Contains(names, search) {
		names = append(slices.Clone(names), search)
	}
	var fs []confidence.Function
	for _, n := range names {
		f, err := confidence.ByName(n, p)
		if err != nil {
			return nil, fmt.Errorf("--confid_scores: %w", err)
		}
		fs = append(fs, f)
	}
	return fs, nil
}

// split sets aside validation images.
func (e *evaluation) split(test dataset.Set) error {
	share := 0.0
	if e.protocol == radius.Official {
		share = 0.2
	}
	if e.ValSplit != nil {
		share = *e.ValSplit
	}
	if share < 0 || share >= 1 || math.IsNaN(share) {
		return fmt.Errorf("--val_split %v: want a share of the test images, at least 0 and below 1", share)
	}
	n := int(share * float64(test.Len()))
	e.test = test
	if n == 0 {
		return nil
	}
	parts, err := dataset.Split(test, e.Seed, n, test.Len()-n)
	if err != nil {
		return err
	}
	e.validation, e.test = parts[0], parts[1]
	return nil
}

// evaluate fits, scores and judges.
func (e *evaluation) evaluate(ctx context.Context) (*report.Report, error) {
	s := confidence.Scorer{BatchSize: e.BatchSize, Protocol: e.protocol, Dataset: e.Dataset}
	functions := e.functions
	if e.validation != nil {
		bar := progress.New("fitting", e.validation.Len())
		s.Progress = bar.Func()
		var err error
		functions, err = s.Fit(ctx, e.classifier, e.validation, functions...)
		bar.Finish()
		if err != nil {
			return nil, err
		}
		for _, f := range functions {
			if _, ok := f.(confidence.Fitter); ok {
				fmt.Fprintf(e.stderr, "fitted on %d validation images: %v\n", e.validation.Len(), f)
			}
		}
	}
	bar := progress.New("scoring", e.test.Len())
	s.Progress = bar.Func()
	run, err := s.Run(ctx, e.classifier, e.test, functions...)
	bar.Finish()
	if err != nil {
		return nil, err
	}
	resamples := e.Resamples
	if resamples == 0 {
		resamples = -1
	}
	judge := progress.New("judging", len(run.Scores))
	defer judge.Finish()
	return report.EvaluateContext(ctx, run, report.Options{Resamples: resamples, Seed: e.Seed, Progress: judge.Func()})
}

// write stores a report and the scores behind it.
func write(dir string, rep *report.Report) error {
	if err := report.WriteScoresCSV(filepath.Join(dir, "scores.csv"), rep.Run); err != nil {
		return err
	}
	if err := report.WriteScoresNPZ(filepath.Join(dir, "scores.npz"), rep.Run); err != nil {
		return err
	}
	return rep.Save(filepath.Join(dir, "metrics.json"))
}
