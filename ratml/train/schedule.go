package train

import "math"

// Schedule returns the learning rate at the time epoch in [0, epochs) of a run of that many epochs; half an epoch in,
// epoch is 0.5. peak is Config.LearningRate.
type Schedule func(peak, epoch, epochs float64) float64

// Cosine returns the schedule that rises from almost nothing to the peak during the first warmup epochs and falls to
// 0 over the rest, both along half a cosine (models/RadTrainer.py:configure_optimizers of RAT_MisD).
func Cosine(warmup float64) Schedule {
	return func(peak, epoch, epochs float64) float64 {
		if epoch < warmup {
			return warm(peak, epoch/warmup)
		}
		return peak * halfCosine((epoch-warmup)/(epochs-warmup))
	}
}

// Constant returns the schedule that rises to the peak like [Cosine] and stays there.
func Constant(warmup float64) Schedule {
	return func(peak, epoch, epochs float64) float64 {
		if epoch < warmup {
			return warm(peak, epoch/warmup)
		}
		return peak
	}
}

// PerEpoch returns s with a rate that changes between epochs only, as in the official code.
func PerEpoch(s Schedule) Schedule {
	return func(peak, epoch, epochs float64) float64 { return s(peak, math.Floor(epoch), epochs) }
}

// warm returns the rate when the share t of the warm-up is over.
func warm(peak, t float64) float64 {
	const start = 1e-8
	return peak - (peak-start)*halfCosine(t)
}

// halfCosine falls from 1 at 0 to 0 at 1.
func halfCosine(t float64) float64 { return (1 + math.Cos(math.Pi*t)) / 2 }
