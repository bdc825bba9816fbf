package policy

import (
	"math"

	"github.com/ratml/rat/ratml/misd"
)

// choose returns the threshold of the largest coverage that meets the target.
func choose(c *misd.Curve, o Options) (misd.Selection, error) {
	var s misd.Selection
	var err error
	best := math.NaN()
	switch o.Method {
	case SGR:
		s, err = c.SGR(o.Risk, o.Delta)
		for _, step := range s.Steps {
			best = least(best, step.Bound)
		}
	case ConformalRisk:
		s, err = c.ConformalRisk(o.Risk)
		best = jointBound(0, c.Len()) // a threshold that accepts no error at all
	default:
		s = plain(c, o.Risk)
		for _, p := range c.RiskCoverage() {
			if p.Coverage > 0 {
				best = least(best, p.Risk)
			}
		}
	}
	if err == nil && !s.Feasible {
		err = &InfeasibleError{Method: o.Method, Target: o.Risk, Images: c.Len(), Best: best}
	}
	return s, err
}

// least ignores NaN.
func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func plain(c *misd.Curve, risk float64) misd.Selection {
	p := c.CoverageAtRisk(risk)
	s := misd.Selection{Method: string(PlainRisk), Target: risk, N: c.Len(), Threshold: p.Threshold, Bound: p.Risk}
	s.Accepted = int(math.Round(p.Coverage * float64(c.Len())))
	s.Errors = int(math.Round(p.Risk * float64(s.Accepted)))
	s.Feasible = s.Accepted > 0
	return s
}

// bound returns what a threshold guarantees that accepts so many of n validation predictions, so many of them wrong.
func (g Guarantee) bound(n, accepted, wrong int) (float64, error) {
	switch g.Method {
	case SGR:
		steps := max(1, int(math.Ceil(math.Log2(float64(n)))))
		return misd.ClopperPearsonUpper(wrong, accepted, g.Delta/float64(steps))
	case ConformalRisk:
		return jointBound(wrong, n), nil
	}
	return float64(wrong) / float64(accepted), nil
}

func jointBound(wrong, n int) float64 { return float64(wrong+1) / float64(n+1) }
