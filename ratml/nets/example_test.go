package nets_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

func ExampleLookup() {
	a, err := nets.Lookup("wrn28_10_cifar10")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.ParamCount(), "parameters for images of", a.Input)
	_, err = nets.Lookup("wrn29_10_cifar10")
	fmt.Println(err)
	// Output:
	// 36479194 parameters for images of {32 32 3}
	// nets: wrn29_10_cifar10: depth must be 10, 16, 22, 28, ... (6n+4) and width at least 1
}

func ExampleList() {
	list, err := nets.List()
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range list[:2] {
		fmt.Printf("%-24s %dx%dx%d %4d classes %9d parameters\n",
			a.Name, a.Input.Height, a.Input.Width, a.Input.Channels, a.Classes, a.Params)
	}
	// Output:
	// smallcnn_fashion_mnist   28x28x1   10 classes     24058 parameters
	// smallcnn_mnist           28x28x1   10 classes     24058 parameters
}

func ExampleNew() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.New(be, "smallcnn_mnist", 1)
	if err != nil {
		log.Fatal(err)
	}
	w := clf.Weights()
	fmt.Println("fc.weight", w["fc.weight"].Shape)
	// Output: fc.weight [10 64]
}

// The gradient of the highest logit with respect to the image, beside the logits.
func ExampleClassifier_Compile() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.New(be, "smallcnn_mnist", 1)
	if err != nil {
		log.Fatal(err)
	}
	program, err := clf.Compile("top logit", func(net nets.Network, in []*graph.Node) []*graph.Node {
		logits := net(in[0])
		top := graph.ReduceMax(logits, -1)
		return []*graph.Node{logits, graph.Gradient(graph.ReduceAllSum(top), in[0])[0]}
	})
	if err != nil {
		log.Fatal(err)
	}
	defer program.Free()

	images := make([]float32, 2*28*28) // two black images
	out, err := program.RunFloats(clf.Arch.Images(images))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(out[0]), "logits,", len(out[1]), "derivatives")

	_, err = program.RunFloats(clf.Arch.Images(images[:100]))
	fmt.Println(err != nil)
	// Output:
	// 20 logits, 1568 derivatives
	// true
}

// An architecture of one's own: layers and their parameters are declared where they are used.
func ExampleNewArch() {
	a, err := nets.NewArch("tiny", nets.Input{Height: 8, Width: 8, Channels: 3}, 2,
		[]float32{0.5, 0.5, 0.5}, []float32{0.25, 0.25, 0.25},
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			x = nets.ReLU(p.ConvBatchNorm("conv", "bn", x, 4, 3, 1, 1))
			return p.Linear("fc", nets.GlobalMean(x), 2)
		})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range a.Params {
		fmt.Println(p.Name, p.Shape)
	}
	// Output:
	// conv.weight [4 3 3 3]
	// bn.weight [4]
	// bn.bias [4]
	// bn.running_mean [4]
	// bn.running_var [4]
	// fc.weight [2 4]
	// fc.bias [2]
}
