package policy

import "math"

// exactSteps bounds the product of the sample sizes up to which p-values are exact: a fraction of a second.
const exactSteps = 1e8

// kolmogorovSmirnov returns the statistic and the p-value of the two-sided two-sample test of ascending x and y.
func kolmogorovSmirnov(x, y []float64) (statistic, p float64, exact bool) {
	// Distances are counted in units of 1/(n m), so that comparing them is exact.
	n, m := int64(len(x)), int64(len(y))
	var distance int64
	ends := make([]bool, len(x)+len(y)+1) // whether a tie group ends after that many of the pooled values
	for i, j := 0, 0; i < len(x) || j < len(y); {
		v := math.Inf(1)
		if i < len(x) {
			v = x[i]
		}
		if j < len(y) {
			v = math.Min(v, y[j])
		}
		for i < len(x) && x[i] == v {
			i++
		}
		for j < len(y) && y[j] == v {
			j++
		}
		ends[i+j] = true
		distance = max(distance, abs(int64(i)*m-int64(j)*n))
	}
	statistic = float64(distance) / float64(n*m)
	if float64(n)*float64(m) <= exactSteps {
		return statistic, exceeding(n, m, distance, ends), true
	}
	return statistic, kolmogorovTail(statistic * math.Sqrt(float64(n)*float64(m)/float64(n+m))), false
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// exceeding returns the probability that n x's and m y's in random order have a distance of at least the given one
// where a tie group ends: the share of lattice paths from (0,0) to (n,m) that touch such a point (Schroeer and Trenkler
// 1995, "Exact and randomization distributions of Kolmogorov-Smirnov tests two or three samples", Comput. Stat. Data
// Anal. 20). Every term is positive, so small probabilities keep their digits.
func exceeding(n, m, distance int64, ends []bool) float64 {
	touched := make([]float64, m+1) // share of the paths to (i,j) that have touched
	for i := int64(0); i <= n; i++ {
		for j := int64(0); j <= m; j++ {
			switch {
			case ends[i+j] && abs(i*m-j*n) >= distance:
				touched[j] = 1
			case i == 0 && j == 0:
				touched[j] = 0
			case i == 0:
				touched[j] = touched[j-1]
			case j > 0:
				// Of the orders of i+j values a share of i/(i+j) has an x last.
				touched[j] = (float64(i)*touched[j] + float64(j)*touched[j-1]) / float64(i+j)
			}
		}
	}
	return touched[m]
}

// kolmogorovTail returns the probability that the limit distribution of the test exceeds v. With ties it is too large.
func kolmogorovTail(v float64) float64 {
	if v < 0.2 { // the tail is 1 to all digits, the series slow
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k < 100; k++ {
		sum += sign * math.Exp(-2*k*k*v*v)
		sign = -sign
	}
	return math.Min(1, 2*sum)
}
