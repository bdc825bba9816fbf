package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/scripts/internal/progress"
)

// study compares plain training with RAT on one data set.
type study struct {
	options
	stderr                  io.Writer
	be                      *backend.Backend
	train, validation, test dataset.Set
	sum                     string // of the images
}

// net is a trained classifier with what it comes from.
type net struct {
	settings
	dir        string
	aurc       *misd.Float      // of RR_fast on validation images, where there are any
	classifier *nets.Classifier // nil until it is needed, where the weights are kept
}

func newStudy(o options, stderr io.Writer) (*study, error) {
	if err := writable(o.Runs); err != nil {
		return nil, fmt.Errorf("--runs: %w", err)
	}
	data, err := dataset.Open(o.Dataset, dataset.Config{Dir: o.DataDir, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	training, err := data.Training()
	if err != nil {
		return nil, err
	}
	s := &study{options: o, stderr: stderr, test: data.Test}
	if s.TrainSize == 0 {
		s.TrainSize = training.Len() - o.ValSize
	}
	parts, err := dataset.Split(training, o.Seed, s.TrainSize, o.ValSize)
	if err != nil {
		return nil, fmt.Errorf("--train_size, --val_size: %w", err)
	}
	s.train, s.validation = parts[0], parts[1]
	if o.TestSize > 0 {
		s.test = dataset.Take(s.test, o.TestSize)
	}
	if s.sum, err = imageSum(s.train, s.validation, s.test); err != nil {
		return nil, err
	}
	s.be, err = backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	return s, err
}

// material returns what the figures that are wanted need.
func (s *study) material(ctx context.Context) (*material, error) {
	m := &material{images: s.test}
	needs := s.needs()
	if needs&scores != 0 {
		plain, rat, err := s.choose(ctx)
		if err != nil {
			return nil, err
		}
		for _, n := range []*net{plain, rat} {
			sub, err := s.scored(ctx, n)
			if err != nil {
				return nil, err
			}
			m.subjects = append(m.subjects, sub)
		}
	}
	if needs&planes != 0 {
		var err error
		if m.planes, err = s.planes(ctx); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// choose trains the plain net and a RAT net for each step size, and returns the former and the best of the latter.
func (s *study) choose(ctx context.Context) (plain, best *net, err error) {
	if plain, err = s.trained(ctx, "plain", train.Plain{}); err != nil {
		return nil, nil, err
	}
	lowest := math.Inf(1)
	for _, eps := range s.StepSizes {
		rat, err := s.trained(ctx, fmt.Sprintf("RAT %g", eps), objective(eps))
		if err != nil {
			return nil, nil, err
		}
		if len(s.StepSizes) == 1 {
			return plain, rat, nil
		}
		aurc := float64(*rat.aurc)
		fmt.Fprintf(s.stderr, "%s: AURC x1000 of RR_fast on %d validation images %.2f\n", rat.Model, s.validation.Len(), 1000*aurc)
		if aurc < lowest {
			lowest, best = aurc, rat
		}
	}
	if best == nil {
		return nil, nil, errors.New("the AURC on validation images is undefined for every step size")
	}
	fmt.Fprintf(s.stderr, "chosen on validation images: %s\n", best.Model)
	return plain, best, nil
}

// objective is RAT with the mean of both losses, where the paper has their sum: with twice the gradient it would learn
// faster in so few epochs, which is not what is to be compared.
func objective(eps float64) train.RAT {
	return train.RAT{StepSize: eps, Lambda: 0.5, OriginalLambda: 0.5}
}

// settings returns what a net and its scores depend on.
func (s *study) settings(name string, objective train.Objective) (settings, error) {
	described, err := json.Marshal(map[string]any{fmt.Sprintf("%T", objective): objective})
	if err != nil {
		return settings{}, fmt.Errorf("the settings of %s: %w", name, err)
	}
	return settings{
		Format: formatVersion, Dataset: s.Dataset, Data: s.sum, Arch: "smallcnn_" + s.Dataset, Model: name, Objective: described,
		Training: s.train.Len(), Validation: s.validation.Len(), Test: s.test.Len(), Epochs: s.Epochs, BatchSize: s.BatchSize,
		Seed: s.Seed, Backend: s.be.Kind(),
	}, nil
}

// trained returns the net that is kept, or trains and keeps it.
func (s *study) trained(ctx context.Context, name string, objective train.Objective) (*net, error) {
	set, err := s.settings(name, objective)
	if err != nil {
		return nil, err
	}
	n := &net{settings: set}
	n.dir = s.folder(n.settings)
	if r := s.kept(n.dir, trainedRecord, n.settings); r != nil {
		n.aurc = r.AURC
		return n, nil
	}
	if err := s.fit(ctx, n, objective); err != nil {
		return nil, fmt.Errorf("training %s: %w", name, err)
	}
	save := func(path string) error { return weights.Save(path, n.classifier.Weights(), nil) }
	return n, keep(n.dir, trainedRecord, record{Settings: n.settings, AURC: n.aurc}, map[string]func(string) error{weightsFile: save})
}

// folder is where what these settings make is kept.
func (s *study) folder(set settings) string {
	name := strings.ReplaceAll(strings.ToLower(set.Model), " ", "_")
	if set.Dataset != "" {
		name = set.Dataset + "_" + name
	}
	return filepath.Join(s.Runs, name+"_"+set.fingerprint()[:12])
}

// kept returns the record of what is kept, or nil, and says which.
func (s *study) kept(dir, name string, set settings) *record {
	if s.Fresh {
		return nil
	}
	r, err := readRecord(dir, name, set)
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		fmt.Fprintf(s.stderr, "made anew: %v\n", err)
		return nil
	}
	what := "scored"
	if name == trainedRecord {
		what = "trained"
	}
	fmt.Fprintf(s.stderr, "%s: %s already, kept in %s\n", set.Model, what, dir)
	return r
}

// fit trains the small net. All nets start from the same weights and see the images in the same order.
func (s *study) fit(ctx context.Context, n *net, objective train.Objective) (err error) {
	if n.classifier, err = nets.New(s.be, n.Arch, s.Seed); err != nil {
		return err
	}
	bar := progress.New("training "+n.Model, 0)
	defer bar.Finish()
	_, err = train.Fit(ctx, n.classifier, s.train, train.Config{
		Objective: objective, Epochs: s.Epochs, BatchSize: s.BatchSize, Seed: s.Seed, WarmupEpochs: 0.5, Progress: bar.Func(),
	})
	if err != nil || s.validation.Len() == 0 {
		return err
	}
	if _, plain := objective.(train.Plain); plain {
		return nil // there is nothing to choose
	}
	aurc, err := s.validationAURC(ctx, n)
	n.aurc = &aurc
	return err
}

func (s *study) validationAURC(ctx context.Context, n *net) (misd.Float, error) {
	run, err := confidence.Score(ctx, n.classifier, s.validation, radius.Fast{})
	if err != nil {
		return 0, err
	}
	curve, err := misd.NewCurve(run.Scores[0].Values, run.Correct())
	if err != nil {
		return 0, err
	}
	return misd.Float(curve.AURC()), nil
}

// planes returns the picture of the method that is kept, or makes it.
func (s *study) planes(ctx context.Context) ([]figures.Plane, error) {
	set := settings{Format: formatVersion, Model: "method", Training: moonPoints, Epochs: moonEpochs, Seed: s.Seed, Backend: s.be.Kind()}
	dir := s.folder(set)
	var planes []figures.Plane
	if r := s.kept(dir, trainedRecord, set); r != nil {
		return planes, readJSON(filepath.Join(dir, planesFile), &planes)
	}
	planes, err := methodPlanes(ctx, s.be, s.Seed)
	if err != nil {
		return nil, err
	}
	return planes, keep(dir, trainedRecord, record{Settings: set}, map[string]func(string) error{planesFile: writeJSON(planes)})
}
