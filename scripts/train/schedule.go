package main

import (
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/train"
)

// schedule chooses how the learning rate goes. Any flag about it takes the place of a recipe's whole schedule.
func (o options) schedule(s *settings) error {
	f := o.scheduleFlags
	if f.Scheduler != nil || f.Warmup != nil || f.Milestones != nil || f.Gamma != nil || f.DecayEvery != nil || f.PerEpoch != nil {
		if s.scheduler == "" {
			s.scheduler = "cosine"
		}
		set(&s.scheduler, f.Scheduler)
		set(&s.perEpoch, f.PerEpoch)
	}
	if s.scheduler != "" {
		if err := o.makeSchedule(s); err != nil {
			return err
		}
	}
	return o.swaRate(s)
}

// makeSchedule makes the schedule called s.scheduler, but for onecycle, which needs the number of steps.
func (o options) makeSchedule(s *settings) error {
	f := o.scheduleFlags
	warmup, gamma, every := 0.0, 0.1, 30.0
	set(&warmup, f.Warmup)
	if !(warmup >= 0 && warmup < float64(s.Epochs)) {
		return fmt.Errorf("--warmup_epochs %v: want a number from 0 to less than the %d epochs", warmup, s.Epochs)
	}
	if err := setNumbers(number{"--gamma", f.Gamma, false, &gamma}, number{"--decay_every", f.DecayEvery, false, &every}); err != nil {
		return err
	}
	steps, multi := s.scheduler == "step", s.scheduler == "multistep"
	switch {
	case f.Gamma != nil && !steps && !multi:
		return errors.New("--gamma is of --scheduler step and multistep")
	case f.DecayEvery != nil && !steps:
		return errors.New("--decay_every is of --scheduler step")
	case (len(f.Milestones) > 0) != multi:
		return errors.New("--scheduler multistep and --milestones belong together")
	}
	s.WarmupEpochs = warmup
	switch s.scheduler {
	case "cosine":
		s.Schedule = train.Cosine(warmup)
	case "linear":
		s.Schedule = train.Linear(warmup)
	case "constant", "none":
		s.Schedule = train.Constant(warmup)
	case "step":
		s.Schedule = train.StepDecay(warmup, gamma, every)
	case "multistep":
		for i, m := range f.Milestones {
			if !(m >= 0) || i > 0 && m < f.Milestones[i-1] {
				return fmt.Errorf("--milestones %v: want epochs, ascending", f.Milestones)
			}
		}
		s.Schedule = train.MultiStep(warmup, gamma, f.Milestones...)
	case "onecycle":
		if warmup > 0 {
			return errors.New("--warmup_epochs is not of --scheduler onecycle, whose rate rises for the first 30 % of the steps")
		}
		s.Schedule = train.OneCycle{}.Rate
	default:
		return fmt.Errorf("--scheduler %q: want cosine, linear, step, multistep, onecycle, constant or none", s.scheduler)
	}
	if s.perEpoch {
		s.Schedule = train.PerEpoch(s.Schedule)
	}
	return nil
}

// swaRate lets the learning rate be constant where weights are averaged.
func (o options) swaRate(s *settings) error {
	if o.SWARate == nil {
		return nil
	}
	average, ok := s.Averaging.(train.SWA)
	if !ok {
		return errors.New("--swa_lr says nothing without --swa_from")
	}
	rate := train.SWARate{Base: s.Schedule, From: float64(average.From)}
	if err := setNumbers(number{"--swa_lr", o.SWARate, false, &rate.LearningRate}); err != nil {
		return err
	}
	s.Schedule = rate.Rate
	if s.perEpoch {
		s.Schedule = train.PerEpoch(s.Schedule)
	}
	return nil
}

// countSteps tells the schedule how many steps an epoch has.
func (s *settings) countSteps(batches int) {
	if s.scheduler != "onecycle" {
		return
	}
	if _, averages := s.Averaging.(train.SWA); averages {
		return // --swa_lr may have it inside; the difference is one step
	}
	if s.perEpoch {
		s.Schedule = train.PerEpoch(train.OneCycle{StepsPerEpoch: 1}.Rate)
		return
	}
	s.Schedule = train.OneCycle{StepsPerEpoch: batches}.Rate
}
