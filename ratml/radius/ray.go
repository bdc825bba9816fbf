package radius

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/nets"
)

// ray evaluates a classifier along rays from a batch of images.
type ray struct {
	program *nets.Program
	arch    *nets.Arch
}

func newRay(c *nets.Classifier) (*ray, error) {
	p, err := c.Compile("logits along a ray", func(net nets.Network, in []*Node) []*Node {
		images, directions, distance := in[0], in[1], in[2]
		at := Add(images, Mul(directions, Reshape(distance, -1, 1, 1, 1)))
		return []*Node{net(ClipScalar(at, 0, 1))}
	})
	if err != nil {
		return nil, err
	}
	return &ray{program: p, arch: c.Arch}, nil
}

// logits returns the logits [batch, classes] at clip(image + distance * direction, 0, 1). Images and directions are
// row-major with the batch first; distance has an entry an image.
func (r *ray) logits(images, directions, distance []float32) ([]float32, error) {
	out, err := r.program.RunFloats(r.arch.Images(images), r.arch.Images(directions),
		tensors.FromFlatDataAndDimensions(distance, len(distance)))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
