package trace_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/trace"
)

// Where the search for the boundary landed, and the images on the way there.
func Example() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.New(be, "smallcnn_mnist", 3) // untrained
	if err != nil {
		log.Fatal(err)
	}
	data, err := dataset.Open("mnist", dataset.Config{})
	if err != nil {
		log.Fatal(err)
	}
	set := dataset.Take(data.Test, 8)
	run, err := confidence.Score(context.Background(), clf, set, radius.Fast{}, radius.BoundarySearch{})
	if err != nil {
		log.Fatal(err)
	}
	rays, err := trace.Rays(clf, set, run, 5)
	if err != nil {
		log.Fatal(err)
	}
	r := rays[0]
	fmt.Println("within its bracket:", r.Lower <= r.Radius && r.Radius <= r.Upper)

	frames, err := trace.Along(clf, set, 5, 0, 2*r.Upper)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the prediction changes on the way:", frames[0].Pred != frames[1].Pred)
	// Output:
	// within its bracket: true
	// the prediction changes on the way: true
}
