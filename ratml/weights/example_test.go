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

// A file of torch.save, of which only the data set is known.
func ExampleOpenModel() {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := weights.OpenModel(be, "testdata/smallcnn.pth", weights.Options{Dataset: "mnist", Log: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(clf.Arch.ParamCount(), "parameters")
	// Output:
	// smallcnn.pth holds smallcnn_mnist
	// 24058 parameters
}

// What a Lightning checkpoint holds.
func ExampleInspect() {
	f, err := weights.Inspect("testdata/mixed_lightning.ckpt")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, under %s, prefix %s, epoch %s\n", f.Format, f.Entry, f.Prefix, f.Metadata["epoch"])
	for _, t := range f.Tensors[:3] {
		fmt.Println(t.Name, t.Dtype, t.Shape)
	}
	// Output:
	// PyTorch zip, under state_dict, prefix backbone., epoch 3
	// bf16 BF16 [4]
	// bn.num_batches_tracked I64 []
	// channels_last F32 [1 2 3 4]
}

// A file that torch.load reads with weights_only=True.
func ExampleSavePyTorch() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.pth")
	w := nets.Weights{"fc.bias": {Shape: []int{2}, Data: []float32{0.5, -1}}}
	if err := weights.SavePyTorch(path, w, nil); err != nil {
		log.Fatal(err)
	}
	f, err := weights.Inspect(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Format, f.Tensors[0].Name)
	// Output: PyTorch zip fc.bias
}

// A file that asks for code.
func ExampleLoad_refused() {
	_, err := weights.Load("testdata/module.pth")
	fmt.Println(err)
	// Output: weights: testdata/module.pth: asks for torch.nn.modules.container.Sequential: it holds a whole module, not a state dict; in Python, save net.state_dict()
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
