package train

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
// algorithm 2) as torch.optim.AdamW without amsgrad: the decay of a step is the learning rate times the weight decay.
type AdamW struct {
	Beta1   float64 // of the mean of gradients, in [0,1); 0 means 0.9; Off is none
	Beta2   float64 // of the mean of squared gradients, in [0,1); 0 means 0.999
	Epsilon float64 // added to the root of the second mean, positive; 0 means 1e-8
}

// Check reports settings that make no sense.
func (o AdamW) Check() error {
	if b := o.Beta1; b != Off && !(b >= 0 && b < 1) { // also NaN
		return fmt.Errorf("AdamW: Beta1 is %v, want a number from 0 (for the default) to below 1, or Off", b)
	}
	if b := o.Beta2; !(b >= 0 && b < 1) {
		return fmt.Errorf("AdamW: Beta2 is %v, want a number from 0 (for the default) to below 1", b)
	}
	if e := o.Epsilon; !(e >= 0 && e <= math.MaxFloat32) {
		return fmt.Errorf("AdamW: Epsilon is %v, want a positive number, or 0 for the default", e)
	}
	return nil
}

// Slots implements [Optimizer]: the means of gradients and of squared gradients.
func (AdamW) Slots() int { return 2 }

// Update implements [Optimizer].
func (o AdamW) Update(lr, step *Node, decay float64, param, gradient *Node, slots []*Node) (*Node, []*Node) {
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	if o.Beta1 == Off {
		beta1 = 0
	}
	if decay != 0 {
		param = Mul(param, OneMinus(MulScalar(lr, decay)))
	}
	first := Add(MulScalar(slots[0], beta1), MulScalar(gradient, 1-beta1))
	second := Add(MulScalar(slots[1], beta2), MulScalar(Square(gradient), 1-beta2))

	rate := Div(lr, unbiased(beta1, step))
	root := Div(Sqrt(second), Sqrt(unbiased(beta2, step)))
	root = AddScalar(root, orDefault(o.Epsilon, 1e-8))
	return Sub(param, Mul(rate, Div(first, root))), []*Node{first, second}
}

// unbiased returns 1-beta^step, the weight that the gradients of so many steps have in a mean that started at zero.
func unbiased(beta float64, step *Node) *Node {
	if beta == 0 {
		return OnesLike(step)
	}
	// The difference itself would lose five of seven digits in the first steps.
	return Neg(Expm1(MulScalar(step, math.Log(beta))))
}
