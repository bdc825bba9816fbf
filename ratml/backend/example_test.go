package backend_test

import (
	"fmt"
	"log"
	"os"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
)

// With an empty configuration Open takes an installed plugin, else the Go
// backend. Here the choice is fixed, so that the output is.
func ExampleOpen() {
	be, err := backend.Open("go")
	if err != nil {
		log.Fatal(err)
	}
	exec, err := graph.NewExec(be.Backend, func(x *graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Square(x))
	})
	if err != nil {
		log.Fatal(err)
	}
	out, err := exec.Call(tensors.FromValue([]float32{1, 2, 3}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(be.Kind(), tensors.ToScalar[float32](out[0]))
	// Output: go 14
}

// The report of the choice can go elsewhere.
func ExampleOpenConfig() {
	if _, err := backend.OpenConfig(backend.Config{Name: "go", Log: os.Stdout}); err != nil {
		log.Fatal(err)
	}
	_, err := backend.OpenConfig(backend.Config{Name: "gpu"})
	fmt.Println(err)
	// Output:
	// backend: go (1 device): asked for
	// backend: "gpu": unknown backend; use "auto", "go", "go:plain", "xla", "xla:cpu", "xla:cuda" or "xla:/path/to/plugin.so"
}

func ExamplePlugins() {
	for _, p := range backend.Plugins() {
		if p.Err != nil {
			fmt.Println(p.Path, "cannot be used:", p.Err)
			continue
		}
		fmt.Println("xla:"+p.Name, p.Path)
	}
}
