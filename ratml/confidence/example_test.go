package confidence_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// untrained returns a small classifier with seeded weights and generated images for it.
func untrained() (*nets.Classifier, dataset.Set) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	forward := func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.Linear("output", nets.GlobalMean(nets.ReLU(p.Conv("conv", x, 8, 3, 1, 1))), 4)
	}
	arch, err := nets.NewArch("tiny", nets.Input{Height: 8, Width: 8, Channels: 1}, 4, []float32{0.5}, []float32{0.25}, forward)
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.NewClassifier(be, arch, arch.Init(1))
	if err != nil {
		log.Fatal(err)
	}
	data, err := dataset.Open("synthetic", dataset.Config{Synthetic: dataset.SyntheticConfig{
		Shape: dataset.Shape{Height: 8, Width: 8, Channels: 1}, Classes: 4, TrainSize: 40, TestSize: 40,
	}})
	if err != nil {
		log.Fatal(err)
	}
	return clf, data.Test
}

func ExampleScore() {
	clf, set := untrained()
	run, err := confidence.Score(context.Background(), clf, set, confidence.MSR{}, confidence.MLS{}, radius.BoundarySearch{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Len(), "images,", run.Classes, "classes, by", run.Model)
	for _, s := range run.Scores {
		fmt.Println(s.Name, len(s.Values))
	}
	// Output:
	// 40 images, 4 classes, by tiny
	// MSR 40
	// MLS 40
	// RR_fgsm 40
}

// The official protocol gives numbers to be compared with the paper's.
func ExampleAll() {
	var names []string
	for _, f := range confidence.All(radius.Official)[:4] {
		names = append(names, f.Name())
	}
	fmt.Println(strings.Join(names, " "))
	// Output:
	// MSR ODIN NE HPS
}

func ExampleByName() {
	f, err := confidence.ByName("RR_fast", radius.Sound)
	fmt.Println(f, err)
	_, err = confidence.ByName("RR-Fast", radius.Sound)
	fmt.Println(strings.HasPrefix(err.Error(), `confidence: unknown score "RR-Fast"; known are MSR, ODIN,`))
	// Output:
	// RR_fast at temperature 1 <nil>
	// true
}

// Parameters are chosen on images that are not scored afterwards.
func ExampleScorer_Fit() {
	clf, set := untrained()
	parts, err := dataset.Split(set, 1, 10, 30)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	scorer := confidence.Scorer{BatchSize: 16, Protocol: radius.Official}
	fitted, err := scorer.Fit(ctx, clf, parts[0], confidence.MSR{}, radius.Fast{Protocol: radius.Official})
	if err != nil {
		log.Fatal(err)
	}
	run, err := scorer.Run(ctx, clf, parts[1], fitted...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fitted[1])
	fmt.Println(run.Len(), "images,", len(run.Scores), "scores")
	// Output:
	// RR_fast at temperature 0.2
	// 30 images, 2 scores
}

func ExampleScorer_Run() {
	clf, set := untrained()
	scorer := confidence.Scorer{
		BatchSize: 20,
		Dataset:   "shapes",
		Progress:  func(done, total int, note string) { fmt.Println(done, "of", total) },
	}
	run, err := scorer.Run(context.Background(), clf, set, confidence.MSR{}, radius.Margin{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Dataset, run.Score("RR_exp").Cost, "forward equivalents")
	// Output:
	// 20 of 40
	// 40 of 40
	// shapes 3 forward equivalents
}

// gap is a score of one's own: the difference of the two largest logits in tenths.
type gap struct{ confidence.LogitDiff }

func (gap) Name() string { return "gap" }

func (g gap) Values(logits []float32, classes int, built [][]float32) []float64 {
	v := g.LogitDiff.Values(logits, classes, built)
	for i := range v {
		v[i] /= 10
	}
	return v
}

// A score of one's own takes a type with the methods of Direct.
func ExampleDirect() {
	clf, set := untrained()
	run, err := confidence.Score(context.Background(), clf, set, confidence.LogitDiff{}, gap{})
	if err != nil {
		log.Fatal(err)
	}
	same := true
	for i, v := range run.Score("gap").Values {
		same = same && v == run.Score("logiDiff").Values[i]/10
	}
	fmt.Println(same)
	// Output: true
}
