package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// CRL is the [Objective] of confidence-aware learning: the cross-entropy plus a loss that ranks the confidences of
// images like their correctness, which is how often each was classified right so far (Moon et al., "Confidence-Aware
// Learning for Deep Neural Networks", arXiv:2007.01458, section 3.3; train.py and crl_utils.py of
// daintlab/confidence-aware-learning). Each image of a batch makes a pair with the next one, the last with the first;
// a pair costs
//
//	max(0, |ci-cj| - sign(ci-cj)·(κi-κj))
//
// where c is the correctness and κ the confidence. The correctness is kept in checkpoints.
type CRL struct {
	Weight float64    // of the ranking loss; 0 means 1
	Target RankTarget // the confidence that is ranked

	// Proportion takes for correctness the share of the times an image was seen at which it was classified right, as
	// in the paper. Without it the counts are scaled as in the official code: from the smallest one of all images to
	// the number of epochs, which stretches the differences between images that mostly were right.
	Proportion bool
}

// RankTarget is a confidence that [CRL] ranks.
type RankTarget int

const (
	RankSoftmax RankTarget = iota // the largest class probability
	RankMargin                    // the largest class probability less the second largest
	RankEntropy                   // the negative entropy of the class probabilities, divided by the logarithm of their number
)

var rankTargets = []string{"softmax", "margin", "entropy"}

// String returns the official code's name of the confidence.
func (r RankTarget) String() string {
	if r < 0 || int(r) >= len(rankTargets) {
		return fmt.Sprintf("RankTarget(%d)", int(r))
	}
	return rankTargets[r]
}

// Check reports settings that make no sense.
func (c CRL) Check() error {
	if !(c.Weight >= 0) || !finite(c.Weight) {
		return fmt.Errorf("CRL: Weight is %v, want a positive number, or 0 for the default", c.Weight)
	}
	if c.Target < 0 || int(c.Target) >= len(rankTargets) {
		return fmt.Errorf("CRL: unknown Target %d", int(c.Target))
	}
	return nil
}

// Feed implements [Feeder].
func (c CRL) Feed(set dataset.Set) (Feed, error) {
	return &correctness{proportion: c.Proportion, right: make([]uint32, set.Len()), seen: make([]uint32, set.Len())}, nil
}

// Loss implements [Objective].
func (c CRL) Loss(b Batch) Losses {
	logits, more := b.Net(b.Images), b.Inputs[0]
	clean := b.CrossEntropy(logits, b.Labels)
	k := c.Target.confidence(logits)
	missing := Sub(Abs(more), Mul(Sign(more), Sub(k, following(k))))
	ranking := ReduceAllMean(Where(GreaterThan(missing, ZerosLike(missing)), missing, ZerosLike(missing)))
	return Losses{Total: Add(clean, weigh(ranking, c.Weight)), Clean: clean, Logits: logits}
}

// confidence returns that of each image, [batch].
func (r RankTarget) confidence(logits *Node) *Node {
	classes := logits.Shape().Dimensions[1]
	p := Softmax(logits)
	switch r {
	case RankEntropy:
		return DivScalar(ReduceSum(Mul(p, LogSoftmax(logits)), 1), math.Log(float64(classes)))
	case RankMargin:
		first := largest(p)
		second := largest(Sub(p, MulScalar(first, 2))) // the largest is below all others here
		return ReduceSum(Mul(p, Sub(first, second)), 1)
	default:
		return ReduceSum(Mul(p, largest(p)), 1)
	}
}

// following returns for each element of x [n] the next one, and for the last the first.
func following(x *Node) *Node {
	if x.Shape().Dimensions[0] == 1 {
		return x
	}
	return Concatenate([]*Node{Slice(x, AxisRange(1)), Slice(x, AxisRange(0, 1))}, 0)
}

// largest has a 1 for the largest element of each row of x [batch, n], the first one if several are equal, and 0 for
// the others.
func largest(x *Node) *Node {
	return StopGradient(OneHot(ArgMax(x, 1), x.Shape().Dimensions[1], x.DType()))
}

// correctness is the feed of CRL, and its memory: how often each image was classified right. It gives the difference
// in correctness of each image and the next one, float32 [batch].
type correctness struct {
	proportion  bool
	epochs      uint32
	right, seen []uint32 // by image
}

func (c *correctness) Next(_ *rand.Rand, b *dataset.Batch) ([]any, error) {
	least := slices.Min(c.right)
	more := make([]float32, b.N)
	for i := range more {
		more[i] = float32(c.of(b.Index[i], least) - c.of(b.Index[(i+1)%b.N], least))
	}
	return []any{more}, nil
}

// of returns the correctness of an image, where least is the smallest count of all.
func (c *correctness) of(image int, least uint32) float64 {
	right := float64(c.right[image])
	if c.proportion {
		return right / max(1, float64(c.seen[image]))
	}
	span := float64(max(1, c.epochs)) - float64(least)
	if span == 0 { // every image was right in every epoch; the official code divides by zero
		return 0
	}
	return (right - float64(least)) / span
}

func (c *correctness) Observe(b *dataset.Batch, right []bool) {
	for i, image := range b.Index[:b.N] {
		c.seen[image]++
		if right[i] {
			c.right[image]++
		}
	}
}

func (c *correctness) EndEpoch() { c.epochs++ }
