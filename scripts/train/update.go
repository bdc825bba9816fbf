package main

import (
	"errors"
	"fmt"

	"github.com/ratml/rat/ratml/train"
)

// optimizer chooses the optimiser.
func (o options) optimizer(s *settings) error {
	if o.Optimizer != nil {
		switch *o.Optimizer {
		case "sgd":
			if _, ok := s.Optimizer.(train.SGD); !ok {
				s.Optimizer = train.SGD{}
			}
		case "adam", "adamw":
			s.Optimizer = train.AdamW{}
			if o.LearningRate == nil && o.Protocol != "official" {
				s.LearningRate = 0 // the default of this optimiser
			}
		default:
			return fmt.Errorf("--optimizer %q: want sgd, adamw or adam (which is adamw, as officially)", *o.Optimizer)
		}
	}
	sgd, ok := s.Optimizer.(train.SGD)
	if !ok && s.Optimizer != nil {
		if o.Momentum != nil || o.Nesterov != nil {
			return errors.New("--momentum and --nesterov are of --optimizer sgd")
		}
		return nil
	}
	set(&sgd.Nesterov, o.Nesterov)
	if err := setNumbers(number{"--momentum", o.Momentum, true, &sgd.Momentum}); err != nil {
		return err
	}
	s.Optimizer = sgd
	switch {
	case sgd.Momentum > 1:
		return fmt.Errorf("--momentum %v: want a number in [0,1]", sgd.Momentum)
	case sgd.Nesterov && sgd.Momentum == train.Off:
		return errors.New("--nesterov needs a --momentum")
	}
	return nil
}

// updates applies the other flags about updates of the weights.
func (o options) updates(s *settings) error {
	set(&s.DecayWeightsOnly, o.NoDecayNorm)
	set(&s.BFloat16, o.BFloat16)
	return setNumbers(
		number{"--learning_rate", o.LearningRate, false, &s.LearningRate},
		number{"--weight_decay", o.WeightDecay, true, &s.WeightDecay},
		number{"--clip_norm", o.ClipNorm, false, &s.ClipNorm},
	)
}

// averaging chooses the average of weights.
func (o options) averaging(s *settings) error {
	switch {
	case o.EMA != nil && o.SWAFrom != nil:
		return errors.New("--ema and --swa_from both say how weights are averaged, give one of them")
	case o.EMA != nil:
		if d := *o.EMA; !(d > 0 && d < 1) {
			return fmt.Errorf("--ema %v: want a number above 0 and below 1", d)
		}
		s.Averaging = train.EMA{Decay: *o.EMA}
	case o.SWAFrom != nil:
		s.Averaging = train.SWA{From: *o.SWAFrom}
	}
	if a, ok := s.Averaging.(train.SWA); ok && (a.From < 0 || a.From >= s.Epochs) {
		return fmt.Errorf("--swa_from %d: want a number from 0 to less than the %d epochs", a.From, s.Epochs)
	}
	return nil
}

// batchNorm chooses the statistics of batch normalisation.
func (o options) batchNorm(s *settings) error {
	local, sync := o.LocalBN != nil && *o.LocalBN, o.SyncBN != nil && *o.SyncBN
	if local && sync {
		return errors.New("--local_bn and --sync_bn exclude each other")
	}
	s.LocalBatchNorm = local || s.LocalBatchNorm && !sync
	return nil
}

// setShare replaces a setting by a flag in [0,1), if it was given.
func setShare(flag string, value, into *float64) error {
	if value == nil {
		return nil
	}
	if !(*value >= 0 && *value < 1) {
		return fmt.Errorf("%s %v: want a number from 0 to less than 1", flag, *value)
	}
	*into = *value
	return nil
}
