package radius

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// loss is what an attack lowers: a function of the logits z [batch, classes] of an image with predicted class c, and
// perhaps a target class t, both marked by ones in [batch, classes].
type loss int

const (
	softMarginLoss loss = iota // z_c - logsumexp of the others
	topMarginLoss              // z_c - the largest other
	targetLoss                 // z_c - z_t
	officialLoss               // log p_c
	officialTarget             // -log p_t
)

// of returns the loss [batch].
func (l loss) of(z, class, target *Node) *Node {
	pick := func(mark *Node) *Node { return ReduceSum(Mul(z, mark), -1) }
	rest := Sub(z, MulScalar(class, hidden))
	switch l {
	case topMarginLoss:
		return Sub(pick(class), largest(rest))
	case targetLoss:
		return Sub(pick(class), pick(target))
	case officialLoss:
		return ReduceSum(Mul(LogSoftmax(z), class), -1)
	case officialTarget:
		return Neg(ReduceSum(Mul(LogSoftmax(z), target), -1))
	}
	top := StopGradient(ReduceAndKeep(rest, ReduceMax, -1))
	return Sub(pick(class), Add(Log(ReduceSum(Exp(Sub(rest, top)), -1)), Squeeze(top, -1)))
}

// ranked marks the class with the rank-th largest logit, 0 being the largest.
func ranked(z *Node, rank int) *Node {
	for range rank {
		z = others(z)
	}
	return first(z)
}
