package train

import (
	"errors"
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// RAT is the [Objective] of radius-aware training (arXiv:2503.14783, section 4; models/RadTrainer.py of
// Trustworthy-ML-Lab/RAT_MisD): the cross-entropy of the images plus that of images moved one step along the sign of
// the input gradient, away from the label where the network is right, so that its radius grows, and towards the label
// where it is wrong, so that its radius shrinks. Both are forward passes in training mode, the images first.
//
// The zero value has the paper's settings, without mixup. A step costs about twice that of [Plain].
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

	// Mixup, if not zero, mixes the images of the first loss. Moved images are not mixed.
	Mixup Mixup
	// CleanDirection moves images along the gradient of their own loss where Mixup is on, at the price of one more
	// backward pass. Without it the direction comes from the mixed loss, as in the official code; that direction often
	// is not adversarial, as each image is in two mixtures.
	CleanDirection bool

	// PGD, if not nil, moves images in several steps.
	PGD *PGD
}

// PGD tells how images are moved in several steps, each along a gradient taken where the last one ended. The way from
// the image stays within RAT.StepSize, and the moved image within [0,1]. Images go away from their labels or towards
// them by what the network says of the image itself. Each step is a forward pass in training mode.
type PGD struct {
	Steps    int     // 0 means 7
	StepSize float64 // of one step; 0 means a quarter of RAT.StepSize

	// RawGradient takes steps along the gradient and not its sign where RAT.NoFlex is set, as the official code does:
	// such steps are too small to matter.
	RawGradient bool
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
	if p := r.PGD; p != nil && (p.Steps < 0 || !(p.StepSize >= 0) || math.IsInf(p.StepSize, 0)) {
		return fmt.Errorf("RAT: PGD with %d steps of %v, want positive numbers, or 0 for the defaults", p.Steps, p.StepSize)
	}
	if r.CleanDirection && r.Mixup.Alpha == 0 {
		return errors.New("RAT: CleanDirection without Mixup: the direction is that of the clean images anyway")
	}
	return r.Mixup.Check()
}

// Feed implements [Feeder].
func (r RAT) Feed(dataset.Set) (Feed, error) { return r.Mixup.Feed(), nil }

// Loss implements [Objective].
func (r RAT) Loss(b Batch) Losses {
	first, logits := r.first(b)
	moved, again := r.moved(b, first, logits)
	adversarial := b.CrossEntropy(b.Net(moved), b.Labels)
	total := weigh(adversarial, r.Lambda)
	if r.OriginalLambda != Off {
		total = Add(weigh(again, r.OriginalLambda), total)
	}
	return Losses{Total: total, Clean: first, Adversarial: adversarial, Logits: logits}
}

// first builds the loss of the images, mixed or as they are, and the logits of the images as they are.
func (r RAT) first(b Batch) (loss, logits *Node) {
	if r.Mixup.Alpha != 0 {
		loss = r.Mixup.loss(b)
		return loss, b.Net(b.Images)
	}
	logits = b.Net(b.Images)
	return b.CrossEntropy(logits, b.Labels), logits
}

// moved returns the moved images [batch, height, width, channels], as constants for further gradients, and the first
// loss for use in the total.
func (r RAT) moved(b Batch, first, logits *Node) (moved, again *Node) {
	away := r.signs(b, logits)
	switch {
	case r.PGD != nil:
		return r.PGD.move(r, b, away), first
	case r.CleanDirection:
		gradient := Gradient(b.CrossEntropy(logits, b.Labels), b.Images)[0]
		return r.step(b, away, gradient), first
	}
	gradient, again := b.InputGradient(first)
	return r.step(b, away, gradient), again
}

// step moves the images once by the whole step size.
func (r RAT) step(b Batch, away, gradient *Node) *Node {
	return StopGradient(Add(b.Images, Mul(away, MulScalar(Sign(gradient), r.stepSize()))))
}

// signs returns 1 for images that go up the gradient of their loss and -1 for those that go down, [batch, 1, 1, 1].
func (r RAT) signs(b Batch, logits *Node) *Node {
	up := OnesLike(Slice(b.Images, AxisRange(), AxisElem(0), AxisElem(0), AxisElem(0)))
	if !r.NoFlex {
		right := Reshape(correct(logits, b.Labels), -1, 1, 1, 1)
		up = Where(right, up, Neg(up))
	}
	if r.Reverse {
		up = Neg(up)
	}
	return StopGradient(up)
}

// move returns the images after all steps.
func (p *PGD) move(r RAT, b Batch, away *Node) *Node {
	epsilon := r.stepSize()
	size := orDefault(p.StepSize, epsilon/4)
	x := StopGradient(b.Images)
	for range orDefault(p.Steps, 7) {
		from := Identity(x) // no gradient reaches a node that stops them, not even its own
		way := Gradient(b.CrossEntropy(b.Net(from), b.Labels), from)[0]
		if !(p.RawGradient && r.NoFlex) {
			way = Sign(way)
		}
		to := Add(from, Mul(away, MulScalar(way, size)))
		x = StopGradient(ClipScalar(Add(b.Images, ClipScalar(Sub(to, b.Images), -epsilon, epsilon)), 0, 1))
	}
	return x
}

func (r RAT) stepSize() float64 { return orDefault(r.StepSize, 1e-3) }

// weigh multiplies a loss by its weight, of which 0 means 1.
func weigh(loss *Node, weight float64) *Node {
	if weight == 0 || weight == 1 {
		return loss
	}
	return MulScalar(loss, weight)
}
