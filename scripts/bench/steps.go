package main

import (
	"context"
	"errors"
	"iter"

	"github.com/ratml/rat/ratml/train"
)

// The settings of training steps. The rate is low, so that random labels are no danger.
const (
	rate     = 1e-3
	decay    = 1e-4
	momentum = 0.9
)

// epochSteps is the length of an epoch: at its end the weights are copied to the host, which is no part of a step.
const epochSteps = 4096

// steps is the work of training on an objective. A call is what train.Fit does from one call of OnStep to the next.
func steps(s *subject, objective train.Objective) (*work, error) {
	set, err := s.set(epochSteps)
	if err != nil {
		return nil, err
	}
	enough, failed := errors.New("enough"), error(nil)
	next, stop := iter.Pull(func(yield func(train.Step) bool) {
		cfg := settings(s, objective)
		cfg.OnStep = func(step train.Step) error {
			if !yield(step) {
				return enough
			}
			return nil
		}
		_, failed = train.Fit(context.Background(), s.clf, set, cfg)
	})
	return &work{images: s.batch, free: stop, call: func() error {
		if _, ok := next(); !ok {
			return failed
		}
		return nil
	}}, nil
}

// settings are those of a training that goes on as long as it is asked to.
func settings(s *subject, objective train.Objective) train.Config {
	return train.Config{
		Objective: objective, Epochs: 1 << 20, BatchSize: s.batch, Devices: s.clf.Devices,
		Optimizer: train.SGD{Momentum: momentum}, LearningRate: rate, WeightDecay: decay, Schedule: constant,
	}
}

func constant(peak, _, _ float64) float64 { return peak }
