package misd

// AUGRC returns the area under the generalised-risk-coverage curve: trapezoids between the points (K/n, Ecum(K)/n) at
// distinct thresholds and (0,0). It equals (1-AUROC) r (1-r) + r²/2 with error rate r, and is the average risk of a silent
// failure (Traub et al. 2024, "Overcoming Common Flaws in the Evaluation of Selective Classification Systems").
// Lower is better, at best r²/2; random rankings give r/2. NaN without predictions.
func (c *Curve) AUGRC() float64 {
	sum := 0.0 // twice the area, in units of 1/n²
	for i := 1; i < len(c.cuts); i++ {
		lo, hi := c.cuts[i-1], c.cuts[i]
		sum += float64((lo.errors + hi.errors) * (hi.n - lo.n))
	}
	n := float64(c.Len())
	return sum / 2 / n / n
}
