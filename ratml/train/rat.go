package train

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// RAT is the [Objective] of radius-aware training (arXiv:2503.14783, section 4; models/RadTrainer.py of
// Trustworthy-ML-Lab/RAT_MisD): the cross-entropy of the images plus that of images moved one step along the sign of
// the input gradient, away from the label where the network is right, so that its radius grows, and towards the label
// where it is wrong, so that its radius shrinks. Both are forward passes in training mode, the images first.
//
// The zero value has the paper's settings. A step costs about twice that of [Plain].
type RAT struct {
	// StepSize is the size of the step in pixel units (L-infinity, images in [0,1]); 0 means 1e-3. As in the official
	// code moved images are not clipped to [0,1].
	StepSize float64
	// Lambda is the weight of the moved images' loss; 0 means 1.
	Lambda float64
	// OriginalLambda is the weight of the images' own loss; 0 means 1, [Off] leaves it out.
	OriginalLambda float64
	// NoFlex moves all images away from their labels, whether the network is right or not: this is adversarial
	// training with one step of FGSM (the official code without --flex_direction).
	NoFlex bool
	// Reverse moves every image the other way (the official --reverse_at, an ablation of the paper).
	Reverse bool
}

// Check reports settings that make no sense.
func (r RAT) Check() error {
	for _, s := range []struct {
		name  string
		value float64
	}{{"StepSize", r.StepSize}, {"Lambda", r.Lambda}, {"OriginalLambda", r.OriginalLambda}} {
		off := s.value == Off && s.name == "OriginalLambda"
		if math.IsNaN(s.value) || math.IsInf(s.value, 0) || s.value < 0 && !off {
			return fmt.Errorf("RAT: %s is %v, want a positive number, or 0 for the default", s.name, s.value)
		}
	}
	return nil
}

// Loss implements [Objective].
func (r RAT) Loss(b Batch) Losses {
	logits := b.Net(b.Images)
	clean := CrossEntropy(logits, b.Labels)
	gradient, again := b.InputGradient(clean)
	moved := r.move(b, logits, gradient)
	adversarial := CrossEntropy(b.Net(moved), b.Labels)
	total := weigh(adversarial, r.Lambda)
	if r.OriginalLambda != Off {
		total = Add(weigh(again, r.OriginalLambda), total)
	}
	return Losses{Total: total, Clean: clean, Adversarial: adversarial, Logits: logits}
}

// move returns the images [batch, height, width, channels] after their step along the sign of the gradient, as
// constants for further gradients.
func (r RAT) move(b Batch, logits, gradient *Node) *Node {
	step := MulScalar(Sign(gradient), r.step())
	if !r.NoFlex {
		right := Reshape(correct(logits, b.Labels), -1, 1, 1, 1)
		step = Where(BroadcastToDims(right, step.Shape().Dimensions...), step, Neg(step))
	}
	return StopGradient(Add(b.Images, step))
}

// step returns the signed size of the step.
func (r RAT) step() float64 {
	size := orDefault(r.StepSize, 1e-3)
	if r.Reverse {
		return -size
	}
	return size
}

// weigh multiplies a loss by its weight, of which 0 means 1.
func weigh(loss *Node, weight float64) *Node {
	if weight == 0 || weight == 1 {
		return loss
	}
	return MulScalar(loss, weight)
}
