package confidence_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// goldenNet returns the WRN-10-1 behind the golden scores.
func goldenNet(tb testing.TB, be *backend.Backend) *nets.Classifier {
	tb.Helper()
	c, err := weights.Open(be, "wrn10_1_cifar10", golden.Dir()+"/weights_rat.safetensors")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// goldenSet returns the first n of the 1,000 golden images.
func goldenSet(tb testing.TB, n int) dataset.Set {
	tb.Helper()
	d, err := dataset.Open("cifar10", dataset.Config{Dir: golden.Dir()})
	if err != nil {
		tb.Fatal(err)
	}
	return dataset.Take(d.Test, n)
}

// side is the height and width of the images of these tests.
const side = 8

// small returns an untrained classifier of 8x8 grey images into three classes. Where calls is given, it counts how
// often the network is built.
func small(tb testing.TB, be *backend.Backend, calls *int) *nets.Classifier {
	tb.Helper()
	arch, err := nets.NewArch("small", nets.Input{Height: side, Width: side, Channels: 1}, 3, []float32{0.3}, []float32{0.2},
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			if calls != nil {
				*calls++
			}
			x = nets.ReLU(p.Linear("hidden", graph.Reshape(x, -1, side*side), 24))
			return p.Linear("output", x, 3)
		})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := nets.NewClassifier(be, arch, arch.Init(5))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// shapes returns n generated images of three classes.
func shapes(tb testing.TB, n int) dataset.Set {
	tb.Helper()
	d, err := dataset.Open("synthetic", dataset.Config{Seed: 2, Synthetic: dataset.SyntheticConfig{
		Shape: dataset.Shape{Height: side, Width: side, Channels: 1}, Classes: 3, TrainSize: 1, TestSize: n,
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return d.Test
}
