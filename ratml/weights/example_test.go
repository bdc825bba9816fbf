package weights_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// A classifier of the user's own weights, here those of a small wide residual network.
func ExampleOpen() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := weights.Open(be, "wrn10_1_cifar10", "../testdata/golden/weights_rat.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(clf.Arch.Name, "with", clf.Arch.ParamCount(), "parameters")
	// Output: wrn10_1_cifar10 with 77850 parameters
}

func ExampleSave() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")

	w := nets.Weights{"fc.bias": {Shape: []int{2}, Data: []float32{0.5, -1}}}
	if err := weights.Save(path, w, map[string]string{"epoch": "12"}); err != nil {
		log.Fatal(err)
	}

	loaded, err := weights.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	metadata, err := weights.Metadata(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded["fc.bias"].Data, metadata["epoch"])
	// Output: [0.5 -1] 12
}

func ExampleLoadInto() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.New(be, "wrn16_2_cifar10", 1)
	if err != nil {
		log.Fatal(err)
	}
	err = weights.LoadInto(clf, "no_such_model.safetensors")
	fmt.Println(err)
	// Output: weights: open no_such_model.safetensors: no such file or directory
}
