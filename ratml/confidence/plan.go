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
	ledger  *radius.Ledger
	search  *radius.Search
	repeats map[Repetition]Repeater
	gates   map[int]*gate // by score
}

func newPlan(c *nets.Classifier, scores []Function) (*plan, error) {
	p := &plan{c: c, scores: scores, repeats: map[Repetition]Repeater{}, gates: map[int]*gate{}}
	var err error
	p.program, err = c.CompilePasses("scores", p.build)
	return p, err
}

// build builds the shared pass.
func (p *plan) build(net *nets.Passes, in []*graph.Node) []*graph.Node {
	probe := radius.NewProbeOf(net, in[0])
	p.ledger = probe.Ledger
	nodes := []*graph.Node{probe.Logits}
	at := map[*graph.Node]int{probe.Logits: 0}
	p.outputs = make([][]int, len(p.scores))
	for i, s := range p.scores {
		p.ledger.For = describe(s)
		for _, n := range s.Build(probe) {
			if _, ok := at[n]; !ok {
				at[n] = len(nodes)
				nodes = append(nodes, n)
			}
			p.outputs[i] = append(p.outputs[i], at[n])
		}
	}
	return nodes
}

// prepare prepares what goes beyond the shared pass: further passes and the search.
func (p *plan) prepare(slots int) (err error) {
	for i, s := range p.scores {
		if r, ok := s.(Repeated); ok && p.repeats[r.Repeat()] == nil {
			if p.repeats[r.Repeat()], err = r.Repeat().Open(p.c); err != nil {
				return fmt.Errorf("score %s: %w", s.Name(), err)
			}
		}
		g, gated := s.(Gated)
		if gated {
			if p.gates[i], err = newGate(p, i, g, slots); err != nil {
				return err
			}
		}
		if _, ok := s.(Searcher); (ok || gated) && p.search == nil {
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
	repeated, err := p.repeat(b, out[0])
	if err != nil {
		return err
	}
	for i, s := range p.scores {
		var built [][]float32
		for _, o := range p.outputs[i] {
			built = append(built, out[o])
		}
		if s, ok := s.(Repeated); ok {
			built = append(built, repeated[s.Repeat()]...)
		}
		if g := p.gates[i]; g != nil {
			if err := g.batch(base, images, logits, classes, built, r); err != nil {
				return err
			}
			continue
		}
		if _, ok := s.(Combined); ok {
			continue
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
	return p.runSearch(ctx, false, r)
}

// repeat makes the further passes of a batch, each kind once.
func (p *plan) repeat(b *dataset.Batch, logits []float32) (map[Repetition][][]float32, error) {
	all := map[Repetition][][]float32{}
	for _, s := range p.scores {
		r, ok := s.(Repeated)
		if !ok || all[r.Repeat()] != nil {
			continue
		}
		passes, err := p.repeats[r.Repeat()].Run(b.Images, logits)
		if err != nil {
			return nil, fmt.Errorf("score %s: %w", s.Name(), err)
		}
		for i, z := range passes {
			passes[i] = z[:len(z)/len(b.Labels)*b.N] // without padding
		}
		all[r.Repeat()] = passes
	}
	return all, nil
}

// runSearch goes on with the search as far as batches are full, or, where drain is set, to the end.
func (p *plan) runSearch(ctx context.Context, drain bool, r *results) error {
	for _, g := range p.gates {
		if err := g.flush(drain, r); err != nil {
			return err
		}
	}
	if p.search == nil {
		return nil
	}
	return p.search.Run(ctx, drain)
}

func (p *plan) free() {
	p.program.Free()
	for _, r := range p.repeats {
		if r != nil {
			r.Free()
		}
	}
	for _, g := range p.gates {
		if g != nil {
			g.program.Free()
		}
	}
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
