package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/scripts/internal/progress"
)

// study compares plain training with RAT on one data set.
type study struct {
	options
	stderr                  io.Writer
	be                      *backend.Backend
	train, validation, test dataset.Set
}

// net is a trained classifier with the name it is shown under.
type net struct {
	name       string
	classifier *nets.Classifier
}

func newStudy(o options, stderr io.Writer) (*study, error) {
	for _, eps := range o.StepSizes {
		if !(eps > 0) || math.IsInf(eps, 1) {
			return nil, fmt.Errorf("--step_sizes: %v is not a positive step", eps)
		}
	}
	if o.ValSize < 1 && len(o.StepSizes) > 1 {
		return nil, fmt.Errorf("--val_size %d: the step size is chosen on validation images", o.ValSize)
	}
	if err := os.MkdirAll(o.Out, 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	data, err := dataset.Open(o.Dataset, dataset.Config{Dir: o.DataDir, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	s := &study{options: o, stderr: stderr, test: data.Test}
	if s.TrainSize == 0 {
		s.TrainSize = data.Train.Len() - o.ValSize
	}
	parts, err := dataset.Split(data.Train, o.Seed, s.TrainSize, o.ValSize)
	if err != nil {
		return nil, fmt.Errorf("--train_size, --val_size: %w", err)
	}
	s.train, s.validation = parts[0], parts[1]
	if o.TestSize > 0 {
		s.test = dataset.Take(s.test, o.TestSize)
	}
	s.be, err = backend.OpenConfig(backend.Config{Name: o.Backend, Log: stderr})
	return s, err
}

// run trains the plain net and a RAT net for each step size, and returns the former and the best of the latter.
func (s *study) run(ctx context.Context) (plain, best net, err error) {
	if plain, err = s.fit(ctx, "plain", train.Plain{}); err != nil {
		return plain, best, err
	}
	lowest := math.Inf(1)
	for _, eps := range s.StepSizes {
		rat, err := s.fit(ctx, fmt.Sprintf("RAT %g", eps), objective(eps))
		if err != nil {
			return plain, best, err
		}
		if len(s.StepSizes) == 1 {
			return plain, rat, nil
		}
		aurc, err := s.validationAURC(ctx, rat)
		if err != nil {
			return plain, best, err
		}
		fmt.Fprintf(s.stderr, "%s: AURC x1000 of RR_fast on %d validation images %.2f\n", rat.name, s.validation.Len(), 1000*aurc)
		if aurc < lowest {
			lowest, best = aurc, rat
		}
	}
	fmt.Fprintf(s.stderr, "chosen on validation images: %s\n", best.name)
	return plain, best, nil
}

// objective is RAT with the mean of both losses, where the paper has their sum: with twice the gradient it would learn
// faster in so few epochs, which is not what is to be compared.
func objective(eps float64) train.RAT {
	return train.RAT{StepSize: eps, Lambda: 0.5, OriginalLambda: 0.5}
}

// fit trains the small net. All nets start from the same weights and see the images in the same order.
func (s *study) fit(ctx context.Context, name string, objective train.Objective) (net, error) {
	c, err := nets.New(s.be, "smallcnn_"+s.Dataset, s.Seed)
	if err != nil {
		return net{}, err
	}
	bar := progress.New("training "+name, 0)
	defer bar.Finish()
	_, err = train.Fit(ctx, c, s.train, train.Config{
		Objective: objective, Epochs: s.Epochs, BatchSize: s.BatchSize, Seed: s.Seed, WarmupEpochs: 0.5, Progress: bar.Func(),
	})
	if err != nil {
		return net{}, fmt.Errorf("training %s: %w", name, err)
	}
	return net{name, c}, nil
}

func (s *study) validationAURC(ctx context.Context, n net) (float64, error) {
	run, err := confidence.Score(ctx, n.classifier, s.validation, radius.Fast{})
	if err != nil {
		return 0, err
	}
	curve, err := misd.NewCurve(run.Scores[0].Values, run.Correct())
	if err != nil {
		return 0, err
	}
	return curve.AURC(), nil
}

// leaderboard scores the test images with all scores and both nets.
func (s *study) leaderboard(ctx context.Context, ns ...net) (*report.Comparison, error) {
	var reports []*report.Report
	for _, n := range ns {
		start := time.Now()
		bar := progress.New("scoring with "+n.name, s.test.Len())
		scorer := confidence.Scorer{Dataset: s.Dataset, Model: n.name, Progress: bar.Func()}
		run, err := scorer.Run(ctx, n.classifier, s.test, confidence.All(radius.Sound)...)
		bar.Finish()
		if err != nil {
			return nil, err
		}
		seconds := time.Since(start).Seconds()
		fmt.Fprintf(s.stderr, "scored %d images with %s in %.1f s\n", run.Len(), n.name, seconds)
		bar = progress.New("judging "+n.name, len(run.Scores))
		rep, err := report.EvaluateContext(ctx, run, report.Options{Resamples: s.Resamples, Seed: s.Seed, Progress: bar.Func()})
		bar.Finish()
		if err != nil {
			return nil, err
		}
		reports = append(reports, rep)
	}
	return report.Compare(reports...)
}
