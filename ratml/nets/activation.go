package nets

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// ReLU6 is min(max(x, 0), 6), with derivative 0 at 0 and 6 as in PyTorch.
func ReLU6(x *Node) *Node {
	return Min(ReLU(x), Scalar(x.Graph(), x.DType(), 6)) // of a tie, GoMLX gives the gradient to the second operand
}

// HardSigmoid is min(max(x+3, 0), 6)/6, with derivative 0 at -3 and 3 as in PyTorch.
func HardSigmoid(x *Node) *Node { return DivScalar(ReLU6(AddScalar(x, 3)), 6) }

// HardSwish is x times HardSigmoid(x).
func HardSwish(x *Node) *Node { return Mul(x, HardSigmoid(x)) }

// SiLU is x times its sigmoid.
func SiLU(x *Node) *Node { return Mul(x, Sigmoid(x)) }

// GELU is x times the normal distribution function of x, exactly, as torch.nn.GELU has it by default.
func GELU(x *Node) *Node {
	return Mul(MulScalar(x, 0.5), AddScalar(Erf(MulScalar(x, 1/math.Sqrt2)), 1))
}
