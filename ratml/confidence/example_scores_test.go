package confidence_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/radius"
)

// Agreement is a score of one's own: how close the logits of an image are to those of its mirror image, as a negative
// squared distance. A type with these four methods is a score; one with Candidates can be fitted, too.
type Agreement struct{}

func (Agreement) Name() string  { return "agreement" }
func (Agreement) Cost() float64 { return 2 } // two forward passes

// Build adds the second pass to the graph that all scores share, and asks for its logits.
func (Agreement) Build(p *radius.Probe) []*graph.Node {
	mirrored := p.At("mirrored", func() *graph.Node { return graph.Reverse(p.Images, 2) })
	return []*graph.Node{mirrored.Logits}
}

// Values computes the score of each image of a batch from its logits and from what Build asked for.
func (Agreement) Values(logits []float32, classes int, built [][]float32) []float64 {
	v := make([]float64, len(logits)/classes)
	for i := range v {
		for c := i * classes; c < (i+1)*classes; c++ {
			v[i] -= float64((logits[c] - built[0][c]) * (logits[c] - built[0][c]))
		}
	}
	return v
}

func Example_scoreOfOnesOwn() {
	clf, set := untrained()
	plan, err := confidence.Plan(clf, confidence.MSR{}, Agreement{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("forward equivalents of both:", plan.Cost())
	run, err := confidence.Score(context.Background(), clf, set, confidence.MSR{}, Agreement{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range run.Scores {
		fmt.Println(s.Name, len(s.Values), s.Cost)
	}
	// Output:
	// forward equivalents of both: 2
	// MSR 40 1
	// agreement 40 2
}

func ExamplePlan() {
	clf, _ := untrained()
	plan, err := confidence.Plan(clf, confidence.MSR{}, confidence.NE{}, radius.Fast{}, radius.SoftMargin{}, radius.Margin{}, confidence.TestTime{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	// Output:
	// pass, by who needs it first           forward  gradient    cost
	// all scores                                  1         0       1
	// RR_fast at temperature 1                    1         1       3
	// RR_exp                                      0         1       2
	// TTA of 5 views                              4         0       4
	// 6 scores, forward equivalents                                10
	// The dearest alone is TTA: 5.
}

func ExampleScorer_Fits() {
	clf, validation := untrained()
	scorer := confidence.Scorer{Dataset: "synthetic"}
	fits, err := scorer.Fits(context.Background(), clf, validation, confidence.MSR{}, confidence.GEN{}, confidence.Calibrated{},
		confidence.Perturbed{Score: confidence.ODIN{}, Level: confidence.Searched})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fits {
		fmt.Printf("%s: %q, %d candidates\n", f.Function.Name(), f.Objective, f.Candidates)
	}
	// Output:
	// MSR: "", 0 candidates
	// GEN: "aurc", 6 candidates
	// TS_MSR: "nll", 1 candidates
	// ODIN: "aurc", 180 candidates
}
