package train

import "github.com/ratml/rat/ratml/dataset"

// Plain is the [Objective] of ordinary training: the mean cross-entropy.
type Plain struct {
	// Mixup is off where it is zero. A mixed step makes a second pass over the images as they are, as the official
	// code does, which counts for the accuracy and the running statistics only.
	Mixup Mixup
}

// Check reports settings that make no sense.
func (p Plain) Check() error { return p.Mixup.Check() }

// Feed implements [Feeder].
func (p Plain) Feed(dataset.Set) (Feed, error) { return p.Mixup.Feed(), nil }

// Loss implements [Objective].
func (p Plain) Loss(b Batch) Losses {
	if p.Mixup.Alpha != 0 {
		loss := p.Mixup.loss(b)
		return Losses{Total: loss, Clean: loss, Logits: b.Net(b.Images)}
	}
	logits := b.Net(b.Images)
	loss := b.CrossEntropy(logits, b.Labels)
	return Losses{Total: loss, Clean: loss, Logits: logits}
}
