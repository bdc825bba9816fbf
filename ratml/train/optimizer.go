package train

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// sgd is stochastic gradient descent as torch.optim.SGD: weight decay is added to the gradient of every parameter,
// those of batch normalisation and biases included, and the learning rate multiplies the momentum buffer, not what
// goes into it.
type sgd struct{ momentum, decay float64 }

// update returns the parameter and its momentum buffer after a step with the learning rate lr (scalar). Buffers start
// at zero.
func (o sgd) update(lr, param, gradient, buffer *Node) (newParam, newBuffer *Node) {
	if o.decay != 0 {
		gradient = Add(gradient, MulScalar(param, o.decay))
	}
	newBuffer = gradient
	if o.momentum != 0 {
		newBuffer = Add(MulScalar(buffer, o.momentum), gradient)
	}
	return Sub(param, Mul(lr, newBuffer)), newBuffer
}
