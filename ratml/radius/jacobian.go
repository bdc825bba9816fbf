package radius

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/nets"
)

// chunkSize is how many classes' gradients one program computes.
const chunkSize = 12

// farthest is the distance of a linearised boundary that cannot be reached. Where none can, it is the margin too, and
// the gradient is 0.
const farthest = 3e38

// jacobian is the seer of the nearest linearised boundary: it goes through the rows of the Jacobian a chunk of classes
// at a time and keeps the nearest, so that memory does not grow with the number of classes.
type jacobian struct {
	program *nets.Program
	arch    *nets.Arch
	chunk   int
}

func newJacobian(c *nets.Classifier, l look) (*jacobian, error) {
	j := &jacobian{arch: c.Arch, chunk: min(chunkSize, c.Arch.Classes-1)}
	p, err := c.Compile("nearest linearised boundary", func(net nets.Network, in []*Node) []*Node {
		x, class, others := in[0], in[1], in[2] // others [batch, chunk] are classes
		nearest, gradient, margin := in[3], in[4], in[5]
		z := net(x)
		pick := func(class *Node) *Node {
			return ReduceSum(Mul(z, OneHot(class, c.Arch.Classes, z.DType())), -1)
		}
		for k := range j.chunk {
			f := Sub(pick(class), pick(Squeeze(Slice(others, AxisRange(), AxisElem(k)), -1)))
			g := Gradient(ReduceAllSum(f), x)[0]
			d := linearDistance(f, g, x, l)
			nearer := LessThan(d, nearest)
			nearest, margin = Where(nearer, d, nearest), Where(nearer, f, margin)
			wide := BroadcastToShape(Reshape(ConvertDType(nearer, z.DType()), -1, 1, 1, 1), g.Shape())
			gradient = Where(GreaterThan(wide, ZerosLike(wide)), g, gradient)
		}
		return []*Node{z, gradient, margin, nearest}
	})
	j.program = p
	return j, err
}

// linearDistance returns the distance [batch] from x to where f, linearised with gradient g, is 0.
func linearDistance(f, g, x *Node, l look) *Node {
	if l.box {
		return boxDistance(f, g, x, l.norm)
	}
	n := l.norm.dualNode(g)
	none := LessOrEqual(n, ZerosLike(n))
	return Where(none, MulScalar(OnesLike(n), farthest), Div(Abs(f), MaxScalar(n, 1e-37)))
}

func (j *jacobian) see(points []float32, classes, _ []int32) (logits, gradients, margins []float32, err error) {
	n := len(classes)
	x, c := j.arch.Images(points), vector(classes)
	none := slices.Repeat([]float32{farthest}, n)
	carry := []*tensors.Tensor{vector(none), j.arch.Images(make([]float32, len(points))), vector(none)}
	free := func(ts ...*tensors.Tensor) {
		for _, t := range ts {
			t.FinalizeAll()
		}
	}
	defer func() { free(append(carry, x, c)...) }()
	for from := 0; from < j.arch.Classes-1; from += j.chunk {
		out, err := j.program.Run(x, c, tensors.FromFlatDataAndDimensions(j.others(classes, from), n, j.chunk), carry[0], carry[1], carry[2])
		if err != nil {
			return nil, nil, nil, err
		}
		free(carry...)
		carry = []*tensors.Tensor{out[3], out[1], out[2]}
		if from+j.chunk < j.arch.Classes-1 {
			free(out[0])
			continue
		}
		if logits, err = tensors.CopyFlatData[float32](out[0]); err == nil {
			gradients, err = tensors.CopyFlatData[float32](out[1])
		}
		if err == nil {
			margins, err = tensors.CopyFlatData[float32](out[2])
		}
		free(out[0])
		if err != nil {
			return nil, nil, nil, err
		}
	}
	return logits, gradients, margins, nil
}

// others returns for each image a chunk of the classes other than its own, the last repeated where there are no more.
func (j *jacobian) others(classes []int32, from int) []int32 {
	out := make([]int32, 0, len(classes)*j.chunk)
	for _, c := range classes {
		for k := range j.chunk {
			other := int32(min(from+k, j.arch.Classes-2))
			if other >= c {
				other++
			}
			out = append(out, other)
		}
	}
	return out
}

func (j *jacobian) cost() int {
	passes := (j.arch.Classes - 2 + j.chunk) / j.chunk
	return passes * int(forwardCost+gradientCost*float64(j.chunk))
}

func (j *jacobian) free() { j.program.Free() }
