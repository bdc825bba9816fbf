package nets_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/gomlx/compute/dtypes"
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
	for _, a := range list {
		if !strings.HasPrefix(a.Name, "smallcnn") {
			continue
		}
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

// What the options change in a forward pass of training: here 64 images are normalised in 4 groups, and products are
// computed in bfloat16. The running statistics in vars are replaced by the updated ones.
func ExampleArch_ApplyWith() {
	a, err := nets.Lookup("smallcnn_mnist")
	if err != nil {
		log.Fatal(err)
	}
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	w := a.Init(1)
	exec, err := graph.NewExec(be.Backend, func(images *graph.Node) []*graph.Node {
		vars := map[string]*graph.Node{}
		for _, p := range a.Params {
			vars[p.Name] = graph.Reshape(graph.Const(images.Graph(), w[p.Name].Data), p.Shape...)
		}
		o := nets.Options{Mode: nets.Train, Groups: 4, Products: dtypes.BFloat16}
		return []*graph.Node{a.ApplyWith(vars, o, images), vars["bn1.running_mean"]}
	})
	if err != nil {
		log.Fatal(err)
	}
	out, err := exec.Call(a.Images(make([]float32, 64*28*28)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("logits", out[0].Shape(), "running mean", out[1].Shape())
	// Output: logits (Float32)[64, 10] running mean (Float32)[16]
}

// A network that learns to tell outliers from its ten classes, and is used as an ordinary one.
func ExampleArch_WithExtraOutputs() {
	a, err := nets.Lookup("wrn10_1_cifar10")
	if err != nil {
		log.Fatal(err)
	}
	larger, err := a.WithExtraOutputs(1)
	if err != nil {
		log.Fatal(err)
	}
	w := larger.Init(1) // and trained
	fmt.Println(larger.Classes, "classes,", w["output.weight"].Shape)
	if w, err = larger.DropExtraOutputs(w); err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Check(w), w["output.weight"].Shape)
	// Output:
	// 10 classes, [11 64]
	// <nil> [10 64]
}
