package radius

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Norm measures distances between images.
type Norm int

const (
	LInf Norm = iota // the largest change of any value
	L2               // the root of the sum of squared changes
)

// String returns "Linf" or "L2".
func (n Norm) String() string {
	if n == L2 {
		return "L2"
	}
	return "Linf"
}

// cap returns the largest distance between two images of a size with values in [0,1].
func (n Norm) cap(size int) float64 {
	if n == L2 {
		return representable(math.Sqrt(float64(size)))
	}
	return Cap
}

// distance returns the distance between two images.
func (n Norm) distance(a, b []float32) float64 {
	sum, most := 0.0, 0.0
	for i, v := range a {
		d := math.Abs(float64(v) - float64(b[i]))
		sum += d * d
		most = math.Max(most, d)
	}
	if n == L2 {
		return math.Sqrt(sum)
	}
	return most
}

// dual returns the dual norm of a gradient: by how much a function with this gradient changes, at most, in a step of
// length 1.
func (n Norm) dual(g []float32) float64 {
	sum := 0.0
	for _, v := range g {
		if n == L2 {
			sum += float64(v) * float64(v)
		} else {
			sum += math.Abs(float64(v))
		}
	}
	if n == L2 {
		return math.Sqrt(sum)
	}
	return sum
}

// dualNode returns the dual norm [batch] of each image's gradient.
func (n Norm) dualNode(g *Node) *Node {
	if n == L2 {
		return Sqrt(ReduceSum(Square(g), 1, 2, 3))
	}
	return norm1(g)
}

// steepest returns for each image the step of length 1 that raises a function with gradient g most: its sign, or g
// over its length.
func (n Norm) steepest(g *Node) *Node {
	if n == L2 {
		return Div(g, AddScalar(Reshape(n.dualNode(g), -1, 1, 1, 1), leastNorm))
	}
	return Sign(g)
}

const leastNorm = 1e-10 // added to a length before dividing by it
