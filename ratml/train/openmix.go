package train

import (
	"errors"
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/ratml/rat/ratml/dataset"
)

// OpenMix is the [Objective] that teaches a network a class of outliers beside its own: to the cross-entropy of the
// images it adds that of images mixed with outliers, which belong to their class and to that of the outliers as far as
// they are mixed (Zhu et al., "OpenMix: Exploring Outlier Samples for Misclassification Detection", arXiv:2303.17093;
// train_cvpr.py, method OpenMix, of Impression2805/OpenMix).
//
// The network needs an output for them, from the method WithExtraOutputs of its architecture, that only training sees:
// the official evaluation leaves the last logit out, too (utils/metrics.py). The training accuracy counts an image as
// wrong whose largest logit is that of the outliers. Images and mixed images go through the network in one batch of
// twice the size, as in the official code: batch normalisation has the statistics of all of them.
type OpenMix struct {
	// Outliers are images of the shape of the training images; their labels are not used. The official code has 300,000
	// images from the web. Every step takes different ones at random, each outlier once a step at most if there are enough;
	// the official code goes through them in a new order each epoch, and ends the epoch early if there are fewer
	// outliers than training images.
	Outliers dataset.Set
	// Augment is applied to every outlier; nil for none. The official code crops and flips them like training images.
	Augment dataset.Transform

	Alpha  float64 // of the Beta(Alpha, Alpha) which the mixing weight of a batch is drawn from; 0 means 10
	Weight float64 // of the mixed images' loss; 0 means 1
}

// Check reports settings that make no sense.
func (o OpenMix) Check() error {
	switch {
	case o.Outliers == nil || o.Outliers.Len() == 0:
		return errors.New("OpenMix: no Outliers to mix the images with")
	case !(o.Alpha >= 0) || !finite(o.Alpha):
		return fmt.Errorf("OpenMix: Alpha is %v, want a positive number, or 0 for the default", o.Alpha)
	case !(o.Weight >= 0) || !finite(o.Weight):
		return fmt.Errorf("OpenMix: Weight is %v, want a positive number, or 0 for the default", o.Weight)
	}
	return nil
}

// Feed implements [Feeder]. It is an error if outliers and training images differ in shape.
func (o OpenMix) Feed(set dataset.Set) (Feed, error) {
	if have, want := o.Outliers.Shape(), set.Shape(); have != want {
		return nil, fmt.Errorf("OpenMix: outliers are images of %v, training images of %v: resize the outliers", have, want)
	}
	return outliers{o, orDefault(o.Alpha, 10)}, nil
}

// Loss implements [Objective]. It panics with an error if the network has no output for outliers.
func (o OpenMix) Loss(b Batch) Losses {
	a, outliers := b.Inputs[0], b.Inputs[1]
	logits, mixed := together(b.Net, b.Images, blend(a, b.Images, outliers))
	if logits.Shape().Dimensions[1] == b.Classes {
		panic(errors.New("OpenMix: the network has no output for outliers: take one of Arch.WithExtraOutputs(1)"))
	}
	outside := FillScalar(b.Labels.Graph(), b.Labels.Shape(), float64(b.Classes))
	clean := b.CrossEntropy(logits, b.Labels)
	other := blend(a, b.CrossEntropy(mixed, b.Labels), b.CrossEntropy(mixed, outside))
	return Losses{Total: Add(clean, weigh(other, o.Weight)), Clean: clean, Logits: logits}
}

// outliers is the feed of OpenMix: the mixing weight of the images, float32, and outliers [batch, height, width,
// channels].
type outliers struct {
	OpenMix
	alpha float64
}

func (o outliers) Next(rng *rand.Rand, b *dataset.Batch) ([]any, error) {
	a := distuv.Beta{Alpha: o.alpha, Beta: o.alpha, Src: rng}.Rand()
	s := o.Outliers.Shape()
	images := make([]float32, b.N*s.Size())
	for i, k := range draw(rng, b.N, o.Outliers.Len()) {
		image := images[i*s.Size():][:s.Size()]
		if _, err := o.Outliers.Read(k, image); err != nil {
			return nil, fmt.Errorf("OpenMix: outlier %d: %w", k, err)
		}
		if o.Augment != nil {
			o.Augment(rng, s, image)
		}
	}
	return []any{float32(a), tensors.FromFlatDataAndDimensions(images, b.N, s.Height, s.Width, s.Channels)}, nil
}

// draw returns n random numbers below limit. They differ if there are enough; else none comes up twice before all
// have come up.
func draw(rng *rand.Rand, n, limit int) []int {
	list := make([]int, 0, n)
	for len(list) < n {
		moved := map[int]int{} // what a shuffle of all numbers has put elsewhere so far
		for i := range min(n-len(list), limit) {
			k := i + rng.IntN(limit-i)
			at := func(i int) int {
				if v, ok := moved[i]; ok {
					return v
				}
				return i
			}
			list = append(list, at(k))
			moved[k] = at(i)
		}
	}
	return list
}
