package train

// Plain is the [Objective] of ordinary training: the mean cross-entropy.
type Plain struct{}

// Loss implements [Objective].
func (Plain) Loss(b Batch) Losses {
	logits := b.Net(b.Images)
	loss := CrossEntropy(logits, b.Labels)
	return Losses{Total: loss, Clean: loss, Logits: logits}
}
