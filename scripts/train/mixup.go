package main

import (
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/train"
)

// mixup makes the objective mix images, and not in the last epochs.
func (o options) mixup(s *settings) error {
	mixup, ok := mixupOf(s.Objective)
	if !ok {
		return nil // the flags are not understood, see understood
	}
	set := o.MixupAlpha != nil || o.FinalEpochs != nil
	if o.Mixup != nil {
		mixup.Alpha = 0
		if *o.Mixup {
			mixup.Alpha = 1
		}
	}
	if mixup.Alpha == 0 {
		if set {
			return errors.New("--mixup_alpha and --final_epochs_no_mixup say nothing without --mixup")
		}
		s.FinalEpochs, s.FinalObjective = 0, nil
		s.Objective = withMixup(s.Objective, mixup)
		return s.checkDirection()
	}
	if err := setNumbers(number{"--mixup_alpha", o.MixupAlpha, false, &mixup.Alpha}); err != nil {
		return err
	}
	if o.FinalEpochs != nil {
		if s.FinalEpochs = *o.FinalEpochs; s.FinalEpochs < 0 {
			return fmt.Errorf("--final_epochs_no_mixup %d: want a number from 0 on", s.FinalEpochs)
		}
	}
	if s.FinalEpochs >= s.Epochs {
		s.notes = append(s.notes, fmt.Sprintf("the last %d epochs are without mixup, so all %d are", s.FinalEpochs, s.Epochs))
		s.FinalEpochs = s.Epochs
	}
	s.Objective = withMixup(s.Objective, mixup)
	s.FinalObjective = nil
	if s.FinalEpochs > 0 {
		s.FinalObjective = withoutMixup(s.Objective)
	}
	return nil
}

func (s *settings) checkDirection() error {
	if r, ok := s.Objective.(train.RAT); ok && r.CleanDirection {
		return errors.New("--clean_direction says nothing without --mixup: images move along the gradient of their own loss anyway")
	}
	return nil
}

// mixupOf returns how an objective mixes images, and whether it can.
func mixupOf(objective train.Objective) (train.Mixup, bool) {
	switch v := objective.(type) {
	case train.Plain:
		return v.Mixup, true
	case train.RAT:
		return v.Mixup, true
	}
	return train.Mixup{}, false
}

func withMixup(objective train.Objective, m train.Mixup) train.Objective {
	switch v := objective.(type) {
	case train.Plain:
		v.Mixup = m
		return v
	case train.RAT:
		v.Mixup = m
		return v
	}
	return objective
}

func withoutMixup(objective train.Objective) train.Objective {
	if r, ok := objective.(train.RAT); ok {
		r.CleanDirection = false
		objective = r
	}
	return withMixup(objective, train.Mixup{})
}
