package misd

import (
	"math"
	"sort"
)

// Positive says what a detector is asked to find. It matters to false positive rates and to precision and recall, not
// to AUROC.
type Positive int

const (
	// PositiveError looks for wrong predictions: it flags those with low confidence.
	PositiveError Positive = iota
	// PositiveSuccess looks for right predictions: it picks those with high confidence.
	PositiveSuccess
)

// ROCPoint is one point of a receiver operating characteristic.
type ROCPoint struct {
	FPR float64 // share of negatives picked
	TPR float64 // share of positives picked
	// Threshold is the last confidence picked: with PositiveSuccess all >= Threshold are, with PositiveError all
	// <= Threshold. NaN where nothing is picked.
	Threshold float64
}

// AUROC returns the area under the ROC curve: the probability that a random right prediction is more confident than a
// random wrong one, ties counting one half. Higher is better, 0.5 is chance. It does not depend on which class is
// called positive. NaN if all predictions are right or all are wrong.
func (c *Curve) AUROC() float64 {
	if !c.twoClasses() {
		return math.NaN()
	}
	above, ties := 0, 0 // pairs won by the right prediction, and pairs of equal confidence
	for i := 1; i < len(c.cuts); i++ {
		lo, hi := c.cuts[i-1], c.cuts[i]
		errors := hi.errors - lo.errors
		above += errors * (lo.n - lo.errors)
		ties += errors * (hi.n - lo.n - errors)
	}
	errors, right := c.Errors(), c.Len()-c.Errors()
	return (float64(above) + float64(ties)/2) / (float64(errors) * float64(right))
}

// ROC returns the ROC curve from (0,0) to (1,1), a point at every distinct threshold. It is nil if all predictions
// are right or all are wrong.
func (c *Curve) ROC(p Positive) []ROCPoint {
	if !c.twoClasses() {
		return nil
	}
	points := make([]ROCPoint, len(c.cuts))
	for i := range points {
		points[i] = ROCPoint{c.fpr(p, i), c.tpr(p, i), c.threshold(p, i)}
	}
	return points
}

// FPRAtTPR returns the false positive rate at the first threshold, from the strictest, whose true positive rate is at
// least tpr. No threshold is left out. With PositiveError it is the share of right predictions that are flagged when
// the share tpr of the errors is caught; with PositiveSuccess the share of errors that are accepted when the share tpr
// of the right predictions is. Lower is better. NaN if all predictions are right or all are wrong, or if tpr is
// outside [0,1].
func (c *Curve) FPRAtTPR(p Positive, tpr float64) float64 {
	if !c.twoClasses() || !(tpr >= 0 && tpr <= 1) {
		return math.NaN()
	}
	return c.fpr(p, c.reach(p, tpr))
}

// reach returns how many groups must be picked for a true positive rate of at least tpr.
func (c *Curve) reach(p Positive, tpr float64) int {
	return sort.Search(c.Groups(), func(i int) bool { return c.tpr(p, i) >= tpr })
}

// picked counts the true and false positives when the i groups most like p are picked.
func (c *Curve) picked(p Positive, i int) (tp, fp int) {
	if p == PositiveSuccess {
		k := c.cuts[i]
		return k.n - k.errors, k.errors
	}
	all, rest := c.all(), c.cuts[c.Groups()-i]
	errors := all.errors - rest.errors
	return errors, all.n - rest.n - errors
}

func (c *Curve) tpr(p Positive, i int) float64 {
	tp, _ := c.picked(p, i)
	return ratio(tp, c.positives(p))
}

func (c *Curve) fpr(p Positive, i int) float64 {
	_, fp := c.picked(p, i)
	return ratio(fp, c.Len()-c.positives(p))
}

// threshold returns the last confidence picked when i groups are.
func (c *Curve) threshold(p Positive, i int) float64 {
	switch {
	case i == 0:
		return math.NaN()
	case p == PositiveSuccess:
		return c.thresholds[i-1]
	default:
		return c.thresholds[c.Groups()-i]
	}
}

func (c *Curve) positives(p Positive) int {
	if p == PositiveSuccess {
		return c.Len() - c.Errors()
	}
	return c.Errors()
}
