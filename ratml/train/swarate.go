package train

import (
	"fmt"
	"math"
)

// SWARate is the learning rate for averaging weights ([SWA]): that of another schedule at first, then a constant one
// that is high enough to keep the weights moving (PyTorch's SWALR, torch/optim/swa_utils.py). Use it as
// Config{Schedule: SWARate{From: 120}.Rate}.
//
// Flat minima for failure prediction (main_fmfp.py of Impression2805/FMFP) trains 201 epochs at the peak 0.1 with
//
//	PerEpoch(SWARate{Base: Over(100, Cosine(0)), LearningRate: 0.05, From: 120}.Rate)
//
// where the cosine, at its end after 100 epochs, rises to 0.0095 before the average starts.
type SWARate struct {
	Base         Schedule // until From; nil means Cosine(0)
	LearningRate float64  // in the end (swa_lr); 0 means half of the peak
	From         float64  // epoch at which the rate begins to leave Base; that of SWA
	Anneal       float64  // epochs in which it gets to LearningRate (anneal_epochs); 0 means 10; Off is none
	Linear       bool     // along a line instead of half a cosine (anneal_strategy)
}

// Check reports settings that make no sense.
func (s SWARate) Check() error {
	for _, v := range []struct {
		name  string
		value float64
	}{{"LearningRate", s.LearningRate}, {"From", s.From}, {"Anneal", s.Anneal}} {
		if v.name == "Anneal" && v.value == Off {
			continue
		}
		if !(v.value >= 0 && v.value <= math.MaxFloat64) { // also NaN
			return fmt.Errorf("SWARate: %s is %v, want a number from 0 on", v.name, v.value)
		}
	}
	return nil
}

// Rate is a [Schedule].
func (s SWARate) Rate(peak, epoch, epochs float64) float64 {
	base := s.Base
	if base == nil {
		base = Cosine(0)
	}
	if epoch <= s.From {
		return base(peak, epoch, epochs)
	}
	t := 1.0
	if s.Anneal != Off {
		t = min(1, (epoch-s.From)/orDefault(s.Anneal, 10))
	}
	return anneal(base(peak, s.From, epochs), orDefault(s.LearningRate, peak/2), t, s.Linear)
}
