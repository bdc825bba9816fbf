package main

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// interval is what a test says of a difference.
type interval struct {
	Low, High float64 // 95 %
	P         float64 // two-sided, of no difference
	Holm      float64 // P corrected for the comparisons of the same score and metric on the same data set
}

var undefined = interval{math.NaN(), math.NaN(), math.NaN(), math.NaN()}

// pairedT is Student's test of the mean of x[i]-y[i]. All is NaN for fewer than two pairs, or where one is not finite.
func pairedT(x, y []float64) interval {
	n := len(x)
	d := make([]float64, n)
	for i := range d {
		d[i] = x[i] - y[i]
	}
	mean, deviation := stat.MeanStdDev(d, nil)
	if n < 2 || math.IsNaN(deviation) || math.IsInf(mean, 0) {
		return undefined
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}
	half := t.Quantile(.975) * deviation / math.Sqrt(float64(n))
	p := 1.
	if mean != 0 {
		p = 2 * t.CDF(-math.Abs(mean)/(deviation/math.Sqrt(float64(n))))
	}
	return interval{mean - half, mean + half, p, math.NaN()}
}
