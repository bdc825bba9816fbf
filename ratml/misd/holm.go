package misd

import (
	"cmp"
	"math"
	"slices"
)

// Holm corrects p-values for their number (Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure"):
// rejecting all hypotheses whose corrected value is at most alpha errs on any true one with probability at most alpha,
// however the tests depend on each other. The corrected value of the i-th smallest of m is the largest of (m-j+1) p_j
// over j <= i, at most 1. NaN stays NaN and does not count: a difference that is not defined is no test.
func Holm(p []float64) []float64 {
	var order []int
	for i := range p {
		if !math.IsNaN(p[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out := slices.Repeat([]float64{math.NaN()}, len(p))
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, float64(len(order)-rank)*p[i]))
		out[i] = largest
	}
	return out
}
