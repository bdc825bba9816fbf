package confidence

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// gate collects the images that a [Gated] function leaves open until they fill a batch, computes their directions and
// hands them to the search.
type gate struct {
	function Gated
	column   int
	arch     *nets.Arch
	program  *nets.Program
	search   func(radius.Start) error
	slots    int
	size     int // values of an image

	waiting []int     // indices of images
	images  []float32 // theirs
}

func newGate(p *plan, column int, f Gated, slots int) (*gate, error) {
	in := p.c.Arch.Input
	g := &gate{
		function: f, column: column, arch: p.c.Arch, slots: slots, size: in.Height * in.Width * in.Channels,
		search: func(s radius.Start) error { return p.search.Add(s) },
	}
	var err error
	g.program, err = p.c.Compile("direction", func(net nets.Network, in []*graph.Node) []*graph.Node {
		probe := radius.NewProbe(net, in[0])
		return append([]*graph.Node{probe.Logits}, f.Search().Build(probe)...)
	})
	return g, err
}

// batch settles the images of a batch and collects those left open.
func (g *gate) batch(base int, images, logits []float32, classes int, built [][]float32, r *results) error {
	values, open := g.function.Settle(logits, classes, built)
	n := len(logits) / classes
	if len(values) != n || len(open) != n {
		return fmt.Errorf("score %s settles %d of %d images", g.function.Name(), len(values), n)
	}
	copy(r.columns[g.column].Values[base:], values)
	for i, o := range open {
		if o {
			g.waiting = append(g.waiting, base+i)
			g.images = append(g.images, images[i*g.size:(i+1)*g.size]...)
		}
	}
	return nil
}

// flush starts the searches of full batches, or, where drain is set, of all images waiting.
func (g *gate) flush(drain bool, r *results) error {
	for len(g.waiting) >= g.slots || drain && len(g.waiting) > 0 {
		n := min(len(g.waiting), g.slots)
		images := make([]float32, g.slots*g.size)
		copy(images, g.images[:n*g.size])
		if err := g.start(g.waiting[:n], images, r); err != nil {
			return fmt.Errorf("score %s: %w", g.function.Name(), err)
		}
		g.waiting, g.images = g.waiting[n:], g.images[n*g.size:]
	}
	return nil
}

// start starts the searches of images, of which the first have the given indices and the rest are padding.
func (g *gate) start(indices []int, images []float32, r *results) error {
	out, err := g.program.RunFloats(g.arch.Images(images))
	if err != nil {
		return err
	}
	n := len(indices)
	for i := range out {
		out[i] = out[i][:len(out[i])/g.slots*n]
	}
	search := g.function.Search()
	for row, start := range search.Starts(0, images[:n*g.size], out[0], g.arch.Classes, out[1:]) {
		start.Index = indices[row]
		start.Done = func(x radius.Result) {
			r.columns[g.column].Values[start.Index] = g.function.Place(x)
			r.extra[g.column] += search.Cost() + float64(x.Evaluations)
		}
		if err := g.search(start); err != nil {
			return err
		}
	}
	return nil
}
