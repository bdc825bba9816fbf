package onnx_test

import (
	"fmt"
	"log"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/weights/onnx"
)

// A classifier that PyTorch exported, whose normalisation is not in the file.
func ExampleOpen() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	c, err := onnx.Open(be, "testdata/mnist_outside.onnx", onnx.Options{Mean: []float32{0.1307}, Std: []float32{0.3081}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Arch.Name, c.Arch.Input, c.Arch.Classes, c.Arch.FeatureSize)
	// Output: mnist_outside {28 28 1} 10 144
}

// What a file of scikit-learn holds.
func ExampleRead() {
	m, err := onnx.Read("testdata/sklearn_mlp.onnx", onnx.Options{Input: digits})
	if err != nil {
		log.Fatal(err)
	}
	for _, note := range m.Notes {
		fmt.Println(note)
	}
	for _, name := range m.Weights.Names() {
		fmt.Println(name, m.Weights[name].Shape)
	}
	// Output:
	// input X: images of 8x8 with 1 channels, layout flat
	// normalisation is taken to be inside the model, which gets images in [0,1]; state a mean and a standard deviation where it is not
	// output probabilities: the softmax at its end is taken away
	// coefficient [64 16]
	// coefficient1 [16 10]
	// intercepts [1 16]
	// intercepts1 [1 10]
}
