package radius

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// Probe is the graph of one batch that all scores share: images, logits, and gradients, each built when first asked
// for.
type Probe struct {
	Net    nets.Network
	Images *Node // [batch, height, width, channels] in [0,1]
	Logits *Node // [batch, classes]

	// Ledger notes the forward and backward passes that are built; those of probes made by [Probe.At] too.
	Ledger *Ledger

	features func(logits *Node) *Node
	memo     map[string]*Node
	at       map[string]*Probe
}

// NewProbe starts the graph of a batch of images.
func NewProbe(net nets.Network, images *Node) *Probe {
	ledger := &Ledger{}
	return newProbe(ledger.count(net), images, ledger)
}

// SoftMargin returns the gradient [batch, height, width, channels] of the soft margin
// z_m - logsumexp of the other logits, at logits z/temperature with m the predicted class. It is parallel to the
// negative gradient of the cross-entropy of m, and does not vanish where the softmax saturates.
func (p *Probe) SoftMargin(temperature float64) *Node {
	return p.gradient("soft margin", temperature, func(z *Node) *Node {
		rest := others(z)
		top := StopGradient(ReduceAndKeep(rest, ReduceMax, -1))
		lse := Add(Log(ReduceSum(Exp(Sub(rest, top)), -1)), Squeeze(top, -1))
		return Sub(largest(z), lse)
	})
}

// TopMargin returns the gradient [batch, height, width, channels] of the margin z_1 - z_2 of the two largest logits.
func (p *Probe) TopMargin() *Node {
	return p.gradient("top margin", 1, margin)
}

// gradient differentiates f of the logits over temperature, summed over the batch, with respect to the images.
func (p *Probe) gradient(name string, temperature float64, f func(z *Node) *Node) *Node {
	return p.once(fmt.Sprintf("gradient of %s at %g", name, temperature), func() *Node {
		z := p.Logits
		if temperature != 1 {
			z = DivScalar(z, temperature)
		}
		return Gradient(ReduceAllSum(f(z)), p.Images)[0]
	})
}

func (p *Probe) once(key string, build func() *Node) *Node {
	n := p.memo[key]
	if n == nil {
		n = build()
		p.memo[key] = n
	}
	return n
}

// largest returns [batch] the largest of values [batch, n], as the value at the first index of the largest. ReduceMax
// would not do: its gradient goes to every value that equals the largest, which with ties is more than one and, where
// XLA computes the values twice with different roundings, none.
func largest(z *Node) *Node {
	return ReduceSum(Mul(z, first(z)), -1)
}

// first marks the first index of the largest value in each row of z [batch, n] by 1, the others by 0.
func first(z *Node) *Node {
	return StopGradient(OneHot(ArgMax(z, -1), z.Shape().Dimensions[1], z.DType()))
}

// others returns the logits [batch, classes] with the largest of each row pushed out of sight.
func others(z *Node) *Node {
	return Sub(z, MulScalar(first(z), hidden))
}

// hidden is subtracted from a logit that must not win: far below any logit, yet finite, so that gradients are too.
const hidden = 1e30

// margin returns [batch] largest minus second largest logit. (TopK would have no gradient.)
func margin(z *Node) *Node {
	return Sub(largest(z), largest(others(z)))
}

// norm1 returns the L1 norm [batch] of each image's gradient.
func norm1(g *Node) *Node {
	return ReduceSum(Abs(g), 1, 2, 3)
}
