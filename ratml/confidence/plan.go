package confidence

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// plan is the one compiled pass that all scores of a run share, and the search that goes on after it, which those that
// need one share too.
type plan struct {
	c       *nets.Classifier
	scores  []Function
	program *nets.Program
	outputs [][]int // for each score, which outputs of the program it asked for
	search  *radius.Search
}

func newPlan(c *nets.Classifier, scores []Function) (*plan, error) {
	p := &plan{c: c, scores: scores}
	var err error
	p.program, err = c.Compile("scores", func(net nets.Network, in []*graph.Node) []*graph.Node {
		probe := radius.NewProbe(net, in[0])
		nodes := []*graph.Node{probe.Logits}
		at := map[*graph.Node]int{probe.Logits: 0}
		p.outputs = make([][]int, len(scores))
		for i, s := range scores {
			for _, n := range s.Build(probe) {
				if _, ok := at[n]; !ok {
					at[n] = len(nodes)
					nodes = append(nodes, n)
				}
				p.outputs[i] = append(p.outputs[i], at[n])
			}
		}
		return nodes
	})
	return p, err
}

// prepareSearch prepares the search if a score needs it.
func (p *plan) prepareSearch(slots int) (err error) {
	for _, s := range p.scores {
		if _, ok := s.(Searcher); ok && p.search == nil {
			if p.search, err = radius.NewSearch(p.c, slots); err != nil {
				return err
			}
		}
	}
	return nil
}

// batch computes the scores of a batch whose first image has the given index, as far as searches can go with full
// batches.
func (p *plan) batch(ctx context.Context, b *dataset.Batch, base int, r *results) error {
	out, err := p.program.RunFloats(p.c.Arch.Images(b.Images))
	if err != nil {
		return err
	}
	for i := range out {
		out[i] = out[i][:len(out[i])/len(b.Labels)*b.N] // without padding
	}
	classes := p.c.Arch.Classes
	logits := out[0]
	if err := checkLogits(logits, classes, base); err != nil {
		return err
	}
	copy(r.run.Logits[base*classes:], logits)
	for i := range b.N {
		r.run.Label[base+i] = int(b.Labels[i])
		r.run.Pred[base+i] = argmax(logits[i*classes : (i+1)*classes])
	}
	images := b.Images[:len(b.Images)/len(b.Labels)*b.N]
	for i, s := range p.scores {
		var built [][]float32
		for _, o := range p.outputs[i] {
			built = append(built, out[o])
		}
		if s, ok := s.(Direct); ok {
			values := s.Values(logits, classes, built)
			if len(values) != b.N {
				return fmt.Errorf("score %s has %d values for %d images", s.Name(), len(values), b.N)
			}
			copy(r.columns[i].Values[base:], values)
			continue
		}
		for _, start := range s.(Searcher).Starts(base, images, logits, classes, built) {
			if start.Index < base || start.Index >= base+b.N {
				return fmt.Errorf("score %s searches for image %d in a batch of images %d to %d", s.Name(), start.Index, base, base+b.N-1)
			}
			start.Done = func(x radius.Result) { r.found(i, start.Index, x) }
			if err := p.search.Add(start); err != nil {
				return fmt.Errorf("score %s: %w", s.Name(), err)
			}
		}
	}
	return p.runSearch(ctx, false)
}

// runSearch goes on with the search as far as batches are full, or, where drain is set, to the end.
func (p *plan) runSearch(ctx context.Context, drain bool) error {
	if p.search == nil {
		return nil
	}
	return p.search.Run(ctx, drain)
}

func (p *plan) free() {
	p.program.Free()
	if p.search != nil {
		p.search.Free()
	}
}

// argmax returns the index of the first largest value.
func argmax(z []float32) int {
	m := 0
	for j, v := range z {
		if v > z[m] {
			m = j
		}
	}
	return m
}
