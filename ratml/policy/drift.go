package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Drift is the outcome of a two-sample Kolmogorov-Smirnov test of new scores against those of validation.
type Drift struct {
	Statistic  float64 // largest difference between the two distribution functions, in [0,1]
	PValue     float64 // probability of a difference at least as large without drift
	Exact      bool    // whether the p-value is exact (ties included) or the asymptotic one
	Validation int     // scores of validation
	New        int     // new scores
	AlarmRate  float64 // drift is reported where the p-value is at most this
	Drifted    bool
}

// String returns the numbers of the test in one line.
func (d Drift) String() string {
	verdict := "no drift"
	if d.Drifted {
		verdict = "DRIFT"
	}
	return fmt.Sprintf("%s: two-sample Kolmogorov-Smirnov D = %.4g, p = %.3g (%d new scores, %d of validation, alarm at p <= %g)",
		verdict, d.Statistic, d.PValue, d.New, d.Validation, d.AlarmRate)
}

// Drift tests whether new scores are distributed as those of validation were. It reports drift where there is none
// with a probability of at most AlarmRate. It returns an error for no scores and for NaN.
func (p *Policy) Drift(scores []float64) (Drift, error) {
	d := Drift{Validation: len(p.Scores), New: len(scores), AlarmRate: p.AlarmRate}
	if len(scores) == 0 || len(p.Scores) == 0 {
		return d, errors.New("policy: drift: there are no scores to compare")
	}
	sorted := slices.Sorted(slices.Values(scores))
	if math.IsNaN(sorted[0]) {
		return d, errors.New("policy: drift: a score is NaN")
	}
	d.Statistic, d.PValue, d.Exact = kolmogorovSmirnov(p.Scores, sorted)
	d.Drifted = d.PValue <= d.AlarmRate
	return d, nil
}
