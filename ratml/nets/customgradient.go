package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// withGradients returns forward(in) with a gradient of its own: backward[i] makes that of in[i] from v, the gradient of
// the result.
//
// GoMLX has gradients of one's own for the identity only. So the inputs of forward pass no gradient on; instead each
// input reaches the result through an identity and a 0 that looks as if it depended on it. The identity of the result,
// which a gradient meets first, notes v for the identities of the inputs.
func withGradients(in []*Node, forward func(in []*Node) *Node, backward ...func(v *Node) *Node) *Node {
	stopped := make([]*Node, len(in))
	for i, x := range in {
		stopped[i] = StopGradient(x)
	}
	y := forward(stopped)
	var result *Node // its gradient, while one is made
	for i, x := range in {
		linked := IdentityWithCustomGradient(x, func(_, _ *Node) *Node { return backward[i](result) })
		y = Add(y, ConvertDType(nothing(linked), y.DType()))
	}
	return IdentityWithCustomGradient(y, func(_, v *Node) *Node {
		result = v
		return v
	})
}

// nothing is a scalar 0, whatever x holds, on which x has a gradient.
func nothing(x *Node) *Node {
	first := make([]SliceAxisSpec, x.Rank())
	for i := range first {
		first[i] = AxisElem(0)
	}
	g := x.Graph()
	return Where(Const(g, false), Reshape(Slice(x, first...)), ScalarZero(g, x.DType()))
}
