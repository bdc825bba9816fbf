package confidence

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/radius"
)

// fromLogits is what scores that need nothing but logits have in common.
type fromLogits struct{}

func (fromLogits) Cost() float64                     { return 1 }
func (fromLogits) Build(*radius.Probe) []*graph.Node { return nil }

// each applies f to every row of logits [n*classes].
func each(logits []float32, classes int, f func(z []float64) float64) []float64 {
	v := make([]float64, len(logits)/classes)
	z := make([]float64, classes)
	for i := range v {
		for j := range z {
			z[j] = float64(logits[i*classes+j])
		}
		v[i] = f(z)
	}
	return v
}

// eachProbability is each with softmax(z/temperature); a temperature of 0 is 1.
func eachProbability(logits []float32, classes int, temperature float64, f func(p []float64) float64) []float64 {
	if temperature == 0 {
		temperature = 1
	}
	return each(logits, classes, func(z []float64) float64 {
		softmax(z, temperature)
		return f(z)
	})
}

// softmax replaces logits by the probabilities at a temperature.
func softmax(z []float64, temperature float64) {
	top, _ := top2(z)
	sum := 0.0
	for j, v := range z {
		z[j] = math.Exp((v - top) / temperature)
		sum += z[j]
	}
	for j := range z {
		z[j] /= sum
	}
}

// top2 returns the two largest values.
func top2(v []float64) (first, second float64) {
	first, second = math.Inf(-1), math.Inf(-1)
	for _, x := range v {
		if x > first {
			first, second = x, first
		} else if x > second {
			second = x
		}
	}
	return first, second
}

// MSR is the maximum softmax response, max p (Hendrycks & Gimpel 2017).
type MSR struct{ fromLogits }

// Name returns "MSR".
func (MSR) Name() string { return "MSR" }

// Values returns max p.
func (MSR) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return ODIN{}.Values(logits, classes, nil)
}

// ODIN is max softmax(z/T), the part of ODIN (Liang et al. 2018) that needs no gradient.
type ODIN struct {
	fromLogits
	Temperature float64 // 0 is 1, the official default before fitting
}

// Name returns "ODIN".
func (ODIN) Name() string { return "ODIN" }

// Values returns max softmax(z/T).
func (s ODIN) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return eachProbability(logits, classes, s.Temperature, func(p []float64) float64 {
		first, _ := top2(p)
		return first
	})
}

// NE is the negative entropy, sum p log(p + 1e-9).
type NE struct{ fromLogits }

// Name returns "NE".
func (NE) Name() string { return "NE" }

// Values returns the negative entropy in nats.
func (NE) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return eachProbability(logits, classes, 1, func(p []float64) float64 {
		sum := 0.0
		for _, v := range p {
			sum += v * math.Log(v+1e-9)
		}
		return sum
	})
}

// HPS is the negative second largest probability. (The official HPS_1 to HPS_5 are all this score: its parameter is
// ignored there.)
type HPS struct{ fromLogits }

// Name returns "HPS".
func (HPS) Name() string { return "HPS" }

// Values returns -p_2.
func (HPS) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return eachProbability(logits, classes, 1, func(p []float64) float64 {
		_, second := top2(p)
		return -second
	})
}

// LinearMix is lambda p_1 - p_2.
type LinearMix struct {
	fromLogits
	Lambda float64 // 0 is 1
}

// Name returns "linear_mix".
func (LinearMix) Name() string { return "linear_mix" }

// Values returns lambda p_1 - p_2.
func (s LinearMix) Values(logits []float32, classes int, _ [][]float32) []float64 {
	lambda := orElse(s.Lambda, 1)
	return eachProbability(logits, classes, 1, func(p []float64) float64 {
		first, second := top2(p)
		return lambda*first - second
	})
}

// Thresholded is min(p_1, threshold) - p_2.
type Thresholded struct {
	fromLogits
	Threshold float64 // 0 is 0.5
}

// Name returns "thr".
func (Thresholded) Name() string { return "thr" }

