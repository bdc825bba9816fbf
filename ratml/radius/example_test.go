package radius_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// twoPixels returns a classifier that says which of the two pixels of an image is brighter, and three images of the
// class "left".
func twoPixels() (*nets.Classifier, dataset.Set) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	linear := func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.Linear("output", graph.Reshape(x, -1, 2), 2)
	}
	arch, err := nets.NewArch("two_pixels", nets.Input{Height: 1, Width: 2, Channels: 1}, 2, []float32{0}, []float32{1}, linear)
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.NewClassifier(be, arch, nets.Weights{
		"output.weight": {Shape: []int{2, 2}, Data: []float32{1, 0, 0, 1}},
		"output.bias":   nets.NewTensor(2),
	})
	if err != nil {
		log.Fatal(err)
	}
	pixels := []uint8{255, 0, 204, 102, 51, 153} // 1 and 0, 0.8 and 0.4, 0.2 and 0.6
	set, err := dataset.NewImages(dataset.Shape{Height: 1, Width: 2, Channels: 1}, []string{"left", "right"}, pixels, []int{0, 0, 0})
	if err != nil {
		log.Fatal(err)
	}
	return clf, set
}

// The radius is the smallest change of every pixel that changes the prediction: half the difference of the two pixels.
// All four estimators find it here, because the classifier is linear; the third image is misclassified.
func Example() {
	clf, set := twoPixels()
	run, err := confidence.Score(context.Background(), clf, set,
		radius.BoundarySearch{}, radius.Fast{}, radius.Margin{}, radius.SoftMargin{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range run.Scores {
		fmt.Printf("%s %.2f\n", s.Name, s.Values)
	}
	// Output:
	// RR_fgsm [0.50 0.20 0.20]
	// RR_fast [0.50 0.20 0.20]
	// RR_exp [0.50 0.20 0.20]
	// RR_soft [0.50 0.20 0.20]
}

// A search reports its bracket and its cost: in forward passes after the gradient, and in all as forward equivalents.
func ExampleBoundarySearch() {
	clf, set := twoPixels()
	run, err := confidence.Score(context.Background(), clf, set, radius.BoundarySearch{Tolerance: 0.01})
	if err != nil {
		log.Fatal(err)
	}
	s := run.Score("RR_fgsm")
	i := 1
	fmt.Printf("prediction unchanged at %.3f, changed at %.3f\n", s.Lower[i], s.Upper[i])
	fmt.Printf("%d evaluations\n", s.Evaluations[i])
	fmt.Printf("mean cost %.1f forward equivalents\n", s.Cost)
	// Output:
	// prediction unchanged at 0.200, changed at 0.202
	// 2 evaluations
	// mean cost 5.0 forward equivalents
}

// The official numbers come with the official quirks: at this temperature RR-Fast ranks, by its last digits, but is no
// distance.
func ExampleFast() {
	clf, set := twoPixels()
	for _, f := range []radius.Fast{
		{},
		{Temperature: 0.2},
		{Temperature: 0.2, Protocol: radius.Official},
	} {
		run, err := confidence.Score(context.Background(), clf, set, f)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, %s: %.4f\n", f, f.Protocol, run.Scores[0].Values[:2])
	}
	// Output:
	// RR_fast at temperature 1, sound: [0.5000 0.2000]
	// RR_fast at temperature 0.2, sound: [0.5000 0.2000]
	// RR_fast at temperature 0.2, official: [0.0012 0.0012]
}

// The two closed forms differ where more than two classes matter; with two they are the same.
func ExampleMargin() {
	clf, set := twoPixels()
	run, err := confidence.Score(context.Background(), clf, set, radius.Margin{}, radius.SoftMargin{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n%.3f\n", run.Score("RR_exp").Values, run.Score("RR_soft").Values)
	// Output:
	// [0.500 0.200 0.200]
	// [0.500 0.200 0.200]
}

// Search runs many searches in full batches; package confidence does this for whole data sets.
func ExampleSearch() {
	clf, _ := twoPixels()
	search, err := radius.NewSearch(clf, 2)
	if err != nil {
		log.Fatal(err)
	}
	defer search.Free()
	for i, x := range [][]float32{{1, 0}, {0.75, 0.5}, {0.5, 0.25}} {
		err := search.Add(radius.Start{
			Index: i, Image: x, Direction: []float32{-1, 1}, Logits: x, Slope: -2,
			Done: func(r radius.Result) { fmt.Printf("image %d: radius %.3f\n", i, r.Radius) },
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := search.Run(context.Background(), true); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// image 0: radius 0.500
	// image 1: radius 0.125
	// image 2: radius 0.125
}

// An attack is a value; the search does for one what it does for any other.
func ExampleAttackSearch() {
	clf, set := twoPixels()
	own := radius.Attack{Norm: radius.L2, Steps: 5, Step: 0.4}
	run, err := confidence.Score(context.Background(), clf, set,
		radius.AttackSearch{Attack: radius.PGD()}, radius.AttackSearch{Attack: own}, radius.AttackSearch{Targets: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range run.Scores {
		fmt.Printf("%s %.2f\n", s.Name, s.Values)
	}
	// Output:
	// RR_pgd [0.50 0.20 0.20]
	// RR_pgdl2 [0.71 0.28 0.28]
	// RR_fgsm_targeted [0.50 0.20 0.20]
}

// Attacks that look for the nearest other prediction by themselves agree where the boundary is straight.
func ExampleDeepFool() {
	clf, set := twoPixels()
	run, err := confidence.Score(context.Background(), clf, set,
		radius.DeepFool{}, radius.FAB{}, radius.FMN{}, radius.DeepFool{Norm: radius.L2})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range run.Scores {
		fmt.Printf("%s %.2f\n", s.Name, s.Values)
	}
	// Output:
	// RR_deepfool [0.50 0.20 0.20]
	// RR_fab [0.50 0.20 0.20]
	// RR_fmn [0.50 0.20 0.20]
	// RR_deepfooll2 [0.71 0.28 0.28]
}

// The linearised network needs no search at all.
func ExampleExact() {
	clf, set := twoPixels()
	run, err := confidence.Score(context.Background(), clf, set, radius.Exact{}, radius.Exact{Norm: radius.L2}, radius.Full{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range run.Scores {
		fmt.Printf("%s %.2f\n", s.Name, s.Values)
	}
	// Output:
	// RR_exact [0.50 0.20 0.20]
	// RR_exactl2 [0.71 0.28 0.28]
	// RR_full [0.50 0.20 0.20]
}
