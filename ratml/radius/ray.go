package radius

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// ray evaluates a classifier along rays from a batch of images.
type ray struct {
	program *nets.Program
	arch    *nets.Arch
}

func newRay(c *nets.Classifier) (*ray, error) {
	p, err := c.Compile("logits along a ray", func(net nets.Network, in []*Node) []*Node {
		images, directions := in[0], in[1]
		distance, beyond := Reshape(in[2], -1, 1, 1, 1), Reshape(in[3], -1, 1, 1, 1)
		at := Add(images, Mul(directions, distance))
		return []*Node{net(Max(Neg(beyond), Min(at, OnePlus(beyond))))}
	})
	if err != nil {
		return nil, err
	}
	return &ray{program: p, arch: c.Arch}, nil
}

// anywhere is how far images may leave [0,1] that are not clipped.
const anywhere = 1e30

// logits returns the logits [batch, classes] at clip(image + distance * direction, -beyond, 1 + beyond). Images and
// directions are row-major with the batch first; distance and beyond have an entry an image.
func (r *ray) logits(images, directions, distance, beyond []float32) ([]float32, error) {
	out, err := r.program.RunFloats(r.arch.Images(images), r.arch.Images(directions),
		vector(distance), vector(beyond))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
