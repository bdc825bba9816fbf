package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"
)

// outcome is what the host learns of a step.
type outcome struct {
	total, clean float64
	adversarial  float64 // NaN where the objective has no changed images
	norm         float64 // of the gradient, before clipping
	size         float64 // sum of the absolute values of all weights after the update
	right        []bool  // images that were classified right before the update
}

func (o outcome) rights() int {
	n := 0
	for _, r := range o.right {
		if r {
			n++
		}
	}
	return n
}

// ErrDiverged is what [Fit] returns, wrapped with the place, when the loss or a weight is no longer finite.
var ErrDiverged = errors.New("training diverged")

// check returns an error unless loss and weights are finite.
func (o outcome) check() error {
	switch {
	case !finite(o.total):
		return fmt.Errorf("%w: the loss is %v", ErrDiverged, o.total)
	case !finite(o.size):
		return fmt.Errorf("%w: the loss is %.4g, but the updated weights are not finite", ErrDiverged, o.total)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// read makes an outcome of the first two outputs of a step.
func read(results, right *tensors.Tensor) (o outcome, err error) {
	v, err := tensors.CopyFlatData[float32](results)
	if err != nil {
		return o, err
	}
	r, err := tensors.CopyFlatData[float32](right)
	if err != nil {
		return o, err
	}
	o = outcome{
		total: float64(v[0]), clean: float64(v[1]), adversarial: float64(v[2]), norm: float64(v[3]), size: float64(v[4]),
		right: make([]bool, len(r)),
	}
	for i := range r {
		o.right[i] = r[i] != 0
	}
	return o, nil
}
