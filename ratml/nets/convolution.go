package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Window describes a convolution with square kernels, the same on both axes and all sides.
type Window struct {
	Out                 int // channels
	Kernel, Stride, Pad int // 0 is a stride of 1
	Groups              int // 0 is 1
	Bias                bool
}

// Conv is a convolution without bias; its kernel is the parameter name.weight.
func (p *Pass) Conv(name string, x *Node, out, kernel, stride, pad int) *Node {
	return p.Convolve(name, x, Window{Out: out, Kernel: kernel, Stride: stride, Pad: pad})
}

// Convolve is the convolution w, with the parameters name.weight [w.Out, in/w.Groups, w.Kernel, w.Kernel] and, where
// it has a bias, name.bias [w.Out].
func (p *Pass) Convolve(name string, x *Node, w Window) *Node {
	if p.options.Mode == declare {
		p.arch.addFold(fold{conv: name})
	}
	return p.convolve(name, x, w)
}

// ConvBatchNorm is [Pass.Conv] followed by [Pass.BatchNorm], one convolution with an offset where folded.
func (p *Pass) ConvBatchNorm(conv, norm string, x *Node, out, kernel, stride, pad int) *Node {
	return p.ConvolveBatchNorm(conv, norm, x, Window{Out: out, Kernel: kernel, Stride: stride, Pad: pad})
}

// ConvolveBatchNorm is [Pass.Convolve] followed by [Pass.BatchNorm], one convolution with an offset where folded.
func (p *Pass) ConvolveBatchNorm(conv, norm string, x *Node, w Window) *Node {
	switch p.options.Mode {
	case Folded:
		w.Bias = false // it is part of the offset
		return Add(p.convolve(conv, x, w), perChannel(p.Param(norm+shiftSuffix, NormBias, w.Out)))
	case declare:
		p.arch.addFold(fold{norm: norm, conv: conv, epsilon: p.norm.epsilon()})
	}
	return p.batchNorm(norm, p.convolve(conv, x, w))
}

func (p *Pass) convolve(name string, x *Node, w Window) *Node {
	groups, stride := max(1, w.Groups), max(1, w.Stride)
	k := p.Param(name+".weight", ConvWeight, w.Out, channels(x)/groups, w.Kernel, w.Kernel)
	y := p.multiply(x, k, func(x, k *Node) *Node {
		if groups > 1 {
			return GroupConv2D(x, k, stride, w.Pad, groups)
		}
		return Conv2D(x, k, stride, w.Pad)
	})
	if w.Bias {
		y = Add(y, perChannel(p.Param(name+".bias", ConvBias, w.Out)))
	}
	return y
}
