package train

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Optimizer changes the parameters along their gradients. [SGD] and [AdamW] are optimizers; a new one is a type with
// these methods. One that also has a method Check() error is asked for errors in its settings before anything is
// compiled.
type Optimizer interface {
	// Slots returns the number of buffers that are kept for each parameter. They have its shape and start at zero.
	Slots() int

	// Update builds a parameter and its buffers after a step. lr, the learning rate, and step, the number of this
	// update counted from 1, are float32 scalars; decay is the weight decay of this parameter, 0 for none.
	Update(lr, step *Node, decay float64, param, gradient *Node, slots []*Node) (newParam *Node, newSlots []*Node)
}
