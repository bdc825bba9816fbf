package misd

import "math"

// The metrics of this file reproduce published code, quirks included, so that its numbers can be compared with ours.

// AURCRAT returns the AURC of the RAT code (utils/misc.py, evaluate_AURC; the legacy AURC of fd-shifts). Removing
// predictions by ascending confidence, it reads the risk after the first member of each tie group instead of the last,
// weighs the readings by trapezoids, and without ties leaves out coverages below 1/n. So the value depends on the
// order of the input where confidences tie (here: equal confidences are removed in the order of the input), all wrong
// predictions give 1-1/n, and a single wrong one gives 0. NaN without predictions.
func (c *Curve) AURCRAT() float64 {
	if c.Len() == 0 {
		return math.NaN()
	}
	sum, before := 0.0, cut{c.Len(), c.Errors()}
	c.ratCuts(func(k cut) {
		sum += (ratio(before.errors, before.n) + ratio(k.errors, k.n)) / 2 * ratio(before.n-k.n, c.Len())
		before = k
	})
	return sum + ratio(before.errors, before.n)*ratio(before.n-1, c.Len())
}

// RiskCoverageRAT returns the risk-coverage curve that the RAT code draws: the points of [Curve.AURCRAT], by
// descending coverage. Thresholds are the lowest confidence still accepted. It is nil without predictions.
func (c *Curve) RiskCoverageRAT() []Point {
	if c.Len() == 0 {
		return nil
	}
	points := []Point{c.point(c.Groups(), c.ErrorRate())}
	last := c.all()
	g := c.Groups()
	c.ratCuts(func(k cut) {
		for c.cuts[g-1].n >= k.n {
			g--
		}
		points = append(points, Point{ratio(k.n, c.Len()), ratio(k.errors, k.n), c.thresholds[g-1]})
		last = k
	})
	if last.n > 1 {
		points = append(points, Point{0, points[len(points)-1].Risk, math.NaN()})
	}
	return points
}

// ratCuts calls yield with what is accepted once the first member of each tie group is removed, least confident group
// first. The most confident prediction of all is never removed.
func (c *Curve) ratCuts(yield func(cut)) {
	for i := c.Groups(); i > 0; i-- {
		first := c.cuts[i-1].n // rank of the group's first member in the input
		if k := (cut{c.cuts[i].n - 1, c.cuts[i].errors - int(c.wrong[first])}); k.n > 0 {
			yield(k)
		}
	}
}

// AURCTU returns the AURC of torch-uncertainty (metrics/classification/risk_coverage.py): trapezoids between
// (k/n, R(k)), k = 1...n, divided by 1-1/n. Equal confidences keep the order of the input. NaN for fewer than two
// predictions.
func (c *Curve) AURCTU() float64 {
	if c.Len() < 2 {
		return math.NaN()
	}
	ends := float64(c.wrong[0]) + c.ErrorRate()
	return (c.riskSum() - ends/2) / float64(c.Len()-1)
}

// AUGRCTU returns the AUGRC of torch-uncertainty: trapezoids between (k/n, Ecum(k)/n), k = 1...n, divided by 1-1/n.
// Equal confidences keep the order of the input. NaN for fewer than two predictions.
func (c *Curve) AUGRCTU() float64 {
	if c.Len() < 2 {
		return math.NaN()
	}
	sum, errors := 0, 0 // sum of Ecum(k)
	for _, w := range c.wrong {
		errors += int(w)
		sum += errors
	}
	ends := int(c.wrong[0]) + errors
	return float64(2*sum-ends) / 2 / float64(c.Len()) / float64(c.Len()-1)
}

// AURCRelU returns the AURC of relative-uncertainty (src/utils/eval.py): trapezoids between the distinct thresholds,
// and nothing for coverages below the first, so that a large most-confident tie group makes it small. NaN for fewer
// than two distinct confidences.
func (c *Curve) AURCRelU() float64 {
	if c.Groups() < 2 {
		return math.NaN()
	}
	return c.trapezoids() / float64(c.Len())
}

// FPR95ErrorRAT returns FPR95 as the RAT code computes it (models/BaseModel.py): positive = error, the first
// TPR >= 0.95 among the points that scikit-learn's roc_curve keeps with drop_intermediate. It is never below
// FPRAtTPR(PositiveError, 0.95), and much above where the points left out lie on straight parts of the curve.
// NaN if all predictions are right or all are wrong.
func (c *Curve) FPR95ErrorRAT() float64 { return c.fprKept(PositiveError, 0.95) }

