package main

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
)

// rayPoints is the number of distances at which margins are computed.
const rayPoints = 161

// An example is an image whose ray is shown.
type example struct {
	name  string
	index int
}

// examples chooses, by the largest softmax probability, the surest right prediction whose search found a boundary, the
// least sure right one, and the surest wrong one, as far as there are such.
func examples(run *misd.Run) ([]example, error) {
	sure, search := run.Score("MSR"), run.Score("RR_fgsm")
	if sure == nil || search == nil {
		return nil, errors.New("the run lacks MSR or RR_fgsm")
	}
	confident, borderline, wrong := -1, -1, -1
	for i, right := range run.Correct() {
		v := sure.Values[i]
		switch {
		case !right:
			if wrong < 0 || v > sure.Values[wrong] {
				wrong = i
			}
		default:
			if !search.Unflipped[i] && (confident < 0 || v > sure.Values[confident]) {
				confident = i
			}
			if borderline < 0 || v < sure.Values[borderline] {
				borderline = i
			}
		}
	}
	var out []example
	for _, e := range []example{{"confident", confident}, {"borderline", borderline}, {"mistake", wrong}} {
		if e.index >= 0 {
			out = append(out, e)
		}
	}
	return out, nil
}

// rays computes the margins of some images along the direction of RR-BS.
func rays(c *nets.Classifier, set dataset.Set, run *misd.Run) ([]figures.Ray, error) {
	chosen, err := examples(run)
	if err != nil {
		return nil, err
	}
	direct, err := c.Compile("directions", func(net nets.Network, in []*graph.Node) []*graph.Node {
		return radius.BoundarySearch{}.Build(radius.NewProbe(net, in[0]))[:1]
	})
	if err != nil {
		return nil, err
	}
	defer direct.Free()
	look, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net(in[0])}
	})
	if err != nil {
		return nil, err
	}
	defer look.Free()
	var out []figures.Ray
	for _, e := range chosen {
		r, err := newRay(c.Arch, direct, look, set, run, e)
		if err != nil {
			return nil, fmt.Errorf("the ray of image %d: %w", e.index, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// newRay follows one image to twice its radius.
func newRay(arch *nets.Arch, direct, look *nets.Program, set dataset.Set, run *misd.Run, e example) (figures.Ray, error) {
	search := run.Score("RR_fgsm")
	r := figures.Ray{
		Name: e.name, Right: run.Label[e.index] == run.Pred[e.index],
		Radius: search.Values[e.index], Lower: search.Lower[e.index], Upper: search.Upper[e.index],
		Unflipped: search.Unflipped[e.index], Fast: run.Score("RR_fast").Values[e.index],
	}
	pixels := make([]float32, set.Shape().Size())
	if _, err := set.Read(e.index, pixels); err != nil {
		return r, err
	}
	direction, err := direct.RunFloats(arch.Images(pixels))
	if err != nil {
		return r, err
	}
	reach := min(2*max(r.Radius, 1e-6), radius.Cap)
	var moved []float32
	for k := range rayPoints {
		at := reach * float64(k) / (rayPoints - 1)
		r.Distance = append(r.Distance, at)
		for j, v := range pixels {
			moved = append(moved, min(max(v+float32(at)*direction[0][j], 0), 1))
		}
	}
	logits, err := look.RunFloats(arch.Images(moved))
	if err != nil {
		return r, err
	}
	for z := logits[0]; len(z) > 0; z = z[run.Classes:] {
		r.Margin = append(r.Margin, margin(z[:run.Classes], run.Pred[e.index]))
	}
	return r, nil
}

// margin returns by how much the logit of a class exceeds the largest other one.
func margin(logits []float32, class int) float64 {
	first := true
	var most float32
	for k, v := range logits {
		if k != class && (first || v > most) {
			most, first = v, false
		}
	}
	return float64(logits[class]) - float64(most)
}
