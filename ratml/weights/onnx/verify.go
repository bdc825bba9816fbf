package onnx

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// Classifier returns a classifier on a backend. Where the file is for a batch of one size, it checks that batches of
// another give the same logits.
func (m *Model) Classifier(be *backend.Backend) (*nets.Classifier, error) {
	c, err := nets.NewClassifier(be, m.Arch, m.Weights)
	if err != nil {
		return nil, err
	}
	if n := m.net.input.batch; n > 0 {
		if err := compareBatches(c, n); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// compareBatches compares the logits of images in batches of n with those in batches twice as large.
func compareBatches(c *nets.Classifier, n int) error {
	p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
	if err != nil {
		return err
	}
	defer p.Free()
	in := c.Arch.Input
	half := n * in.Height * in.Width * in.Channels
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 2*half)
	for i := range x {
		x[i] = rng.Float32()
	}
	together, err := p.RunFloats(c.Arch.Images(x))
	if err != nil {
		return err
	}
	var apart []float32
	for _, part := range [][]float32{x[:half], x[half:]} {
		y, err := p.RunFloats(c.Arch.Images(part))
		if err != nil {
			return err
		}
		apart = append(apart, y[0]...)
	}
	largest := 0.
	for _, v := range apart {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range apart {
		if d := math.Abs(float64(v - together[0][i])); !(d <= 1e-3*largest) {
			return fmt.Errorf("the model is for batches of %d: in one of %d the logits of image %d differ by %g; export it with a batch of any size",
				n, 2*n, i/c.Arch.Classes, d)
		}
	}
	return nil
}
