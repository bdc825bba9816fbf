package nets

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
)

// Options of a forward pass. The zero value is mode [Eval].
type Options struct {
	Mode Mode

	// Groups, in mode [Train], is the number of equal parts of the batch that are normalised each by its own
	// statistics, as PyTorch's DistributedDataParallel does without SyncBatchNorm; the running statistics follow the
	// first part, as they do there with broadcast_buffers. 0 is 1: the batch as a whole. A batch that does not divide
	// into them is a panic with an error. Where XLA spreads the batch over as many devices, normalising needs no
	// communication between them.
	Groups int

	// KeepStatistics, in mode [Train], leaves the running statistics alone.
	KeepStatistics bool

	// Momentum, in mode [Train], is the share in [0,1] by which the running statistics move to those of the batch, a
	// scalar; nil means the network's own, mostly 0.1. With 1/n in the n-th batch they become the mean over all batches, as PyTorch's
	// momentum=None does.
	Momentum *Node

	// Products is the type in which convolutions and linear layers multiply; the zero value means that of the images.
	// With bfloat16 this is mixed precision: images, parameters, gradients of parameters, batch normalisation and
	// all else stay as they are, while operands and results of each product, and those of its gradient, are rounded.
	// XLA multiplies in that type; on the Go backend, where that would be slow, the rounded numbers are multiplied
	// and summed in the type of the images.
	Products dtypes.DType

	// Dropout gives the random numbers of dropout layers; nil switches dropout off.
	Dropout Sampler
}

// ApplyWith is [Arch.Apply] with options.
func (a *Arch) ApplyWith(vars map[string]*Node, o Options, x *Node) *Node {
	p := a.pass(vars, o, x.Graph())
	return a.forward(p, a.normalise(x))
}

// multiply returns the product of x and w, computed as the options want it, in the type of x.
func (p *Pass) multiply(x, w *Node, product func(x, w *Node) *Node) *Node {
	to, from := p.options.Products, x.DType()
	if to == dtypes.InvalidDType || to == from {
		return product(x, w)
	}
	if !to.IsFloat() {
		panic(fmt.Errorf("nets: products in %s, want a type of floats", to))
	}
	if p.graph.Backend().String() == gobackend.BackendName {
		round := func(v *Node) *Node { return ConvertDType(ConvertDType(v, to), from) }
		return round(product(round(x), round(w)))
	}
	return ConvertDType(product(ConvertDType(x, to), ConvertDType(w, to)), from)
}
