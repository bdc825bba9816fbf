package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// SAM makes an [Objective] sharpness-aware: its gradient is taken where the loss is worst near the weights, at weights
// that are moved by Rho along the normalised gradient (Foret et al., arXiv:2010.01412; of the kinds of training that
// lead to flat minima, one half of FMFP, see [FMFP]). A step costs twice that of the objective.
//
// What is logged and counted is that of the weights as they are.
type SAM struct {
	Objective Objective // nil means [Plain]

	// Rho is the L2 norm of the move; 0 means 0.05, and 0.5 if Adaptive is set: the defaults of utils/sam.py in
	// Impression2805/FMFP and in Impression2805/OpenMix.
	Rho float64
	// Adaptive scales gradients by the size of the weights, so that rescaling a layer does not change the move (Kwon et
	// al., arXiv:2102.11600; adaptive in utils/sam.py).
	Adaptive bool
	// Statistics lets the pass at the moved weights update the running statistics of batch normalisation too, as the
	// code of FMFP does. Without it they are those of the weights as they are. It makes no difference to [SWA], which
	// estimates them anew.
	Statistics bool
}

// Check reports settings that make no sense.
func (s SAM) Check() error {
	if !(s.Rho >= 0) || !finite(s.Rho) {
		return fmt.Errorf("SAM: Rho is %v, want a positive number, or 0 for the default", s.Rho)
	}
	if c, ok := s.objective().(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			return fmt.Errorf("SAM: %w", err)
		}
	}
	return nil
}

// Feed implements [Feeder]: both passes have the values of the objective's own feed, if it has one.
func (s SAM) Feed(set dataset.Set) (Feed, error) {
	if f, ok := s.objective().(Feeder); ok {
		return f.Feed(set)
	}
	return nil, nil
}

// Loss implements [Objective].
func (s SAM) Loss(b Batch) Losses {
	loss := s.objective().Loss(b)
	b.weights = s.move(loss.Total, b.weights)
	b.Net = b.at(b.weights, !s.Statistics)
	loss.Total = s.objective().Loss(b).Total
	return loss
}

// move returns the weights where the loss is worst, to first order.
func (s SAM) move(loss *Node, weights []*Node) []*Node {
	gradients := Gradient(loss, weights...)
	var norm *Node
	for i, g := range gradients {
		if s.Adaptive {
			g = Mul(Abs(weights[i]), g)
		}
		if square := ReduceAllSum(Square(g)); norm == nil {
			norm = square
		} else {
			norm = Add(norm, square)
		}
	}
	const tiny = 1e-12 // as in the official code
	scale := DivScalar(Reciprocal(AddScalar(Sqrt(norm), tiny)), 1/s.rho())
	moved := make([]*Node, len(weights))
	for i, g := range gradients {
		if s.Adaptive {
			g = Mul(Square(weights[i]), g)
		}
		moved[i] = Add(weights[i], StopGradient(Mul(scale, g)))
	}
	return moved
}

func (s SAM) objective() Objective {
	if s.Objective == nil {
		return Plain{}
	}
	return s.Objective
}

func (s SAM) rho() float64 {
	if s.Adaptive {
		return orDefault(s.Rho, 0.5)
	}
	return orDefault(s.Rho, 0.05)
}
