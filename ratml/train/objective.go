package train

import (
	"encoding"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// Objective is what a training step minimises. [Plain] and [RAT] are objectives; a new one is a type with this method.
//
// An Objective that also has a method Check() error is asked for errors in its settings before anything is compiled.
// One that needs values from the host in every step is a [Feeder] too.
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

	// Classes is the network's number of classes. In training logits have more columns where there are extra outputs
	// (nets.Arch.ExtraOutputs).
	Classes int

	// Inputs are the values that the objective's [Feed] gave for this step, in its order.
	Inputs []*Node

	weights   []*Node // that are trained
	at        func(weights []*Node, keepStatistics bool) nets.Network
	smoothing float64
}

// Weights returns the parameters that are trained.
func (b Batch) Weights() []*Node { return b.weights }

// At returns the same batch on the network with other weights, in the order of [Batch.Weights]. Its passes normalise
// with the statistics of their own input and leave the running ones alone.
func (b Batch) At(weights []*Node) Batch {
	b.Net, b.weights = b.at(weights, true), weights
	return b
}

// CrossEntropy is the mean cross-entropy (nats) of logits [batch, classes] and labels int32 [batch], with the label
// smoothing of the run (Config.LabelSmoothing), as torch.nn.functional.cross_entropy.
func (b Batch) CrossEntropy(logits, labels *Node) *Node {
	loss := CrossEntropy(logits, labels)
	if b.smoothing == 0 {
		return loss
	}
	uniform := ReduceAllMean(Neg(LogSoftmax(logits)))
	return Add(MulScalar(loss, 1-b.smoothing), MulScalar(uniform, b.smoothing))
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
	Clean       *Node // scalar: mean cross-entropy of the images as they are, or mixed, for the log
	Adversarial *Node // scalar: mean cross-entropy of the changed images, for the log; nil where there are none
	Logits      *Node // [batch, classes] of the images as they are, for the training accuracy
}

// Feeder is an [Objective] that needs values from the host in every step, such as mixing weights or outlier images.
type Feeder interface {
	Objective
	// Feed returns the source of these values for a training on the images of set, or nil if none are needed.
	Feed(set dataset.Set) (Feed, error)
}

// Feed makes the values that an objective needs.
type Feed interface {
	// Next returns the values for the first b.N images of a batch: scalars (float32, int32), or slices or GoMLX
	// tensors whose first axis is b.N long, which are divided over devices with the images. Their number, types and
	// ranks never change. rng depends on the seed and the number of the step alone.
	Next(rng *rand.Rand, b *dataset.Batch) ([]any, error)
}

// Memory is a [Feed] that learns from the steps, and is kept in checkpoints.
type Memory interface {
	Feed
	// Observe is told after a step which of its b.N images were classified right before the update.
	Observe(b *dataset.Batch, right []bool)
	// EndEpoch is called after the last step of an epoch.
	EndEpoch()
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// CrossEntropy is the mean cross-entropy (nats) of logits [batch, classes] and labels int32 [batch], as
// torch.nn.functional.cross_entropy.
func CrossEntropy(logits, labels *Node) *Node { return ReduceAllMean(surprise(logits, labels)) }

// surprise is -log p(label) of each image, [batch].
func surprise(logits, labels *Node) *Node {
	label := OneHot(labels, logits.Shape().Dimensions[1], logits.DType())
	return Neg(ReduceSum(Mul(LogSoftmax(logits), label), 1))
}

// correct tells for each image whether its largest logit, the first one if several are equal, is the label's, [batch].
func correct(logits, labels *Node) *Node { return Equal(ArgMax(logits, 1, labels.DType()), labels) }
