package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// RegMixup is the [Objective] that adds the cross-entropy of mixed images to that of the images as they are (Pinto et
// al., "Using Mixup as a Regularizer Can Surprisingly Improve Accuracy and Out-of-Distribution Robustness",
// arXiv:2206.14502; models/regmixup.py of FrancescoPinto/RegMixup, train_cvpr.py of Impression2805/OpenMix).
//
// Images and mixed images go through the network in one batch of twice the size, as in both codes: batch normalisation
// has the statistics of all of them.
type RegMixup struct {
	// Alpha is that of the Beta(Alpha, Alpha) which the mixing weight of a batch is drawn from; 0 means 20, what
	// commands.sh of the official code has for CIFAR-10. It has 10 for CIFAR-100, and so has OpenMix's for both.
	Alpha float64
	// Weight is the weight of the mixed images' loss; 0 means 1.
	Weight float64
	// Mean minimises half the sum of the losses, as the official code does: it takes one mean over all images. The
	// paper and OpenMix's code minimise the sum, which SGD takes the same steps on with half the learning rate and
	// twice the weight decay.
	Mean bool
}

// Check reports settings that make no sense.
func (r RegMixup) Check() error {
	if !(r.Alpha >= 0) || !finite(r.Alpha) {
		return fmt.Errorf("RegMixup: Alpha is %v, want a positive number, or 0 for the default", r.Alpha)
	}
	if !(r.Weight >= 0) || !finite(r.Weight) {
		return fmt.Errorf("RegMixup: Weight is %v, want a positive number, or 0 for the default", r.Weight)
	}
	return nil
}

// Feed implements [Feeder].
func (r RegMixup) Feed(dataset.Set) (Feed, error) {
	return Mixup{Alpha: orDefault(r.Alpha, 20)}.Feed(), nil
}

// Loss implements [Objective].
func (r RegMixup) Loss(b Batch) Losses {
	a, partner := b.Inputs[0], b.Inputs[1]
	logits, mixed := together(b.Net, b.Images, blend(a, b.Images, take(b.Images, partner)))
	clean := b.CrossEntropy(logits, b.Labels)
	other := blend(a, b.CrossEntropy(mixed, b.Labels), b.CrossEntropy(mixed, take(b.Labels, partner)))
	total := Add(clean, weigh(other, r.Weight))
	if r.Mean {
		total = MulScalar(total, 0.5)
	}
	return Losses{Total: total, Clean: clean, Logits: logits}
}

// blend is a·x + (1-a)·y.
func blend(a, x, y *Node) *Node { return Add(Mul(a, x), Mul(OneMinus(a), y)) }

// together returns the logits of two equal numbers of images that make one batch. They take turns in it, so that a
// device that has a part of the batch has both images of each pair.
func together(net func(*Node) *Node, x, y *Node) (ofX, ofY *Node) {
	shape := x.Shape().Clone().Dimensions
	n := shape[0]
	shape[0] = 2 * n
	logits := Reshape(net(Reshape(Stack([]*Node{x, y}, 1), shape...)), n, 2, -1)
	of := func(i int) *Node { return Squeeze(Slice(logits, AxisRange(), AxisElem(i), AxisRange()), 1) }
	return of(0), of(1)
}