// Values returns min(p_1, threshold) - p_2.
func (s Thresholded) Values(logits []float32, classes int, _ [][]float32) []float64 {
	threshold := orElse(s.Threshold, 0.5)
	return eachProbability(logits, classes, 1, func(p []float64) float64 {
		first, second := top2(p)
		return math.Min(first, threshold) - second
	})
}

// DOCTOR is -1 / sum p^2 with p = softmax(z/T) (Granese et al. 2021).
type DOCTOR struct {
	fromLogits
	Temperature float64 // 0 is 1
}

// Name returns "DOCTOR".
func (DOCTOR) Name() string { return "DOCTOR" }

// Values returns -1 / sum p^2.
func (s DOCTOR) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return eachProbability(logits, classes, s.Temperature, func(p []float64) float64 {
		sum := 0.0
		for _, v := range p {
			sum += v * v
		}
		return -1 / sum
	})
}

// TFDOCTOR is [DOCTOR] at temperature 1, without a parameter to fit.
type TFDOCTOR struct{ fromLogits }

// Name returns "tfDOCTOR".
func (TFDOCTOR) Name() string { return "tfDOCTOR" }

// Values returns -1 / sum p^2.
func (TFDOCTOR) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return DOCTOR{}.Values(logits, classes, nil)
}

// MLS is the maximum logit.
type MLS struct{ fromLogits }

// Name returns "MLS".
func (MLS) Name() string { return "MLS" }

// Values returns the largest logit.
func (MLS) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return each(logits, classes, func(z []float64) float64 {
		first, _ := top2(z)
		return first
	})
}

// Ratio is p_1 / p_2.
type Ratio struct{ fromLogits }

// Name returns "ratio".
func (Ratio) Name() string { return "ratio" }

// Values returns p_1 / p_2, computed from the logits so that it stays finite as long as float64 can hold it.
func (Ratio) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return each(logits, classes, func(z []float64) float64 {
		first, second := top2(z)
		return math.Exp(first - second)
	})
}

// LogitDiff is z_1 - z_2.
type LogitDiff struct{ fromLogits }

// Name returns "logiDiff".
func (LogitDiff) Name() string { return "logiDiff" }

// Values returns z_1 - z_2.
func (LogitDiff) Values(logits []float32, classes int, _ [][]float32) []float64 {
	return TunedLogitDiff{}.Values(logits, classes, nil)
}

// SoftLogitDiff is z_1 - logsumexp(z_2..z_K) at logits over T.
type SoftLogitDiff struct {
	fromLogits
	Temperature float64 // 0 is 1
}

// Name returns "softLogiDiff".
func (SoftLogitDiff) Name() string { return "softLogiDiff" }

// Values returns z_1 - logsumexp(z_2..z_K).
func (s SoftLogitDiff) Values(logits []float32, classes int, _ [][]float32) []float64 {
	t := orElse(s.Temperature, 1)
	return each(logits, classes, func(z []float64) float64 {
		first, second := top2(z)
		sum, skipped := 0.0, false
		for _, v := range z {
			if v == first && !skipped {
				skipped = true // the largest is not among the others, unless it stands there twice
				continue
			}
			sum += math.Exp((v - second) / t)
		}
		return (first-second)/t - math.Log(sum)
	})
}

// TunedLogitDiff is z_1 - lambda z_2.
type TunedLogitDiff struct {
	fromLogits
	Lambda float64 // 0 is 1
}

// Name returns "tunedLD".
func (TunedLogitDiff) Name() string { return "tunedLD" }

// Values returns z_1 - lambda z_2.
func (s TunedLogitDiff) Values(logits []float32, classes int, _ [][]float32) []float64 {
	lambda := orElse(s.Lambda, 1)
	return each(logits, classes, func(z []float64) float64 {
		first, second := top2(z)
		return first - lambda*second
	})
}

func orElse(v, zero float64) float64 {
	if v == 0 {
		return zero
	}
	return v
}
