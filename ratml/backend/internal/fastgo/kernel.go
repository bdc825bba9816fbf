package fastgo

import (
	"github.com/gomlx/compute"
)

// A kernel computes one operation on float32 arrays.
type kernel interface {
	run(dst []float32, in [][]float32) error
}

// asKernel returns the kernel of n, or nil if it is the wrapped backend's to
// compute.
func (p *planner) asKernel(n *node) kernel {
	if !isFloat(n.shape) || n.shape.Size() == 0 || len(n.in) == 0 {
		return nil
	}
	for _, in := range n.in {
		if in == nil || !isFloat(in.shape) || in.shape.Size() == 0 {
			return nil
		}
	}
	switch n.op {
	case "ReduceSum", "ReduceMax", "ReduceMin":
		return asReduction(n)
	case "DotGeneral":
		return asDot(n)
	case "ConvGeneral":
		return asConv(n)
	}
	return asCopies(n)
}

// padsOf returns the padding of every axis of a Pad's operand.
func padsOf(n *node) []compute.PadAxis {
	pads := make([]compute.PadAxis, n.in[0].shape.Rank())
	copy(pads, n.attrs[0].([]compute.PadAxis))
	return pads
}
