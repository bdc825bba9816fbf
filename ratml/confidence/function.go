package confidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/radius"
)

// Function is a confidence scoring function: a [Direct] one or a [Searcher].
type Function = radius.Estimator

// Direct is a function whose values are known after the shared pass.
type Direct interface {
	Function
	// Values returns the score of each of n images from logits [n*classes] and the values of what Build returned.
	Values(logits []float32, classes int, built [][]float32) []float64
}

// Searcher is a function whose values are found by more forward passes after the shared one.
type Searcher interface {
	Function
	// Starts returns where the search of each image of a batch begins; base is the index of the first.
	Starts(base int, images, logits []float32, classes int, built [][]float32) []radius.Start
}

var (
	_ Direct   = radius.Fast{}
	_ Direct   = radius.Margin{}
	_ Direct   = radius.SoftMargin{}
	_ Searcher = radius.BoundarySearch{}
)

// All returns all scores with their defaults in the given protocol, in the order of the official code with the
// search last.
func All(p radius.Protocol) []Function {
	return []Function{
		MSR{}, ODIN{}, NE{}, HPS{}, LinearMix{}, Thresholded{}, DOCTOR{}, TFDOCTOR{}, MLS{}, Ratio{}, LogitDiff{},
		SoftLogitDiff{}, TunedLogitDiff{},
		radius.Fast{Protocol: p}, radius.Margin{Protocol: p}, radius.SoftMargin{Protocol: p},
		radius.BoundarySearch{Protocol: p},
	}
}

// Names returns the names of all scores.
func Names() []string {
	var names []string
	for _, s := range All(radius.Sound) {
		names = append(names, s.Name())
	}
	return names
}

// ByName returns the score called name with its defaults in the given protocol. The error for an unknown name lists
// the known ones.
func ByName(name string, p radius.Protocol) (Function, error) {
	all := All(p)
	i := slices.IndexFunc(all, func(s Function) bool { return s.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("confidence: unknown score %q; known are %s", name, strings.Join(Names(), ", "))
	}
	return all[i], nil
}
