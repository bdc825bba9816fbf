package train_test

import (
	"fmt"

	"github.com/ratml/rat/ratml/train"
)

// The learning rate of flat minima for failure prediction, in the last epoch before the weights are averaged and later.
func ExampleSWARate() {
	schedule := train.PerEpoch(train.SWARate{
		Base: train.Over(100, train.Cosine(0)), LearningRate: 0.05, From: 120,
	}.Rate)
	for _, epoch := range []float64{0, 50, 100, 120, 125, 130, 200} {
		fmt.Printf("%3v: %.4f\n", epoch, schedule(0.1, epoch, 201))
	}
	// Output:
	//   0: 0.1000
	//  50: 0.0500
	// 100: 0.0000
	// 120: 0.0095
	// 125: 0.0298
	// 130: 0.0500
	// 200: 0.0500
}

func ExampleOneCycle() {
	schedule := train.OneCycle{Rise: 0.25}.Rate
	for _, epoch := range []float64{0, 1, 2, 5, 8} {
		fmt.Printf("%v: %.6f\n", epoch, schedule(0.5, epoch, 8))
	}
	// Output:
	// 0: 0.020000
	// 1: 0.260000
	// 2: 0.500000
	// 5: 0.250001
	// 8: 0.000002
}
