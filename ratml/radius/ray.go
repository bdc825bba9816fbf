package radius

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/nets"
)

// ray evaluates the margin of the predicted class along rays from a batch of images.
type ray struct {
	program *nets.Program
	arch    *nets.Arch
}

func newRay(c *nets.Classifier) (*ray, error) {
	p, err := c.Compile("margin along a ray", func(net nets.Network, in []*Node) []*Node {
		images, directions, distance, class := in[0], in[1], in[2], in[3]
		at := Add(images, Mul(directions, Reshape(distance, -1, 1, 1, 1)))
		z := net(ClipScalar(at, 0, 1))
		own := OneHot(class, z.Shape().Dimensions[1], z.DType())
		best := ReduceMax(Sub(z, MulScalar(own, hidden)), -1)
		flipped := NotEqual(ArgMax(z, -1), class)
		return []*Node{Sub(ReduceSum(Mul(z, own), -1), best), ConvertDType(flipped, dtypes.Float32)}
	})
	if err != nil {
		return nil, err
	}
	return &ray{program: p, arch: c.Arch}, nil
}

// margins returns for each image the logit of its class minus the largest other one, at clip(image + distance *
// direction, 0, 1), and whether the prediction there is another class. All slices are [batch]-major.
func (r *ray) margins(images, directions, distance []float32, class []int32) (margin, flipped []float32, err error) {
	n := len(distance)
	out, err := r.program.RunFloats(r.arch.Images(images), r.arch.Images(directions),
		tensors.FromFlatDataAndDimensions(distance, n), tensors.FromFlatDataAndDimensions(class, n))
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}
