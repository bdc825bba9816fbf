package ratml_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/train"
)

// The whole way: from images to a leaderboard and a figure.
func Example() {
	ctx := context.Background()
	be, err := ratml.Backend("go")
	if err != nil {
		log.Fatal(err)
	}
	data, err := ratml.Data("mnist")
	if err != nil {
		log.Fatal(err)
	}
	clf, history, err := ratml.Train(ctx, be, "smallcnn_mnist", dataset.Take(data.Train, 640), train.Config{
		Objective: train.RAT{StepSize: 1e-3}, Epochs: 3, Seed: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	rep, err := ratml.Evaluate(ctx, clf, dataset.Take(data.Test, 200), confidence.MSR{}, radius.Fast{}, radius.BoundarySearch{})
	if err != nil {
		log.Fatal(err)
	}
	fig, err := figures.RiskCoverage([]*report.Report{rep}, figures.Options{})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ratml")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := fig.Save(filepath.Join(dir, "rc.png")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(history.Epochs), "epochs")
	for _, row := range rep.Rows {
		fmt.Println(row.Score)
	}
	// Output:
	// 3 epochs
	// MSR
	// RR_fast
	// RR_fgsm
}

// Weights move to PyTorch and back as safetensors.
func ExampleSave() {
	be, err := ratml.Backend("go")
	if err != nil {
		log.Fatal(err)
	}
	data, err := ratml.Data("mnist")
	if err != nil {
		log.Fatal(err)
	}
	clf, _, err := ratml.Train(context.Background(), be, "smallcnn_mnist", dataset.Take(data.Train, 64), train.Config{Epochs: 1})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ratml")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	if err := ratml.Save(path, clf); err != nil {
		log.Fatal(err)
	}
	again, err := ratml.Load(be, "smallcnn_mnist", path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Arch.Name, again.Arch.ParamCount(), "parameters")
	// Output: smallcnn_mnist 24058 parameters
}
