package misd

import "math"

// PRPoint is one point of a precision-recall curve.
type PRPoint struct {
	Recall    float64 // share of positives picked
	Precision float64 // share of positives among the picked; 1 where nothing is picked
	Threshold float64 // the last confidence picked, as in ROCPoint
}

// AveragePrecision returns the area under the precision-recall curve as a step function: the sum over thresholds of
// precision times the growth of recall (scikit-learn's average_precision_score). Higher is better; chance is the share
// of positives. NaN if all predictions are right or all are wrong.
func (c *Curve) AveragePrecision(p Positive) float64 {
	return c.areaPR(p, func(before, precision float64) float64 { return precision })
}

// AUPRTrapezoid returns the area under the precision-recall curve by trapezoids, with precision 1 at recall 0, as
// OpenMix computes AUPR-Success. It is optimistic, above all with large tie groups. NaN if all predictions are right or
// all are wrong.
func (c *Curve) AUPRTrapezoid(p Positive) float64 {
	return c.areaPR(p, func(before, precision float64) float64 { return (before + precision) / 2 })
}

// PrecisionRecall returns the precision-recall curve by ascending recall, from (0,1) through every distinct threshold.
// It is nil if all predictions are right or all are wrong.
func (c *Curve) PrecisionRecall(p Positive) []PRPoint {
	if !c.twoClasses() {
		return nil
	}
	points := []PRPoint{{Recall: 0, Precision: 1, Threshold: math.NaN()}}
	for i := 1; i < len(c.cuts); i++ {
		points = append(points, PRPoint{c.tpr(p, i), c.precision(p, i), c.threshold(p, i)})
	}
	return points
}

func (c *Curve) areaPR(p Positive, height func(before, precision float64) float64) float64 {
	if !c.twoClasses() {
		return math.NaN()
	}
	sum, found, before := 0.0, 0, 1.0
	for i := 1; i < len(c.cuts); i++ {
		tp, fp := c.picked(p, i)
		precision := ratio(tp, tp+fp)
		sum += float64(tp-found) * height(before, precision)
		found, before = tp, precision
	}
	return sum / float64(found)
}

func (c *Curve) precision(p Positive, i int) float64 {
	tp, fp := c.picked(p, i)
	return ratio(tp, tp+fp)
}
