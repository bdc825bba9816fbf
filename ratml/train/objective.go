package train

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// Objective is what a training step minimises. [Plain] and [RAT] are objectives; a new one is a type with this method.
//
// An Objective that also has a method Check() error is asked for errors in its settings before anything is compiled.
type Objective interface {
	// Loss builds the loss of a batch. Like GoMLX's graph functions it panics where something does not fit, which
	// [Fit] returns as an error.
	Loss(b Batch) Losses
}

// Batch is the batch that an [Objective] computes its loss of.
type Batch struct {
	// Net is the network in training mode: each call normalises with the statistics of its own input and updates the
	// running ones, so the order of calls matters as it does in PyTorch.
	Net    nets.Network
	Images *Node // [batch, height, width, channels] in [0,1]
	Labels *Node // int32 [batch]

	weights []*Node // that are trained
}

// InputGradient returns the gradient of a loss, a scalar, with respect to the images, and the same loss once more for
// use in Losses.Total: that one already has its gradient with respect to the weights, which comes out of the same
// backward pass, so that the pass is made only once. Gradient(loss, b.Images) and loss itself would do as well, but
// only XLA sees by itself what two backward passes have in common.
func (b Batch) InputGradient(loss *Node) (gradient, again *Node) {
	all := Gradient(loss, append([]*Node{b.Images}, b.weights...)...)
	again = StopGradient(loss)
	for i, w := range b.weights {
		zero := Sub(w, StopGradient(w)) // whose derivative is 1
		again = Add(again, ReduceAllSum(Mul(StopGradient(all[1+i]), zero)))
	}
	return all[0], again
}

// Losses are the results of an [Objective].
type Losses struct {
	Total       *Node // scalar: what is minimised
	Clean       *Node // scalar: mean cross-entropy of the images as they are, for the log
	Adversarial *Node // scalar: mean cross-entropy of the changed images, for the log; nil where there are none
	Logits      *Node // [batch, classes] of the images as they are, for the training accuracy
}

// CrossEntropy is the mean cross-entropy (nats) of logits [batch, classes] and labels [batch], as
// torch.nn.functional.cross_entropy.
func CrossEntropy(logits, labels *Node) *Node { return ReduceAllMean(surprise(logits, labels)) }

// surprise is -log p(label) of each image, [batch].
func surprise(logits, labels *Node) *Node {
	label := OneHot(labels, logits.Shape().Dimensions[1], logits.DType())
	return Neg(ReduceSum(Mul(LogSoftmax(logits), label), 1))
}

// correct tells for each image whether its largest logit, the first one if several are equal, is the label's, [batch].
func correct(logits, labels *Node) *Node { return Equal(ArgMax(logits, 1, labels.DType()), labels) }
