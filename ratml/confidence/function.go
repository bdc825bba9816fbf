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
	_ Searcher = radius.AttackSearch{}
	_ Searcher = radius.DeepFool{}
	_ Searcher = radius.FAB{}
	_ Searcher = radius.FMN{}
	_ Searcher = radius.Exact{}
	_ Searcher = radius.Full{}
)

// All returns the scores of the official code that need nothing but a classifier, with their defaults in the given
// protocol, in its order with the search last. [More] returns those that it does not have.
func All(p radius.Protocol) []Function {
	return []Function{
		MSR{}, ODIN{}, NE{}, HPS{}, LinearMix{}, Thresholded{}, DOCTOR{}, TFDOCTOR{}, MLS{}, Ratio{}, LogitDiff{},
		SoftLogitDiff{}, TunedLogitDiff{},
		radius.Fast{Protocol: p}, radius.Margin{Protocol: p}, radius.SoftMargin{Protocol: p},
		radius.BoundarySearch{Protocol: p},
	}
}

// More returns the scores that need nothing but a classifier and that [All] lacks, with their defaults. Some are better
// when fitted.
func More() []Function {
	return []Function{
		RelU{}, Calibrated{}, Energy{}, GEN{}, NormalizedMaxLogit{}, StandardizedMaxLogit{},
		TestTime{}, TestTime{Measure: MutualInformation}, TestTime{Measure: VariationRatio},
	}
}

// special returns the scores that do not run with every classifier or not before they are fitted.
func special(p radius.Protocol) []Function {
	return []Function{
		Mahalanobis{}, Neighbours{},
		MCDropout{}, MCDropout{Measure: MutualInformation}, MCDropout{Measure: VariationRatio},
		&Cascade{Radius: radius.BoundarySearch{Protocol: p}}, &Stack{Functions: []Function{MSR{}, LogitDiff{}, NE{}, radius.Fast{Protocol: p}, radius.Margin{Protocol: p}}},
	}
}

// Names returns the names of all scores that need nothing but a classifier.
func Names() []string {
	var names []string
	for _, s := range append(All(radius.Sound), More()...) {
		names = append(names, s.Name())
	}
	return names
}

// ByName returns the score called name with its defaults in the given protocol: one of [Names], or one that needs more,
// as "Mahalanobis" and "kNN" do statistics, "MCD" dropout layers, and "Cascade" and "Stack" to be fitted, or one of
// [radius.Attacks], most of which take long. The error for an unknown name lists the known ones.
func ByName(name string, p radius.Protocol) (Function, error) {
	all := slices.Concat(All(p), More(), special(p), radius.Attacks(p))
	i := slices.IndexFunc(all, func(s Function) bool { return s.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("confidence: unknown score %q; known are %s", name, strings.Join(known(), ", "))
	}
	return all[i], nil
}

// known returns all names that [ByName] knows.
func known() []string {
	names := Names()
	for _, s := range append(special(radius.Sound), radius.Attacks(radius.Sound)...) {
		names = append(names, s.Name())
	}
	return names
}
