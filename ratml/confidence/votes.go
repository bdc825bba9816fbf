package confidence

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// Measure says how the softmaxes of several passes over an image become one confidence.
type Measure int

const (
	// MeanProbability is the mean probability of the class that the single pass predicts.
	MeanProbability Measure = iota
	// MutualInformation is the mean entropy less the entropy of the mean, the negative mutual information of class
	// and pass (Houlsby et al. 2011).
	MutualInformation
	// VariationRatio is the share of passes that vote for the class with most votes, less 1 (Gal 2016, section 3.3).
	VariationRatio
)

// suffix returns what is appended to a score's name.
func (m Measure) suffix() string {
	switch m {
	case MutualInformation:
		return "_MI"
	case VariationRatio:
		return "_VR"
	}
	return ""
}

// values returns the measure of each image from the logits [n*classes] of the single pass and of several others.
func (m Measure) values(logits []float32, classes int, passes [][]float32) []float64 {
	v := make([]float64, len(logits)/classes)
	for i := range v {
		row := i * classes
		switch m {
		case MeanProbability:
			v[i] = meanSoftmax(passes, row, classes)[argmax(logits[row:row+classes])]
		case MutualInformation:
			mean := 0.0
			for _, z := range passes {
				mean += entropy(probabilities(z[row:row+classes])) / float64(len(passes))
			}
			v[i] = mean - entropy(meanSoftmax(passes, row, classes))
		case VariationRatio:
			votes, most := make([]int, classes), 0
			for _, z := range passes {
				c := argmax(z[row : row+classes])
				votes[c]++
				most = max(most, votes[c])
			}
			v[i] = float64(most)/float64(len(passes)) - 1
		}
	}
	return v
}

// meanSoftmax returns the mean of softmax over passes for the image whose logits start at row.
func meanSoftmax(passes [][]float32, row, classes int) []float64 {
	mean := make([]float64, classes)
	for _, z := range passes {
		for c, p := range probabilities(z[row : row+classes]) {
			mean[c] += p / float64(len(passes))
		}
	}
	return mean
}

func probabilities(z []float32) []float64 {
	p := make([]float64, len(z))
	for i, v := range z {
		p[i] = float64(v)
	}
	softmax(p, 1)
	return p
}

// entropy returns -sum p log p in nats.
func entropy(p []float64) float64 {
	h := 0.0
	for _, v := range p {
		if v > 0 {
			h -= v * math.Log(v)
		}
	}
	return h
}

// Repeated is a function of several passes over each image, all with the same classifier. Functions of a run that
// repeat in the same way share the passes.
type Repeated interface {
	Direct
	// Repeat says which passes. It must be comparable.
	Repeat() Repetition
}

// Repetition is a way to pass over images several times.
type Repetition interface {
	// Passes returns how many passes there are beyond the one that all scores share.
	Passes() int
	// Open prepares them.
	Open(c *nets.Classifier) (Repeater, error)
}

// Repeater makes the passes of one batch after the other.
type Repeater interface {
	// Run returns the logits [batch*classes] of each pass over images [batch, height, width, channels] in [0,1], of
	// which logits are those of the pass that all scores share.
	Run(images, logits []float32) ([][]float32, error)
	Free()
}

// repeatedPasses is what scores of several passes have in common.
type repeatedPasses struct{}

func (repeatedPasses) Build(*radius.Probe) []*graph.Node { return nil }
