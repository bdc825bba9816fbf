package confidence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// Objective returns "expected aurc within a budget".
func (s *Cascade) Objective() string { return "expected aurc within a budget" }

// Learn chooses, of all bands that cost no more than the budget on a run with the columns of the cheap score and of the
// radius, the one with the lowest expected AURC: that of errors which are not 0 or 1 but the probability that a logistic
// regression on the rank of the radius and its square gives. With the errors themselves, the choice follows the few
// that happen to have a high score. It returns an error where a column is missing, all predictions are right or all
// wrong, or the budget does not reach the cheap score.
func (s *Cascade) Learn(run *misd.Run) (Function, float64, error) {
	t := *s
	curve, err := t.curve(run, orElse(s.Budget, 1.0/3))
	if err != nil {
		return nil, 0, fmt.Errorf("Cascade: %w", err)
	}
	best, found := CascadePoint{Expected: math.Inf(1)}, false
	for _, p := range curve {
		if p.Relative <= orElse(s.Budget, 1.0/3) && p.Expected < best.Expected {
			best, found = p, true
		}
	}
	if !found {
		return nil, 0, fmt.Errorf("Cascade: a budget of %g of the radius's cost is not enough for %s", orElse(s.Budget, 1.0/3), s.cheap().Name())
	}
	if err := t.fit(run, best.Band); err != nil {
		return nil, 0, fmt.Errorf("Cascade: %w", err)
	}
	return &t, best.Expected, nil
}

// CascadePoint is a cascade with the best band for its cost.
type CascadePoint struct {
	Share    float64    // of images searched
	Cost     float64    // forward equivalents an image
	Relative float64    // cost over that of the radius of all images
	Expected float64    // AURC, which the band was chosen by: see [Cascade.Learn]
	AURC     float64    // tie-averaged, of the labels
	Band     [2]float64 // of the cheap score
}

// Curve returns the best band for shares of images from 0 to 1 in steps of 5 %, on a run with the columns of the cheap
// score and of the radius: the curve of AURC against cost. On the data that a band is chosen on its AURC is a little too
// good.
func (s *Cascade) Curve(run *misd.Run) ([]CascadePoint, error) {
	t := *s
	points, err := t.curve(run, math.Inf(1))
	if err != nil {
		return nil, fmt.Errorf("confidence: Cascade: %w", err)
	}
	return points, nil
}

const shareSteps, startSteps = 20, 40

// curve returns the best band for each share of images that costs no more than most, as a share of the radius's cost,
// and for the largest such share. It sets the ranks of the cheap score.
func (s *Cascade) curve(run *misd.Run, most float64) ([]CascadePoint, error) {
	cheap, rad, err := s.columns(run)
	if err != nil {
		return nil, err
	}
	if s.cheapRanks, err = newRanks(cheap.Values); err != nil {
		return nil, fmt.Errorf("%s: %w", cheap.Name, err)
	}
	most = math.Min(1, most-cheap.Cost/rad.Cost)
	var shares []float64
	for k := 0; float64(k)/shareSteps < most; k++ {
		shares = append(shares, float64(k)/shareSteps)
	}
	if most >= 0 {
		shares = append(shares, most)
	}
	wrong, err := smoothErrors(rad.Values, run.Correct())
	if err != nil {
		return nil, err
	}
	sorted := slices.Sorted(slices.Values(cheap.Values))
	var points []CascadePoint
	for _, share := range shares {
		best := CascadePoint{Expected: math.Inf(1)}
		width := int(share * float64(len(sorted)))
		for k := range startSteps + 1 {
			start := k * (len(sorted) - width) / startSteps
			p, err := s.point(run, wrong, sorted, start, width)
			if err != nil {
				return nil, err
			}
			if p.Expected < best.Expected {
				best = p
			}
		}
		points = append(points, best)
	}
	return points, nil
}

