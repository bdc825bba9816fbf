package misd

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sample is a score with its predictions; levels says how many distinct confidences there may be.
type sample struct {
	confidence []float64
	correct    []bool
}

func randomSample(rng *rand.Rand, n, levels int) sample {
	s := sample{make([]float64, n), make([]bool, n)}
	for i := range n {
		level := rng.IntN(levels)
		s.confidence[i] = float64(level) / float64(levels)
		s.correct[i] = rng.Float64() < 0.2+0.7*s.confidence[i]
	}
	return s
}

func (s sample) curve(t testing.TB) *Curve {
	t.Helper()
	c, err := NewCurve(s.confidence, s.correct)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s sample) shuffled(rng *rand.Rand) sample {
	out := sample{slices.Clone(s.confidence), slices.Clone(s.correct)}
	rng.Shuffle(len(out.correct), func(i, j int) {
		out.confidence[i], out.confidence[j] = out.confidence[j], out.confidence[i]
		out.correct[i], out.correct[j] = out.correct[j], out.correct[i]
	})
	return out
}

// overSamples runs check on samples of many sizes and degrees of ties.
func overSamples(t *testing.T, check func(t *testing.T, rng *rand.Rand, s sample)) {
	t.Helper()
	for _, n := range []int{1, 2, 3, 7, 30, 200} {
		for _, levels := range []int{1, 2, 5, 1 << 30} {
			t.Run(fmt.Sprintf("n=%d,levels=%d", n, levels), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(n), uint64(levels)))
				for range 20 {
					check(t, rng, randomSample(rng, n, levels))
				}
			})
		}
	}
}

func TestTieSafeMetricsIgnoreOrder(t *testing.T) {
	moved := map[string]bool{} // order-dependent metrics that did change
	overSamples(t, func(t *testing.T, rng *rand.Rand, s sample) {
		a, b := evaluate(t, s.curve(t)), evaluate(t, s.shuffled(rng).curve(t))
		for name := range a {
			m, _ := LookupMetric(name)
			if m.TieSafe {
				close12(t, name, b[name].Value, a[name].Value)
			} else if math.Abs(a[name].Value-b[name].Value) > 1e-6 {
				moved[name] = true
			}
		}
	})
	for _, m := range Metrics() {
		if !m.TieSafe && !moved[m.Name] {
			t.Errorf("%s is not marked tie-safe but never changed", m.Name)
		}
	}
}

func TestMetricsDependOnRanksOnly(t *testing.T) {
	overSamples(t, func(t *testing.T, _ *rand.Rand, s sample) {
		monotone := sample{make([]float64, len(s.confidence)), s.correct}
		for i, k := range s.confidence {
			monotone.confidence[i] = math.Exp(5*k) - 1000
		}
		a, b := evaluate(t, s.curve(t)), evaluate(t, monotone.curve(t))
		for name := range a {
			if a[name].Value != b[name].Value && !math.IsNaN(a[name].Value) {
				t.Errorf("%s: %v, after a monotone map %v", name, a[name].Value, b[name].Value)
			}
		}
	})
}

// TestDefinitions computes metrics from their definitions, without ranks or groups.
func TestDefinitions(t *testing.T) {
	overSamples(t, func(t *testing.T, rng *rand.Rand, s sample) {
		c := s.curve(t)
		r, auroc := c.ErrorRate(), pairwise(s)
		close12(t, "auroc", c.AUROC(), auroc)
		close12(t, "aurc_threshold", c.AURCThreshold(), thresholdSum(s))
		if math.IsNaN(auroc) {
			auroc = 0.5 // does not matter: r(1-r) = 0
		}
		close12(t, "augrc", c.AUGRC(), (1-auroc)*r*(1-r)+r*r/2)
		if e := c.EAURC(); e < -1e-15 {
			t.Errorf("eaurc = %g is negative", e)
		}
		if c.Groups() == c.Len() {
			close12(t, "aurc without ties", c.AURC(), c.AURCRiemann())
			close12(t, "aurc_threshold without ties", c.AURC(), c.AURCThreshold())
		}
		if f, kept := c.FPRAtTPR(PositiveError, 0.95), c.FPR95ErrorRAT(); kept < f {
			t.Errorf("fpr95_error_rat = %g is below fpr95_error = %g", kept, f)
		}
		reversed := sample{make([]float64, len(s.confidence)), s.correct}
		for i, k := range s.confidence {
			reversed.confidence[i] = -k
		}
		close12(t, "auroc of the reversed score", reversed.curve(t).AUROC(), 1-c.AUROC())
	})
}

