package train

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// clipNorm scales gradients down so that their L2 norm, taken together, is at most max; 0 is no limit. It returns the
// norm before that, a scalar. As in torch.nn.utils.clip_grad_norm_ the factor is min(1, max/(norm + 1e-6)), so that a
// norm within 1e-6 of max is scaled too. A norm that is infinite or no number leaves gradients of zeros or no numbers,
// as there with error_if_nonfinite=False.
func clipNorm(gradients []*Node, max float64) (clipped []*Node, norm *Node) {
	var sum *Node
	for _, g := range gradients {
		square := ReduceAllSum(Square(g))
		if sum == nil {
			sum = square
		} else {
			sum = Add(sum, square)
		}
	}
	norm = Sqrt(sum)
	if max == 0 {
		return gradients, norm
	}
	factor := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), max), AddScalar(norm, 1e-6)), 1)
	for _, g := range gradients {
		clipped = append(clipped, Mul(g, factor))
	}
	return clipped, norm
}
