package misd

import "math"

// AURC returns the area under the risk-coverage curve as the mean of R(1)...R(n), in expectation over the orders of
// predictions with equal confidence: inside a tie group the errors count as spread evenly. Lower is better; a random
// ranking gives the error rate. It does not depend on the order of the input, and equals [Curve.AURCRiemann] where no
// confidences tie. NaN without predictions.
func (c *Curve) AURC() float64 {
	sum := 0.0
	for i := 1; i < len(c.cuts); i++ {
		lo, hi := c.cuts[i-1], c.cuts[i]
		if hi.n-lo.n == 1 {
			sum += ratio(hi.errors, hi.n)
			continue
		}
		errors, rate := float64(lo.errors), ratio(hi.errors-lo.errors, hi.n-lo.n)
		for j := 1; j <= hi.n-lo.n; j++ {
			sum += (errors + rate*float64(j)) / float64(lo.n+j)
		}
	}
	return sum / float64(c.Len())
}

// AURCRiemann returns the mean of R(1)...R(n) with equal confidences in the order of the input, as the code of OpenMix
// (third_party/openmix/utils/metrics.py in RAT_MisD), CRL and Geifman et al. computes AURC. It changes when the input
// is shuffled, unless no confidences tie. NaN without predictions.
func (c *Curve) AURCRiemann() float64 { return c.riskSum() / float64(c.Len()) }

// AURCThreshold returns the mean over the predictions of the selective risk at their own confidence as threshold, the
// formula of Geifman et al. 2019 ("Bias-Reduced Uncertainty Estimation", section 2). NaN without predictions.
func (c *Curve) AURCThreshold() float64 {
	sum := 0.0
	for i := 1; i < len(c.cuts); i++ {
		sum += float64(c.cuts[i].n-c.cuts[i-1].n) * ratio(c.cuts[i].errors, c.cuts[i].n)
	}
	return sum / float64(c.Len())
}

// AURCTrapezoid returns the area of trapezoids between the points of [Curve.RiskCoverage], the AURC of fd-shifts
// (analysis/rc_stats.py). Linear interpolation of the risk flatters large tie groups: the area can lie below that of a
// perfect ranking. NaN without predictions.
func (c *Curve) AURCTrapezoid() float64 {
	if c.Len() == 0 {
		return math.NaN()
	}
	first := c.cuts[1]
	return (float64(first.errors) + c.trapezoids()) / float64(c.Len())
}

// trapezoids returns n times the area under the trapezoids between distinct thresholds; nothing lies below the first.
func (c *Curve) trapezoids() float64 {
	if c.Groups() < 2 {
		return 0
	}
	sum, before := 0.0, ratio(c.cuts[1].errors, c.cuts[1].n)
	for i := 2; i < len(c.cuts); i++ {
		risk := ratio(c.cuts[i].errors, c.cuts[i].n)
		sum += (before + risk) / 2 * float64(c.cuts[i].n-c.cuts[i-1].n)
		before = risk
	}
	return sum
}

// AURCAchievable returns the area under the risk-coverage curve when only thresholds on the convex hull of the ROC
// curve are used and one mixes two neighbouring thresholds at random between them, so that the errors, not the risk,
// are linear in the coverage (fd-shifts, aurc_achievable with non-linear interpolation). NaN without predictions.
func (c *Curve) AURCAchievable() float64 {
	if c.Len() == 0 {
		return math.NaN()
	}
	hull := c.hull()
	sum := float64(hull[0].errors) // from coverage 0 to the first vertex the risk is constant
	for i := 1; i < len(hull); i++ {
		a, b := hull[i-1], hull[i]
		mix := float64(a.errors*b.n-b.errors*a.n) / float64(b.n-a.n)
		sum += float64(b.errors-a.errors) + mix*math.Log(ratio(b.n, a.n))
	}
	return sum / float64(c.Len())
}

// hull returns the cuts that are vertices of the ROC curve's upper convex hull, without the one that accepts nothing.
func (c *Curve) hull() []cut {
	var hull []cut
	for _, k := range c.cuts {
		for len(hull) >= 2 && !turnsRight(hull[len(hull)-2], hull[len(hull)-1], k) {
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, k)
	}
	return hull[1:]
}

// turnsRight tells whether the path a, b, k bends right in the plane of (errors, right predictions).
func turnsRight(a, b, k cut) bool {
	abx, aby := b.errors-a.errors, (b.n-b.errors)-(a.n-a.errors)
	bkx, bky := k.errors-b.errors, (k.n-k.errors)-(b.n-b.errors)
	return abx*bky-aby*bkx < 0
}

// EAURC returns [Curve.AURC] minus the AURC of a perfect ranking of as many predictions and errors, which is
// (1/n) sum_{j=1..E} j/(n-E+j): 0 for a perfect ranking, never negative. NaN without predictions.
func (c *Curve) EAURC() float64 { return c.AURC() - c.OptimalAURC() }

// OptimalAURC returns the AURC of a perfect ranking of as many predictions and errors. NaN without predictions.
func (c *Curve) OptimalAURC() float64 {
	sum, right := 0.0, c.Len()-c.Errors()
	for j := 1; j <= c.Errors(); j++ {
		sum += ratio(j, right+j)
	}
	return sum / float64(c.Len())
}

// EAURCAsymptotic returns [Curve.AURCRiemann] minus [Curve.AsymptoticOptimalAURC], the E-AURC of OpenMix and CRL. A
// perfect ranking of finitely many predictions gives a little more than 0. NaN without predictions.
func (c *Curve) EAURCAsymptotic() float64 { return c.AURCRiemann() - c.AsymptoticOptimalAURC() }

// AsymptoticOptimalAURC returns r + (1-r) ln(1-r), the AURC of a perfect ranking of infinitely many predictions with
// error rate r (1 for r = 1, its limit). NaN without predictions.
func (c *Curve) AsymptoticOptimalAURC() float64 {
	r := c.ErrorRate()
	if r == 1 {
		return 1
	}
	return r + (1-r)*math.Log1p(-r)
}

// riskSum returns R(1)+...+R(n) with equal confidences in the order of the input.
func (c *Curve) riskSum() float64 {
	sum, errors := 0.0, 0
	for i, w := range c.wrong {
		errors += int(w)
		sum += ratio(errors, i+1)
	}
	return sum
}
