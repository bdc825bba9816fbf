package corrupt

import "gonum.org/v1/gonum/stat/distuv"

// poisson returns the probabilities that a Poisson number of the given mean is at most 0, 1, ... n-1. The place of a
// uniform number among them is such a number, cut off at n.
func poisson(mean float64, n int) []float64 {
	table := make([]float64, n)
	sum := 0.0
	for k := range table {
		if mean == 0 {
			sum = 1
		} else {
			sum += distuv.Poisson{Lambda: mean}.Prob(float64(k))
		}
		table[k] = sum
	}
	return table
}