// pairwise is AUROC as the share of pairs in the right order.
func pairwise(s sample) float64 {
	won, pairs := 0.0, 0.0
	for i, right := range s.correct {
		for j, otherRight := range s.correct {
			if right && !otherRight {
				pairs++
				won += (1 + float64(cmp.Compare(s.confidence[i], s.confidence[j]))) / 2
			}
		}
	}
	return won / pairs
}

func thresholdSum(s sample) float64 {
	sum := 0.0
	for _, threshold := range s.confidence {
		accepted, wrong := 0.0, 0.0
		for j, k := range s.confidence {
			if k >= threshold {
				accepted++
				if !s.correct[j] {
					wrong++
				}
			}
		}
		sum += wrong / accepted
	}
	return sum / float64(len(s.correct))
}

// TestAURCIsMeanOverTieOrders averages the Riemann sum over all orders of the input.
func TestAURCIsMeanOverTieOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, levels := range []int{1, 2, 3} {
		s := randomSample(rng, 7, levels)
		s.correct = []bool{true, false, true, true, false, false, true}
		sum, orders := 0.0, 0
		permute(len(s.correct), func(order []int) {
			p := sample{make([]float64, len(order)), make([]bool, len(order))}
			for i, j := range order {
				p.confidence[i], p.correct[i] = s.confidence[j], s.correct[j]
			}
			sum += p.curve(t).AURCRiemann()
			orders++
		})
		if orders != 5040 {
			t.Fatalf("%d orders", orders)
		}
		close12(t, fmt.Sprintf("mean over orders, %d levels", levels), s.curve(t).AURC(), sum/float64(orders))
	}
}

// permute calls visit with every permutation of 0...n-1.
func permute(n int, visit func([]int)) {
	order := make([]int, 0, n)
	var extend func()
	extend = func() {
		if len(order) == n {
			visit(order)
			return
		}
		for i := range n {
			if !slices.Contains(order, i) {
				order = append(order, i)
				extend()
				order = order[:len(order)-1]
			}
		}
	}
	extend()
}

func TestPerfectRanking(t *testing.T) {
	for n := 2; n < 40; n++ {
		for errors := 1; errors < n; errors++ {
			s := sample{make([]float64, n), make([]bool, n)}
			for i := range n {
				s.confidence[i], s.correct[i] = float64(-i), i < n-errors
			}
			c := s.curve(t)
			if c.EAURC() != 0 || c.AUROC() != 1 || c.FPRAtTPR(PositiveError, 0.95) != 0 {
				t.Errorf("n=%d, %d errors: eaurc %g, auroc %g", n, errors, c.EAURC(), c.AUROC())
			}
			if a, want := c.AUGRC(), c.ErrorRate()*c.ErrorRate()/2; math.Abs(a-want) > tolerance {
				t.Errorf("n=%d, %d errors: augrc %g, want %g", n, errors, a, want)
			}
		}
	}
}

// TestAchievableMixesAnyTwoThresholds integrates the least risk that mixing two thresholds can reach.
func TestAchievableMixesAnyTwoThresholds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, levels := range []int{1, 3, 1000} {
		c := randomSample(rng, 25, levels).curve(t)
		const steps = 20000
		sum := 0.0
		for i := range steps {
			sum += leastErrors(c, (float64(i)+0.5)/steps*float64(c.Len())) / (float64(i) + 0.5) / float64(c.Len())
		}
		if got := c.AURCAchievable(); math.Abs(got-sum) > 1e-4 {
			t.Errorf("%d levels: aurc_achievable = %g, integral %g", levels, got, sum)
		}
	}
}

// leastErrors returns the least expected number of errors when k predictions are accepted on average.
func leastErrors(c *Curve, k float64) float64 {
	least := math.Inf(1)
	for _, a := range c.cuts {
		for _, b := range c.cuts {
			if na, nb := float64(a.n), float64(b.n); na < k && k <= nb {
				w := (k - na) / (nb - na)
				least = min(least, (1-w)*float64(a.errors)+w*float64(b.errors))
			}
		}
	}
	return least
}