// columns returns the columns of the two scores.
func (s *Cascade) columns(run *misd.Run) (cheap, rad *misd.Score, err error) {
	cheap, rad = run.Score(s.cheap().Name()), run.Score(s.Search().Name())
	switch {
	case cheap == nil || rad == nil:
		return nil, nil, fmt.Errorf("the run lacks score %s or %s", s.cheap().Name(), s.Search().Name())
	case len(cheap.Values) == 0:
		return nil, nil, errors.New("the run has no images")
	case !(rad.Cost > cheap.Cost):
		return nil, nil, fmt.Errorf("%s costs %g forward passes and %s %g; the first must cost less", cheap.Name, cheap.Cost, rad.Name, rad.Cost)
	}
	return cheap, rad, nil
}

// point judges the band of the width images from the start-th least cheap score, by the probabilities of errors.
func (s *Cascade) point(run *misd.Run, wrong, sorted []float64, start, width int) (CascadePoint, error) {
	p := CascadePoint{Band: [2]float64{math.MaxFloat64, -math.MaxFloat64}}
	if width > 0 {
		p.Band = [2]float64{sorted[start], sorted[start+width-1]}
	}
	t := *s
	if err := t.fit(run, p.Band); err != nil {
		return p, err
	}
	cheap, rad, err := s.columns(run)
	if err != nil {
		return p, err
	}
	values, searched := make([]float64, len(cheap.Values)), 0
	for i, v := range cheap.Values {
		if v >= p.Band[0] && v <= p.Band[1] {
			values[i] = t.place(rad.Values[i])
			searched++
		} else {
			values[i] = t.settled(v)
		}
	}
	c, err := misd.NewCurve(values, run.Correct())
	if err != nil {
		return p, err
	}
	p.AURC, p.Expected = c.AURC(), expectedAURC(values, wrong)
	p.Share = float64(searched) / float64(len(values))
	p.Cost = cheap.Cost + p.Share*rad.Cost
	p.Relative = p.Cost / rad.Cost
	return p, nil
}

// fit sets the band and the ranks in it.
func (s *Cascade) fit(run *misd.Run, band [2]float64) (err error) {
	cheap, rad, err := s.columns(run)
	if err != nil {
		return err
	}
	s.Band = band
	var inside []float64
	for i, v := range cheap.Values {
		if v >= band[0] && v <= band[1] {
			inside = append(inside, rad.Values[i])
		}
	}
	if len(inside) == 0 { // an empty band: nothing is searched
		s.inBandRank = ranks{Knots: []float64{0}, Shares: []float64{0.5}}
		return nil
	}
	if s.inBandRank, err = newRanks(inside); err != nil {
		return fmt.Errorf("%s: %w", rad.Name, err)
	}
	return nil
}

// smoothErrors returns the probability that each prediction is wrong, by a logistic regression on the rank of its score
// and its square.
func smoothErrors(scores []float64, correct []bool) ([]float64, error) {
	r, err := newRanks(scores)
	if err != nil {
		return nil, err
	}
	right := 0
	x := make([][]float64, len(scores))
	for i, v := range scores {
		u := r.at(v) - 0.5
		x[i] = []float64{u, u * u}
		if correct[i] {
			right++
		}
	}
	if right == 0 || right == len(correct) {
		return nil, fmt.Errorf("%d of %d validation predictions are right; it learns from both kinds", right, len(correct))
	}
	w, err := logistic(x, correct, 1e-4)
	if err != nil {
		return nil, err
	}
	wrong := make([]float64, len(x))
	for i, row := range x {
		wrong[i] = 1 / (1 + math.Exp(linear(w, row)))
	}
	return wrong, nil
}

// expectedAURC returns the AURC of errors that are probabilities, equal scores in their order.
func expectedAURC(scores, wrong []float64) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	sum, errs := 0.0, 0.0
	for k, i := range order {
		errs += wrong[i]
		sum += errs / float64(k+1)
	}
	return sum / float64(len(scores))
}
