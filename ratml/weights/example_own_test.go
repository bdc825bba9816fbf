package weights_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// A network of one's own, which no name of package nets describes: what torch.nn.Module.forward does, written once
// more, under the names that its state_dict has.
func ExampleLoad() {
	forward := func(p *nets.Pass, x *graph.Node) *graph.Node {
		x = nets.ReLU(p.ConvBatchNorm("stem.0", "stem.1", x, 8, 3, 2, 1)) // 8 channels, kernel 3, stride 2, padding 1
		return p.Linear("head", nets.GlobalMean(x), 10)
	}
	mean, std := []float32{0.5}, []float32{0.25}
	arch, err := nets.NewArch("mine", nets.Input{Height: 28, Width: 28, Channels: 1}, 10, mean, std, forward)
	if err != nil {
		log.Fatal(err)
	}
	path, remove := exported(arch) // in Python: save_file(net.state_dict(), path)
	defer remove()

	w, err := weights.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	if err != nil {
		log.Fatal(err)
	}
	clf, err := nets.NewClassifier(be, arch, w)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(clf.Arch.Name, "has", clf.Arch.ParamCount(), "parameters; stem.0.weight is", w["stem.0.weight"].Shape)
	// Output: mine has 178 parameters; stem.0.weight is [8 1 3 3]
}

// exported writes weights for a to a file, as Python would.
func exported(a *nets.Arch) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "model.safetensors")
	if err := weights.Save(path, a.Init(1), nil); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}
