package main

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/train"
)

// operation is something that is measured.
type operation struct {
	name  string // in --only and in files
	title string // of its column
	build func(s *subject) (*work, error)
}

// work is an operation ready to be measured.
type work struct {
	images int // that a call deals with
	call   func() error
	free   func()

	evaluations func() float64 // forward passes an image took, where that is not fixed; else nil
}

// operations are in the order of the columns.
var operations = []operation{
	{"forward", "forward", forward},
	{"gradient", "input gradient", gradient},
	{"bare", "bare graph step", bare},
	{"plain", "plain step", plain},
	{"rat", "RAT step", rat},
	{"rr_fast", "RR-Fast", fast},
	{"rr_bs", "RR-BS", boundary},
}

func forward(s *subject) (*work, error) {
	return pass(s, "forward", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
}

func gradient(s *subject) (*work, error) {
	return pass(s, "input gradient", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := radius.NewProbe(net, in[0])
		return []*graph.Node{p.Logits, p.SoftMargin(1)}
	})
}

// pass is the work of running a program on the images and copying its outputs to the host.
func pass(s *subject, name string, f nets.GraphFunc) (*work, error) {
	program, err := s.clf.Compile(name, f)
	if err != nil {
		return nil, err
	}
	return &work{images: s.batch, free: program.Free, call: func() error {
		_, err := s.floats(program, s.images)
		return err
	}}, nil
}

// fast is RR-Fast as it is computed alone.
func fast(s *subject) (*work, error) {
	var f radius.Fast
	program, err := s.clf.Compile("RR-Fast", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := radius.NewProbe(net, in[0])
		return append([]*graph.Node{p.Logits}, f.Build(p)...)
	})
	if err != nil {
		return nil, err
	}
	return &work{images: s.batch, free: program.Free, call: func() error {
		out, err := s.floats(program, s.images)
		if err != nil {
			return err
		}
		if n := len(f.Values(out[0], s.clf.Arch.Classes, out[1:])); n != s.batch {
			return fmt.Errorf("%d radii of %d images", n, s.batch)
		}
		return nil
	}}, nil
}

func bare(s *subject) (*work, error) {
	g, err := newBareGraph(s.clf.Backend, s.clf.Arch, s.clf.Weights(), rate, decay)
	if err != nil {
		return nil, err
	}
	return &work{images: s.batch, free: g.free, call: func() error {
		_, err := g.step(s.images, s.labels)
		return err
	}}, nil
}

func plain(s *subject) (*work, error) { return steps(s, train.Plain{}) }

func rat(s *subject) (*work, error) { return steps(s, train.RAT{}) }
