package radius

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
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

// linear returns the classifier with logits W x + b of images [1, 1, d].
func linear(tb testing.TB, be *backend.Backend, W [][]float64, b []float64) *nets.Classifier {
	tb.Helper()
	d := len(W[0])
	one, zero := make([]float32, d), make([]float32, d)
	for i := range one {
		one[i] = 1
	}
	arch, err := nets.NewArch("linear", nets.Input{Height: 1, Width: 1, Channels: d}, len(W), zero, one,
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.Linear("output", graph.Reshape(x, -1, d), len(W))
		})
	if err != nil {
		tb.Fatal(err)
	}
	w := nets.Weights{"output.weight": nets.NewTensor(len(W), d), "output.bias": nets.NewTensor(len(W))}
	for i, row := range W {
		for j, v := range row {
			w["output.weight"].Data[i*d+j] = float32(v)
		}
		w["output.bias"].Data[i] = float32(b[i])
	}
	c, err := nets.NewClassifier(be, arch, w)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// uniform returns n values in [0,1) that depend on the seed.
func uniform(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	v := make([]float32, n)
	for i := range v {
		v[i] = rng.Float32()
	}
	return v
}

// builder is what a probe asks of an estimator.
type builder interface{ Build(*Probe) []*graph.Node }

// probe runs the shared pass of all builders on images and returns logits and what each built.
func probe(tb testing.TB, c *nets.Classifier, images []float32, bs ...builder) (logits []float32, built [][][]float32) {
	tb.Helper()
	var counts []int
	p, err := c.Compile("probe", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := NewProbe(net, in[0])
		out := []*graph.Node{p.Logits}
		counts = nil
		for _, b := range bs {
			nodes := b.Build(p)
			counts = append(counts, len(nodes))
			out = append(out, nodes...)
		}
		return out
	})
	if err != nil {
		tb.Fatal(err)
	}
	defer p.Free()
	out, err := p.RunFloats(c.Arch.Images(images))
	if err != nil {
		tb.Fatal(err)
	}
	logits, out = out[0], out[1:]
	for _, n := range counts {
		built = append(built, out[:n])
		out = out[n:]
	}
	return logits, built
}

// direct is an estimator without a search.
type direct interface {
	builder
	Values(logits []float32, classes int, built [][]float32) []float64
}

// values returns the radii of each estimator.
func values(tb testing.TB, c *nets.Classifier, images []float32, es ...direct) [][]float64 {
	tb.Helper()
	bs := make([]builder, len(es))
	for i, e := range es {
		bs[i] = e
	}
	logits, built := probe(tb, c, images, bs...)
	r := make([][]float64, len(es))
	for i, e := range es {
		r[i] = e.Values(logits, c.Arch.Classes, built[i])
	}
	return r
}

// search runs several searches over all images at once; results are by search, then image.
func search(tb testing.TB, c *nets.Classifier, images []float32, slots int, bs ...BoundarySearch) [][]Result {
	tb.Helper()
	starts, results := starts(tb, c, images, bs...)
	s := newSearch(tb, c, slots)
	add(tb, s, starts)
	if err := s.Run(context.Background(), true); err != nil {
		tb.Fatal(err)
	}
	return results
}

// starts returns where searches begin and where their results will be.
func starts(tb testing.TB, c *nets.Classifier, images []float32, bs ...BoundarySearch) ([]Start, [][]Result) {
	tb.Helper()
	var builders []builder
	for _, b := range bs {
		builders = append(builders, b)
	}
	logits, built := probe(tb, c, images, builders...)
	var all []Start
	results := make([][]Result, len(bs))
	for k, b := range bs {
		starts := b.Starts(0, images, logits, c.Arch.Classes, built[k])
		results[k] = make([]Result, len(starts))
		for i := range starts {
			starts[i].Done = func(r Result) { results[k][i] = r }
		}
		all = append(all, starts...)
	}
	return all, results
}

func newSearch(tb testing.TB, c *nets.Classifier, slots int) *Search {
	tb.Helper()
	s, err := NewSearch(c, slots)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Free)
	return s
}

func add(tb testing.TB, s *Search, starts []Start) {
	tb.Helper()
	for _, start := range starts {
		if err := s.Add(start); err != nil {
			tb.Fatal(err)
		}
	}
}

func radii(results []Result) []float64 {
	r := make([]float64, len(results))
	for i := range r {
		r[i] = results[i].Radius
	}
	return r
}
