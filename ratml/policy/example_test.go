package policy_test

import (
	"fmt"

	"github.com/ratml/rat/ratml/policy"
)

// A threshold from 1000 labelled predictions, the least confident tenth of them wrong half the time.
func Example() {
	scores, correct := make([]float64, 1000), make([]bool, 1000)
	for i := range scores {
		scores[i] = float64(i) / 1000
		correct[i] = i >= 100 || i%2 == 0
	}
	p, err := policy.New(scores, correct, policy.Options{Risk: 0.02})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accepts %d of %d: %v\n", p.Data.Accepted, p.Data.Images, p.Guarantee)
	drift, err := p.Drift([]float64{0.05, 0.1, 0.12, 0.15, 0.2})
	fmt.Println(drift, err)
	// Output:
	// accepts 914 of 1000: with confidence 95 % the error rate among accepted predictions is at most 1.864 %
	// DRIFT: two-sample Kolmogorov-Smirnov D = 0.799, p = 0.000696 (5 new scores, 1000 of validation, alarm at p <= 0.01) <nil>
}
