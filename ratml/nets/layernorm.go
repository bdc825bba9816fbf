package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// LayerNorm normalises each vector of channels, the last axis of x, by its own mean and biased variance, to which epsilon
// is added, as torch.nn.LayerNorm does. Its parameters are name.weight and name.bias.
func (p *Pass) LayerNorm(name string, x *Node, epsilon float64) *Node {
	c := channels(x)
	weight := p.Param(name+".weight", NormWeight, c)
	bias := p.Param(name+".bias", NormBias, c)
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centred), ReduceMean, -1)
	y := Div(centred, Sqrt(AddScalar(variance, epsilon))) // Rsqrt has no gradient
	return Add(Mul(y, lastAxis(weight, x)), lastAxis(bias, x))
}

// Project is x·weightᵀ + bias along the last axis of x of any rank, with the parameters name.weight [out, in] and, where
// it has a bias, name.bias [out]. Unlike [Pass.Linear] it is never a network's last layer.
func (p *Pass) Project(name string, x *Node, out int, bias bool) *Node {
	y := p.product(p.Param(name+".weight", LinearWeight, out, channels(x)), x)
	if bias {
		y = Add(y, lastAxis(p.Param(name+".bias", LinearBias, out), y))
	}
	return y
}

// product is x·wᵀ along the last axis of x.
func (p *Pass) product(w, x *Node) *Node {
	return p.multiply(x, w, func(x, w *Node) *Node { return DotGeneral(x, []int{x.Rank() - 1}, nil, w, []int{1}, nil) })
}

// lastAxis shapes a vector so that it broadcasts over all but the last axis of x.
func lastAxis(v, x *Node) *Node {
	shape := make([]int, x.Rank())
	for i := range shape {
		shape[i] = 1
	}
	shape[len(shape)-1] = v.Shape().Dimensions[0]
	return Reshape(v, shape...)
}

// mlp is two linear layers, named first and second, with GELU between them.
func mlp(p *Pass, first, second string, x *Node, hidden int) *Node {
	return p.Project(second, GELU(p.Project(first, x, hidden, true)), channels(x), true)
}
