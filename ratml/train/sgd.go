package train

import (
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// SGD is stochastic gradient descent as torch.optim.SGD without dampening: weight decay is added to the gradient, and
// the learning rate multiplies the momentum buffer, not what goes into it.
type SGD struct {
	Momentum float64 // in [0,1]; 0 means 0.9; Off is none
	Nesterov bool    // Nesterov's momentum: the step is the gradient plus Momentum times the new buffer
}

// Check reports settings that make no sense.
func (o SGD) Check() error {
	if m := o.Momentum; m != Off && !(m >= 0 && m <= 1) { // also NaN
		return fmt.Errorf("SGD: Momentum is %v, want a number from 0 (for the default) to 1, or Off", m)
	}
	if o.Nesterov && o.Momentum == Off {
		return errors.New("SGD: Nesterov needs a Momentum")
	}
	return nil
}

// Slots implements [Optimizer]: the momentum buffer, if there is momentum.
func (o SGD) Slots() int {
	if o.Momentum == Off {
		return 0
	}
	return 1
}

// Update implements [Optimizer].
func (o SGD) Update(lr, _ *Node, decay float64, param, gradient *Node, slots []*Node) (*Node, []*Node) {
	if decay != 0 {
		gradient = Add(gradient, MulScalar(param, decay))
	}
	if o.Momentum == Off {
		return Sub(param, Mul(lr, gradient)), nil
	}
	momentum := orDefault(o.Momentum, 0.9)
	buffer := Add(MulScalar(slots[0], momentum), gradient)
	direction := buffer
	if o.Nesterov {
		direction = Add(gradient, MulScalar(buffer, momentum))
	}
	return Sub(param, Mul(lr, direction)), []*Node{buffer}
}
