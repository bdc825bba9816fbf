package train

import "math"

// Schedule returns the learning rate at the time epoch in [0, epochs) of a run of that many epochs; half an epoch in,
// epoch is 0.5. peak is Config.LearningRate. Beside the functions here, the methods [OneCycle.Rate] and [SWARate.Rate]
// are schedules.
//
// Each gives in every step what the named scheduler of PyTorch gives when it is stepped in every step, and with
// [PerEpoch] what that gives when it is stepped once an epoch. After a warm-up it is that scheduler's turn in a
// SequentialLR, so that the first step after the warm-up, not its last, has the peak.
type Schedule func(peak, epoch, epochs float64) float64

// Cosine returns the schedule that rises from almost nothing to the peak during the first warmup epochs and falls to
// 0 over the rest, both along half a cosine (LambdaLR and CosineAnnealingLR in models/RadTrainer.py:
// configure_optimizers of RAT_MisD).
func Cosine(warmup float64) Schedule {
	return afterWarmup(warmup, func(epoch, epochs float64) float64 { return halfCosine(epoch / epochs) })
}

// Constant returns the schedule that rises to the peak like [Cosine] and stays there (LambdaLR and ConstantLR in
// models/RadTrainer.py:configure_optimizers of RAT_MisD).
func Constant(warmup float64) Schedule {
	return afterWarmup(warmup, func(_, _ float64) float64 { return 1 })
}

// Linear returns the schedule that rises to the peak like [Cosine] and falls to 0 along a line (PyTorch's LinearLR with
// start_factor 1 and end_factor 0).
func Linear(warmup float64) Schedule {
	return afterWarmup(warmup, func(epoch, epochs float64) float64 { return max(0, 1-epoch/epochs) })
}

// StepDecay returns the schedule that rises to the peak like [Cosine] and is multiplied by gamma after every size
// epochs, counted from the end of the warm-up (PyTorch's StepLR; references/classification/train.py of torchvision).
func StepDecay(warmup, gamma, size float64) Schedule {
	return afterWarmup(warmup, func(epoch, _ float64) float64 { return math.Pow(gamma, math.Floor(epoch/size)) })
}

// MultiStep returns the schedule that rises to the peak like [Cosine] and is multiplied by gamma at each milestone, an
// epoch counted from the start of the run (PyTorch's MultiStepLR). Most studies of failure prediction train with
// MultiStep(0, 0.1, 80, 130, 170) or the like (main_fmfp.py of Impression2805/FMFP).
func MultiStep(warmup, gamma float64, milestones ...float64) Schedule {
	return afterWarmup(warmup, func(epoch, _ float64) float64 {
		factor := 1.0
		for _, m := range milestones {
			if epoch >= m-warmup {
				factor *= gamma
			}
		}
		return factor
	})
}

// PerEpoch returns s with a rate that changes between epochs only, as in the official code.
func PerEpoch(s Schedule) Schedule {
	return func(peak, epoch, epochs float64) float64 { return s(peak, math.Floor(epoch), epochs) }
}

// Over returns s as in a run of so many epochs, however long the run is. [Cosine] rises again after its end, as PyTorch's
// CosineAnnealingLR does after T_max.
func Over(epochs float64, s Schedule) Schedule {
	return func(peak, epoch, _ float64) float64 { return s(peak, epoch, epochs) }
}

// afterWarmup returns the schedule that warms up and is then the peak times factor, which is told the epochs since the
// warm-up and how many they will be.
func afterWarmup(warmup float64, factor func(epoch, epochs float64) float64) Schedule {
	return func(peak, epoch, epochs float64) float64 {
		if epoch < warmup {
			return warm(peak, epoch/warmup)
		}
		return peak * factor(epoch-warmup, epochs-warmup)
	}
}

// warm returns the rate when the share t of the warm-up is over.
func warm(peak, t float64) float64 {
	const start = 1e-8
	return peak - (peak-start)*halfCosine(t)
}

// halfCosine falls from 1 at 0 to 0 at 1.
func halfCosine(t float64) float64 { return (1 + math.Cos(math.Pi*t)) / 2 }
