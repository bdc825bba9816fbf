package train

import (
	"fmt"
	"math"
)

// OneCycle is the 1cycle policy (Smith and Topin, "Super-Convergence", 2018) as PyTorch's OneCycleLR in two phases: the
// learning rate rises to its peak and falls to almost nothing. Momentum does not change, as with cycle_momentum=False.
// Use it as Config{Schedule: OneCycle{}.Rate}.
type OneCycle struct {
	Rise     float64 // share of the run in which the rate rises (pct_start), in (0,1); 0 means 0.3
	Div      float64 // the peak over the first rate (div_factor), at least 1; 0 means 25
	FinalDiv float64 // the first rate over the last (final_div_factor), at least 1; 0 means 1e4
	Linear   bool    // along lines instead of half cosines (anneal_strategy)

	// StepsPerEpoch is the number of rates an epoch: the batches, or 1 with [PerEpoch]. PyTorch reaches peak and end one
	// step early, which matters in short runs. 0 is the limit of many steps.
	StepsPerEpoch int
}

// Check reports settings that make no sense.
func (o OneCycle) Check() error {
	if !(o.Rise >= 0 && o.Rise < 1) { // also NaN
		return fmt.Errorf("OneCycle: Rise is %v, want a number from 0 (for the default) to below 1", o.Rise)
	}
	for _, s := range []struct {
		name  string
		value float64
	}{{"Div", o.Div}, {"FinalDiv", o.FinalDiv}} {
		if v := s.value; v != 0 && !(v >= 1 && v <= math.MaxFloat64) {
			return fmt.Errorf("OneCycle: %s is %v, want a number from 1 on, or 0 for the default", s.name, v)
		}
	}
	if o.StepsPerEpoch < 0 {
		return fmt.Errorf("OneCycle: StepsPerEpoch is %d, want a positive number, or 0", o.StepsPerEpoch)
	}
	return nil
}

// Rate is a [Schedule].
func (o OneCycle) Rate(peak, epoch, epochs float64) float64 {
	first := peak / orDefault(o.Div, 25)
	last := first / orDefault(o.FinalDiv, 1e4)
	step := 0.0 // epochs
	if o.StepsPerEpoch > 0 {
		step = 1 / float64(o.StepsPerEpoch)
	}
	top, end := orDefault(o.Rise, 0.3)*epochs-step, epochs-step
	if epoch < top {
		return anneal(first, peak, epoch/top, o.Linear)
	}
	return anneal(peak, last, min(1, (epoch-top)/(end-top)), o.Linear)
}

// anneal goes from one rate to another as t goes from 0 to 1, along half a cosine or a line.
func anneal(from, to, t float64, linear bool) float64 {
	if linear {
		return from + (to-from)*t
	}
	return to + (from-to)*halfCosine(t)
}
