package train

import "math"

// tally adds up the steps of an epoch.
type tally struct {
	Images, Right      int
	Changed            int     // images whose changed form has a loss too
	Clean, Adversarial float64 // losses, summed over images
}

func (t *tally) add(images int, o outcome) {
	t.Images += images
	t.Right += o.rights()
	t.Clean += float64(images) * o.clean
	if !math.IsNaN(o.adversarial) {
		t.Changed += images
		t.Adversarial += float64(images) * o.adversarial
	}
}

func (t *tally) loss() float64     { return t.Clean / float64(t.Images) }
func (t *tally) accuracy() float64 { return float64(t.Right) / float64(t.Images) }

func (t *tally) epoch() Epoch {
	return Epoch{
		Loss:            t.loss(),
		AdversarialLoss: t.Adversarial / float64(t.Changed),
		TrainAccuracy:   t.accuracy(),
		ValLoss:         math.NaN(),
		ValAccuracy:     math.NaN(),
	}
}
