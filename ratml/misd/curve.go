package misd

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Curve ranks predictions by confidence, most confident first, with equal confidences kept together in tie groups. It
// is the common ground of all metrics of a score. The zero Curve holds no predictions. A Curve does not change after
// [NewCurve] and is safe for concurrent use.
type Curve struct {
	wrong      []uint8   // [n] 1 where the prediction at that rank is wrong; equal confidences keep the order of the input
	order      []int     // [n] input index at each rank
	cuts       []cut     // [groups+1] what is accepted when the first 0, 1, ... groups are; nil without predictions
	thresholds []float64 // [groups] the confidence of each group, descending
}

// cut counts the predictions accepted at one threshold, and the wrong ones among them.
type cut struct{ n, errors int }

// Point is one working point of a score: predictions with confidence of at least Threshold are accepted.
type Point struct {
	Coverage  float64 `json:"coverage"`  // share of predictions accepted, in [0,1]
	Risk      float64 `json:"risk"`      // selective or generalised risk, in [0,1]
	Threshold float64 `json:"threshold"` // NaN (in JSON null) where nothing is accepted: no confidence is >= NaN
}

// NewCurve ranks predictions by confidence. Both slices have one entry a prediction and are not kept. It returns an
// error if the lengths differ or a confidence is NaN; infinite confidences and empty slices are legal.
func NewCurve(confidence []float64, correct []bool) (*Curve, error) {
	if len(confidence) != len(correct) {
		return nil, fmt.Errorf("misd: curve: %d confidences but %d correctness flags", len(confidence), len(correct))
	}
	if i := slices.IndexFunc(confidence, math.IsNaN); i >= 0 {
		return nil, fmt.Errorf("misd: curve: confidence %d is NaN; drop the prediction or give it a number", i)
	}
	if len(confidence) == 0 {
		return &Curve{}, nil
	}
	order := make([]int, len(confidence))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(confidence[b], confidence[a]) })

	c := &Curve{wrong: make([]uint8, len(order)), order: order, cuts: []cut{{}}}
	var at cut
	for rank, i := range order {
		if !correct[i] {
			c.wrong[rank] = 1
			at.errors++
		}
		at.n++
		if rank == len(order)-1 || confidence[order[rank+1]] != confidence[i] {
			c.cuts = append(c.cuts, at)
			c.thresholds = append(c.thresholds, confidence[i])
		}
	}
	return c, nil
}

// Len returns the number of predictions.
func (c *Curve) Len() int { return len(c.wrong) }

// Errors returns the number of wrong predictions.
func (c *Curve) Errors() int { return c.all().errors }

// Groups returns the number of distinct confidences.
func (c *Curve) Groups() int { return len(c.thresholds) }

// ErrorRate returns the share of wrong predictions, the risk at full coverage; NaN without predictions.
func (c *Curve) ErrorRate() float64 { return ratio(c.all().errors, c.Len()) }

// RiskCoverage returns the risk-coverage curve at every distinct threshold, by descending coverage from 1. The last
// point, at coverage 0, repeats the risk of the point before it (as fd-shifts draws it). It is nil without predictions.
func (c *Curve) RiskCoverage() []Point {
	return c.points(func(k cut) float64 { return ratio(k.errors, k.n) }, func(last float64) float64 { return last })
}

// GeneralizedRiskCoverage returns the generalised-risk-coverage curve (Traub et al. 2024) at every distinct threshold,
// by descending coverage from 1 down to the point (0,0). It is nil without predictions.
func (c *Curve) GeneralizedRiskCoverage() []Point {
	return c.points(func(k cut) float64 { return ratio(k.errors, c.Len()) }, func(float64) float64 { return 0 })
}

func (c *Curve) points(risk func(cut) float64, atZero func(last float64) float64) []Point {
	if c.Len() == 0 {
		return nil
	}
	points := make([]Point, 0, len(c.cuts))
	for i := c.Groups(); i > 0; i-- {
		points = append(points, c.point(i, risk(c.cuts[i])))
	}
	last := points[len(points)-1].Risk
	return append(points, Point{Coverage: 0, Risk: atZero(last), Threshold: math.NaN()})
}

// point describes the acceptance of the first i > 0 groups.
func (c *Curve) point(i int, risk float64) Point {
	return Point{Coverage: ratio(c.cuts[i].n, c.Len()), Risk: risk, Threshold: c.thresholds[i-1]}
}

// RiskAtCoverage returns the working point with the highest threshold that still accepts at least the share coverage
// of the predictions. Tie groups are accepted whole, so that Point.Coverage may exceed what was asked. All fields are
// NaN without predictions or if coverage is outside (0,1].
func (c *Curve) RiskAtCoverage(coverage float64) Point {
	if c.Len() == 0 || !(coverage > 0 && coverage <= 1) {
		return Point{math.NaN(), math.NaN(), math.NaN()}
	}
	i := 1 + sort.Search(c.Groups(), func(i int) bool { return ratio(c.cuts[i+1].n, c.Len()) >= coverage })
	return c.point(i, ratio(c.cuts[i].errors, c.cuts[i].n))
}

// CoverageAtRisk returns the working point of the largest coverage whose selective risk is at most risk; the risk need
// not be monotone, so smaller coverages may exceed it. If no threshold reaches the risk, coverage and risk are 0 and
// the threshold is NaN: accept nothing. All fields are NaN without predictions or if risk is NaN.
func (c *Curve) CoverageAtRisk(risk float64) Point {
	if c.Len() == 0 || math.IsNaN(risk) {
		return Point{math.NaN(), math.NaN(), math.NaN()}
	}
	for i := c.Groups(); i > 0; i-- {
		if r := ratio(c.cuts[i].errors, c.cuts[i].n); r <= risk {
			return c.point(i, r)
		}
	}
	return Point{Threshold: math.NaN()}
}

// all counts what is accepted at full coverage.
func (c *Curve) all() cut {
	if len(c.cuts) == 0 {
		return cut{}
	}
	return c.cuts[len(c.cuts)-1]
}

// twoClasses tells whether there are right and wrong predictions to tell apart.
func (c *Curve) twoClasses() bool { return c.Errors() > 0 && c.Errors() < c.Len() }

// ratio returns a/b, NaN for 0/0.
func ratio(a, b int) float64 { return float64(a) / float64(b) }
