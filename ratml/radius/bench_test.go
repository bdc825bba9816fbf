package radius

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
)

// asOfficial is the official RR-BS, loop and all: each of 24 iterations takes the gradient anew, moves the images, and
// passes them forward once more.
type asOfficial struct {
	c             *nets.Classifier
	move, forward *nets.Program
}

func newAsOfficial(tb testing.TB, c *nets.Classifier) *asOfficial {
	tb.Helper()
	move, err := c.Compile("official attack", func(net nets.Network, in []*graph.Node) []*graph.Node {
		x, eps := in[0], graph.Reshape(in[1], -1, 1, 1, 1)
		z := net(x)
		loss := graph.ReduceSum(graph.Mul(graph.LogSoftmax(z), first(z)), -1)
		g := graph.Gradient(graph.ReduceAllSum(loss), x)[0]
		return []*graph.Node{graph.ClipScalar(graph.Sub(x, graph.Mul(eps, graph.Sign(g))), 0, 1)}
	})
	if err != nil {
		tb.Fatal(err)
	}
	forward, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { move.Free(); forward.Free() })
	return &asOfficial{c, move, forward}
}

func (o *asOfficial) radii(tb testing.TB, images []float32, batch int) []float64 {
	classes := o.c.Arch.Classes
	var radii []float64
	for part := range slices.Chunk(images, batch*goldenSize) {
		x := o.c.Arch.Images(part)
		z := o.run(tb, x)
		steps := make([]doubling, batch)
		for range officialIterations {
			eps := make([]float32, batch)
			for i := range eps {
				eps[i] = float32(steps[i].next())
			}
			moved, err := o.move.Run(x, vector(eps))
			if err != nil {
				tb.Fatal(err)
			}
			at := o.run(tb, moved[0])
			moved[0].FinalizeAll()
			for i := range steps {
				row := func(z []float32) int { return argmax(z[i*classes : (i+1)*classes]) }
				steps[i].observe(nil, row(at) != row(z))
			}
		}
		for i := range steps {
			radii = append(radii, steps[i].result().Radius)
		}
		x.FinalizeAll()
	}
	return radii
}

func (o *asOfficial) run(tb testing.TB, x *tensors.Tensor) []float32 {
	out, err := o.forward.RunFloats(x)
	if err != nil {
		tb.Fatal(err)
	}
	return out[0]
}

// sound is the sound search with its shared pass, batch after batch as package confidence runs it.
type sound struct {
	c      *nets.Classifier
	pass   *nets.Program
	search *Search
}

func newSound(tb testing.TB, c *nets.Classifier, slots int) *sound {
	tb.Helper()
	pass, err := c.Compile("direction", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := NewProbe(net, in[0])
		return append([]*graph.Node{p.Logits}, BoundarySearch{}.Build(p)...)
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pass.Free)
	return &sound{c, pass, newSearch(tb, c, slots)}
}

func (s *sound) results(tb testing.TB, images []float32, batch int) []Result {
	results := make([]Result, len(images)/goldenSize)
	base := 0
	for part := range slices.Chunk(images, batch*goldenSize) {
		out, err := s.pass.RunFloats(s.c.Arch.Images(part))
		if err != nil {
			tb.Fatal(err)
		}
		starts := BoundarySearch{}.Starts(base, part, out[0], s.c.Arch.Classes, out[1:])
		for i := range starts {
			starts[i].Done = func(r Result) { results[starts[i].Index] = r }
		}
		add(tb, s.search, starts)
		base += batch
		if err := s.search.Run(context.Background(), false); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.search.Run(context.Background(), true); err != nil {
		tb.Fatal(err)
	}
	return results
}

// The loop that the sound search is measured against gives the official radii.
func TestAsOfficial(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	images, _ := golden.TestBatch(t)
	const n = 8
	c := goldenNet(t, backendtest.XLA(t))
	if share, worst := apart(newAsOfficial(t, c).radii(t, images[:n*goldenSize], n), f.Float64("s_RR_fgsm")[:n], 1e-3); share > 0 {
		t.Errorf("%.3f of the radii differ, the worst by %.3g", share, worst)
	}
}

// BenchmarkBoundarySearch times RR-BS from images on the host to radii on the host, by the sound search and by the loop
// as the official code runs it, one after the other, and prints how many times longer the latter takes. The networks are
// the trained WRN-10-1 and a WRN-16-2 with seeded weights, the images those of the golden set.
func BenchmarkBoundarySearch(b *testing.B) {
	images, _ := golden.TestBatch(b)
	be := backendtest.XLA(b)
	const n, batch = 128, 32
	images = images[:n*goldenSize]
	for _, name := range []string{"wrn10_1_cifar10", "wrn16_2_cifar10"} {
		b.Run(name, func(b *testing.B) {
			c := goldenNet(b, be)
			if name != "wrn10_1_cifar10" {
				var err error
				if c, err = nets.New(be, name, 1); err != nil {
					b.Fatal(err)
				}
			}
			fast, slow := newSound(b, c, batch), newAsOfficial(b, c)
			fast.results(b, images[:batch*goldenSize], batch) // compile
			slow.radii(b, images[:batch*goldenSize], batch)
			var quick, long time.Duration
			var results []Result
			for b.Loop() {
				start := time.Now()
				results = fast.results(b, images, batch)
				quick += time.Since(start)
				start = time.Now()
				slow.radii(b, images, batch)
				long += time.Since(start)
			}
			counts, sum, never := map[int]int{}, 0, 0
			for _, r := range results {
				counts[r.Evaluations]++
				sum += r.Evaluations
				if r.Unflipped {
					never++
				}
			}
			b.Logf("images by evaluations: %v; %d never flipped", counts, never)
			b.ReportMetric(float64(sum)/n, "evaluations/image")
			b.ReportMetric(n*float64(b.N)/quick.Seconds(), "sound-images/s")
			b.ReportMetric(n*float64(b.N)/long.Seconds(), "official-images/s")
			b.ReportMetric(long.Seconds()/quick.Seconds(), "times-faster")
		})
	}
}