// FPR95SuccessFDShifts returns FPR95 as fd-shifts computes it (analysis/metrics.py): positive = right prediction, the
// smallest FPR with TPR >= 0.9495 among the points that scikit-learn's roc_curve keeps. NaN if all predictions are
// right or all are wrong.
func (c *Curve) FPR95SuccessFDShifts() float64 { return c.fprKept(PositiveSuccess, 0.9495) }

// FPR95SuccessOpenMix returns FPR95 as OpenMix and CRL compute it (utils/metrics.py, calc_fpr_aupr): positive = right
// prediction, the TPR nearest to 0.95, which may lie below, among the points that scikit-learn's roc_curve keeps. NaN
// if all predictions are right or all are wrong.
func (c *Curve) FPR95SuccessOpenMix() float64 {
	if !c.twoClasses() {
		return math.NaN()
	}
	best, fpr := math.Inf(1), 0.0
	for i := range c.cuts {
		if d := math.Abs(c.tpr(PositiveSuccess, i) - 0.95); d < best && c.kept(PositiveSuccess, i) {
			best, fpr = d, c.fpr(PositiveSuccess, i)
		}
	}
	return fpr
}

// FPR95ErrorTU returns FPR95 as torch-uncertainty's FPRx computed it until early 2026 (metrics/classification/fpr.py)
// with errors as positives and low confidence as their score: the recall nearest to 0.95 in float32, of two equally near
// the higher. Its version 0.13 computes FPRAtTPR(PositiveError, 0.95) instead.
// NaN if all predictions are right or all are wrong.
func (c *Curve) FPR95ErrorTU() float64 {
	if !c.twoClasses() {
		return math.NaN()
	}
	best, fpr := float32(math.Inf(1)), 0.0
	for i := 1; i < len(c.cuts); i++ {
		tp, fp := c.picked(PositiveError, i)
		d := float32(tp)/float32(c.Errors()) - 0.95
		if d = max(d, -d); d <= best {
			best, fpr = d, ratio(fp, c.Len()-c.Errors())
		}
		if tp == c.Errors() {
			break // the first full recall ends the curve
		}
	}
	return fpr
}

// CoverageAtRiskTU returns the coverage at a risk as torch-uncertainty's CovAtxRisk computed it until early 2026: as
// [Curve.CoverageAtRisk] without regard to ties, but NaN also where the prediction it checks by mistake (counted from
// the most instead of from the least confident) exceeds the risk, as when the most confident prediction is wrong.
// Its version 0.13 is NaN only where nothing can be accepted. NaN without predictions or if risk is NaN.
func (c *Curve) CoverageAtRiskTU(risk float64) float64 {
	n, errors := c.Len(), c.Errors()
	if n == 0 || math.IsNaN(risk) {
		return math.NaN()
	}
	exceeds := make([]bool, n) // R(k+1) > risk
	for k := n; k > 0; k-- {
		exceeds[k-1] = ratio(errors, k) > risk
		errors -= int(c.wrong[k-1])
	}
	dropped := 0 // least confident predictions to drop
	for dropped < n && exceeds[n-1-dropped] {
		dropped++
	}
	if dropped == n {
		dropped = 0
	}
	if exceeds[dropped] {
		return math.NaN()
	}
	return 1 - ratio(dropped, n)
}

// fprKept is FPRAtTPR over the points that scikit-learn keeps.
func (c *Curve) fprKept(p Positive, tpr float64) float64 {
	if !c.twoClasses() {
		return math.NaN()
	}
	i := c.reach(p, tpr)
	for !c.kept(p, i) {
		i++
	}
	return c.fpr(p, i)
}

// kept tells whether scikit-learn's roc_curve(drop_intermediate=True) keeps point i: the first two, the last, and
// those where the group picked last differs from the one that comes next.
func (c *Curve) kept(p Positive, i int) bool {
	if i <= 1 || i == c.Groups() {
		return true
	}
	tp0, fp0 := c.picked(p, i-1)
	tp1, fp1 := c.picked(p, i)
	tp2, fp2 := c.picked(p, i+1)
	return tp1-tp0 != tp2-tp1 || fp1-fp0 != fp2-fp1
}
