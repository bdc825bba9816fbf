package confidence

import (
	"errors"
	"math"
	"slices"
	"sort"
)

// ranks maps scores to the share of fitted ones that lie below, by straight lines between at most mostKnots of their
// quantiles. Beyond the least and the largest it goes on rising, by less than a knot's share in all, so that the order
// of scores is kept whatever their scale.
type ranks struct {
	Knots  []float64 `json:"knots"`  // ascending, distinct
	Shares []float64 `json:"shares"` // of fitted scores below each knot, ties counted half
}

const mostKnots = 256

// newRanks fits the map to scores.
func newRanks(scores []float64) (ranks, error) {
	if len(scores) == 0 {
		return ranks{}, errors.New("no scores to rank")
	}
	v := slices.Clone(scores)
	slices.Sort(v)
	if math.IsNaN(v[0]) || math.IsInf(v[0], 0) || math.IsInf(v[len(v)-1], 0) {
		return ranks{}, errors.New("scores that are not finite have no ranks")
	}
	var r ranks
	for k := range mostKnots {
		x := v[k*(len(v)-1)/(mostKnots-1)]
		if n := len(r.Knots); n > 0 && r.Knots[n-1] == x {
			continue
		}
		below := sort.SearchFloat64s(v, x)
		upTo := sort.Search(len(v), func(i int) bool { return v[i] > x })
		r.Knots = append(r.Knots, x)
		r.Shares = append(r.Shares, float64(below+upTo)/float64(2*len(v)))
	}
	return r, nil
}

// at returns the rank of x, more than 0 and less than 1 as a rule and never beyond by more than a knot's share.
func (r ranks) at(x float64) float64 {
	last := len(r.Knots) - 1
	i := sort.SearchFloat64s(r.Knots, x)
	switch {
	case i > last:
		return r.Shares[last] + tail(x-r.Knots[last], r.Knots[last]-r.Knots[0])
	case r.Knots[i] == x:
		return r.Shares[i]
	case i == 0:
		return r.Shares[0] - tail(r.Knots[0]-x, r.Knots[last]-r.Knots[0])
	}
	lo, hi := r.Knots[i-1], r.Knots[i]
	return r.Shares[i-1] + (r.Shares[i]-r.Shares[i-1])*(x-lo)/(hi-lo)
}

// tail rises from 0 towards half a knot's share as the distance grows.
func tail(distance, span float64) float64 {
	if span == 0 {
		span = 1
	}
	if math.IsInf(distance, 1) {
		return 0.5 / mostKnots
	}
	return distance / (distance + span) / 2 / mostKnots
}

// valid returns an error where the knots do not ascend or do not match the shares. No knots at all are valid: nothing
// was fitted.
func (r ranks) valid() error {
	if len(r.Knots) != len(r.Shares) {
		return errors.New("ranks with as many knots as shares are wanted")
	}
	for i := 1; i < len(r.Knots); i++ {
		if !(r.Knots[i] > r.Knots[i-1] && r.Shares[i] >= r.Shares[i-1]) {
			return errors.New("the knots of ranks do not ascend")
		}
	}
	return nil
}
