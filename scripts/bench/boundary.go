package main

import (
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// searchBatches is the number of batches that one call of the search deals with: a search ends with slots that nothing
// waits for, and in a data set that end is a small part.
const searchBatches = 8

// boundary is RR-BS: the pass that gives directions, batch after batch, and the search that they feed.
func boundary(s *subject) (*work, error) {
	var b radius.BoundarySearch
	program, err := s.clf.Compile("RR-BS", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := radius.NewProbe(net, in[0])
		return append([]*graph.Node{p.Logits}, b.Build(p)...)
	})
	if err != nil {
		return nil, err
	}
	search, err := radius.NewSearch(s.clf, s.batch)
	if err != nil {
		program.Free()
		return nil, err
	}
	w := &work{images: searchBatches * s.batch, free: func() { search.Free(); program.Free() }}
	images := slices.Repeat(s.images, searchBatches)
	sum, found := 0, 0
	done := func(r radius.Result) { sum, found = sum+r.Evaluations, found+1 }
	w.evaluations = func() float64 { return float64(sum) / float64(found) }
	w.call = func() error {
		for part := range slices.Chunk(images, len(s.images)) {
			out, err := s.floats(program, part)
			if err != nil {
				return err
			}
			for _, start := range b.Starts(0, part, out[0], s.clf.Arch.Classes, out[1:]) {
				start.Done = done
				if err := search.Add(start); err != nil {
					return err
				}
			}
			if err := search.Run(context.Background(), false); err != nil {
				return err
			}
		}
		return search.Run(context.Background(), true)
	}
	return w, nil
}
