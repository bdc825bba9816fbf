package misd

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// Selection is a threshold with a guarantee: a service accepts the predictions for which [Selection.Accept] is true
// and passes the others on. It is made from labelled predictions that were used for nothing else (not for training, not
// for choosing the score), and holds for new predictions drawn as those were. Written as JSON and read back it is the
// same.
type Selection struct {
	Method string  `json:"method"` // "sgr" or "crc"
	Target float64 `json:"target"` // the risk asked for
	Delta  float64 `json:"delta"`  // probability that the guarantee fails; 0 for "crc", whose guarantee is of the mean

	Threshold float64 `json:"threshold"` // accept confidence >= Threshold; NaN (in JSON null) if nothing is accepted
	Bound     float64 `json:"bound"`     // what is guaranteed; NaN (null) if no threshold meets the target
	Feasible  bool    `json:"feasible"`  // whether a threshold meets the target

	N        int `json:"n"`        // labelled predictions it was made from
	Accepted int `json:"accepted"` // those among them that Threshold accepts
	Errors   int `json:"errors"`   // the wrong ones among the accepted

	Steps []SGRStep `json:"steps,omitempty"` // the thresholds that "sgr" tried, in order
}

// SGRStep is one threshold tried by [Curve.SGR].
type SGRStep struct {
	Rank      int     `json:"rank"` // 1-based rank of the threshold in ascending confidence
	Threshold float64 `json:"threshold"`
	Accepted  int     `json:"accepted"`
	Errors    int     `json:"errors"`
	Bound     float64 `json:"bound"` // Clopper-Pearson bound of the selective risk, at delta over the number of steps
	OK        bool    `json:"ok"`    // whether Bound is below the target
}

// Accept tells whether a prediction of the given confidence is accepted.
func (s Selection) Accept(confidence float64) bool { return confidence >= s.Threshold }

// Coverage returns the share of the labelled predictions that is accepted. NaN for the zero Selection.
func (s Selection) Coverage() float64 { return ratio(s.Accepted, s.N) }

// ClopperPearsonUpper returns the upper confidence bound of an error probability after errors in n independent trials:
// the b for which at most that many errors have probability delta. It is 1 for errors = n and for n = 0. It returns an
// error unless 0 <= errors <= n and 0 < delta < 1.
func ClopperPearsonUpper(errors, n int, delta float64) (float64, error) {
	if errors < 0 || n < errors {
		return 0, fmt.Errorf("misd: clopper-pearson: %d errors in %d trials", errors, n)
	}
	if !(delta > 0 && delta < 1) {
		return 0, fmt.Errorf("misd: clopper-pearson: delta %g is outside (0,1)", delta)
	}
	if errors == n {
		return 1, nil
	}
	return clopperPearson(errors, n, delta), nil
}

func clopperPearson(errors, n int, delta float64) float64 {
	if errors == 0 { // (1-b)^n = delta
		return -math.Expm1(math.Log(delta) / float64(n))
	}
	// The complement keeps the digits of a small delta.
	return 1 - mathext.InvRegIncBeta(float64(n-errors), float64(errors+1), delta)
}

// SGR returns the threshold of largest coverage that a binary search finds whose selective risk, the error rate among
// the accepted, is below risk with probability at least 1-delta over the labelled predictions (Geifman & El-Yaniv 2017,
// "Selective Classification for Deep Neural Networks", algorithm 1). It takes the step of largest coverage that
// passed, where the authors' code takes the last step tried. The search never tries to accept everything. It returns an
// error for a curve without predictions or if risk or delta is outside (0,1).
func (c *Curve) SGR(risk, delta float64) (Selection, error) {
	if c.Len() == 0 {
		return Selection{}, errors.New("misd: sgr: no predictions")
	}
	if !(risk > 0 && risk < 1) || !(delta > 0 && delta < 1) {
		return Selection{}, fmt.Errorf("misd: sgr: risk %g and delta %g must be in (0,1)", risk, delta)
	}
	s := c.infeasible("sgr", risk, delta)
	steps := max(1, int(math.Ceil(math.Log2(float64(c.Len())))))
	low, high := 1, c.Len() // ranks in ascending confidence
	for range steps {
		rank := (low + high + 1) / 2
		k, threshold := c.atLeast(c.Len() - rank + 1)
		bound, err := ClopperPearsonUpper(k.errors, k.n, delta/float64(steps))
		if err != nil {
			return Selection{}, fmt.Errorf("misd: sgr: %w", err)
		}
		step := SGRStep{rank, threshold, k.n, k.errors, bound, bound < risk}
		s.Steps = append(s.Steps, step)
		if !step.OK {
			low = rank
			continue
		}
		high = rank
		if k.n > s.Accepted {
			s.accept(k, threshold, bound)
		}
	}
	return s, nil
}

// ConformalRisk returns the lowest threshold for which the joint risk, the probability that a prediction is accepted
// and wrong, is at most alpha on average over the labelled predictions (Angelopoulos et al. 2022, "Conformal Risk
// Control", with loss 1 for an accepted error). Bound is (errors+1)/(n+1). The joint risk is the generalised risk, not
// the error rate among the accepted. Where no threshold will do, as for alpha < 1/(n+1), nothing is accepted. It returns
// an error for a curve without predictions or if alpha is outside (0,1).
func (c *Curve) ConformalRisk(alpha float64) (Selection, error) {
	if c.Len() == 0 {
		return Selection{}, errors.New("misd: conformal risk: no predictions")
	}
	if !(alpha > 0 && alpha < 1) {
		return Selection{}, fmt.Errorf("misd: conformal risk: alpha %g is outside (0,1)", alpha)
	}
	s := c.infeasible("crc", alpha, 0)
	for i := c.Groups(); i > 0; i-- {
		if bound := ratio(c.cuts[i].errors+1, c.Len()+1); bound <= alpha {
			s.accept(c.cuts[i], c.thresholds[i-1], bound)
			break
		}
	}
	return s, nil
}

func (c *Curve) infeasible(method string, target, delta float64) Selection {
	return Selection{Method: method, Target: target, Delta: delta, Threshold: math.NaN(), Bound: math.NaN(), N: c.Len()}
}

func (s *Selection) accept(k cut, threshold, bound float64) {
	s.Accepted, s.Errors, s.Threshold, s.Bound, s.Feasible = k.n, k.errors, threshold, bound, true
}

// atLeast returns what is accepted, and the threshold, when the n > 0 most confident predictions and their ties are.
func (c *Curve) atLeast(n int) (cut, float64) {
	i := 1 + sort.Search(c.Groups(), func(i int) bool { return c.cuts[i+1].n >= n })
	return c.cuts[i], c.thresholds[i-1]
}
