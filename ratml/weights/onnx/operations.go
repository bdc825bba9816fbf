package onnx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// operation builds the first output of a node.
type operation func(b *builder, n *protos.NodeProto) *Node

// operations are those that are built here: what onnx-gomlx lacks, has with a wrong gradient, or cannot build for
// another batch than the file was exported with.
var operations map[string]operation

func init() {
	operations = map[string]operation{
		"Identity":              func(b *builder, n *protos.NodeProto) *Node { return b.value(n, 0) }, // GoMLX's has no gradient
		"Conv":                  conv,
		"MaxPool":               maxPool,
		"AveragePool":           averagePool,
		"GlobalAveragePool":     global(globalMean),
		"GlobalMaxPool":         global(globalMax),
		"Softmax":               softmax(func(x *Node, axis int) *Node { return Softmax(x, axis) }),
		"LogSoftmax":            softmax(func(x *Node, axis int) *Node { return LogSoftmax(x, axis) }),
		"Reshape":               reshape,
		"Expand":                expand,
		"Concat":                concat,
		"Pad":                   pad,
		"InstanceNormalization": instanceNormalization,
		"GroupNormalization":    groupNormalization,
		"LRN":                   localResponse,
		"DepthToSpace":          depthToSpace,
		"SpaceToDepth":          spaceToDepth,
		"Resize":                resize,
		"Flatten":               flatten,
		"Pow":                   power,
	}
}

func axis(n *protos.NodeProto, name string, absent int64, rank int) int {
	a := int(rewrite.Int(n, name, absent))
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		panic(fmt.Errorf("axis %d of %d", a, rank))
	}
	return a
}

func softmax(f func(x *Node, axis int) *Node) operation {
	return func(b *builder, n *protos.NodeProto) *Node {
		x := b.value(n, 0)
		d := x.Shape().Dimensions
		a := axis(n, "axis", -1, len(d))
		if rewrite.Int(n, rewrite.Flat, 0) == 0 || a == len(d)-1 {
			return f(x, a)
		}
		return Reshape(f(Reshape(x, must(count(d[:a])), -1), 1), d...)
	}
}

func reshape(b *builder, n *protos.NodeProto) *Node {
	x, want := b.value(n, 0), b.known(n, 1)
	if want == nil {
		panic(fmt.Errorf("no dimensions"))
	}
	return Reshape(x, must(b.reshaped(n, x.Shape().Dimensions, want.ints()))...)
}

func expand(b *builder, n *protos.NodeProto) *Node {
	x, want := b.value(n, 0), b.known(n, 1)
	if want == nil {
		panic(fmt.Errorf("no dimensions"))
	}
	to := b.expanded(x.Shape().Dimensions, want.ints())
	for x.Rank() < len(to) {
		x = ExpandAxes(x, 0)
	}
	for len(to) < x.Rank() {
		to = append([]int{1}, to...)
	}
	for i, d := range x.Shape().Dimensions {
		if to[i] == 1 {
			to[i] = d
		}
		if to[i] < 0 || d != 1 && d != to[i] {
			panic(fmt.Errorf("%v does not expand to %v", x.Shape().Dimensions, want.ints()))
		}
	}
	must(count(to))
	if slices.Equal(to, x.Shape().Dimensions) {
		return x
	}
	return BroadcastToDims(x, to...)
}

func concat(b *builder, n *protos.NodeProto) *Node {
	var parts []*Node
	for i := range n.Input {
		if v := b.value(n, i); v != nil {
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		panic(fmt.Errorf("nothing to put together"))
	}
	a := axis(n, "axis", 0, parts[0].Rank())
	return Concatenate(b.alike(parts, a), a)
}

func flatten(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	d := x.Shape().Dimensions
	a := int(rewrite.Int(n, "axis", 1))
	if a < 0 {
		a += len(d)
	}
	if a < 0 || a > len(d) {
		panic(fmt.Errorf("axis %d of %d", a, len(d)))
	}
	return Reshape(x, must(count(d[:a])), must(count(d[a:])))
}

// power writes the usual exponents as products and roots, whose gradients hold for numbers below 0 too.
func power(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	if len(n.Input) > 1 {
		if c := b.constant(n.Input[1]); c != nil && len(c.v) == 1 && len(c.dims) <= x.Rank() {
			switch c.v[0] {
			case 1:
				return x
			case 2:
				return Mul(x, x)
			case 3:
				return Mul(x, Mul(x, x))
			case 0.5:
				return Sqrt(x)
			}
		}
	}
	y := b.value(n, 1)
	for x.Rank() > 0 && y.Rank() > 0 && x.Rank() < y.Rank() {
		x = ExpandAxes(x, 0)
	}
	for x.Rank() > 0 && y.Rank() > 0 && y.Rank() < x.Rank() {
		y = ExpandAxes(y, 0)
	}
	if to := x.DType(); y.DType() != to {
		if !y.DType().IsFloat() || to.IsFloat() {
			return Pow(x, ConvertDType(y, to))
		}
		return ConvertDType(Pow(ConvertDType(x, y.DType()), y), to)
	}
	return Pow(x, y)
}

// pad adds a border.
func pad(b *builder, n *protos.NodeProto) *Node {
	x, amounts := b.value(n, 0), b.known(n, 1).ints()
	axes := make([]int, x.Rank())
	for i := range axes {
		axes[i] = i
	}
	if c := b.known(n, 3); c != nil {
		axes = must(axesOf(n, []*constant{nil, c}, x.Rank()))
	}
	if len(amounts) != 2*len(axes) {
		panic(fmt.Errorf("pads %v for %d axes", amounts, len(axes)))
	}
	all := make([]compute.PadAxis, x.Rank())
	cut := make([]SliceAxisSpec, x.Rank())
	for i := range cut {
		cut[i] = AxisRange()
	}
	for i, a := range axes {
		start, end := amounts[i], amounts[len(axes)+i]
		if start > most || end > most {
			panic(fmt.Errorf("pads %v", amounts))
		}
		all[a] = compute.PadAxis{Start: max(0, start), End: max(0, end)}
		if d := x.Shape().Dimensions[a]; start < 0 || end < 0 {
			cut[a] = AxisRange(max(0, -start), d-max(0, -end))
		}
	}
	x = Slice(x, cut...)
	switch mode := rewrite.Text(n, "mode", "constant"); mode {
	case "constant":
		fill := ScalarZero(b.graph, x.DType())
		if v := b.value(n, 2); v != nil {
			fill = Reshape(v)
		}
		return Pad(x, fill, all...)
	case "reflect", "edge":
		for a, p := range all {
			x = mirror(x, a, p, mode == "edge")
		}
		return x
	default:
		panic(fmt.Errorf("mode %q is not supported", mode))
	}
}

// mirror extends an axis by its own pixels: the last one again and again, or those before it.
func mirror(x *Node, a int, p compute.PadAxis, edge bool) *Node {
	d := x.Shape().Dimensions[a]
	at := func(i int) *Node {
		switch {
		case edge:
			i = max(0, min(i, d-1))
		case i < 0:
			i = -i
		case i >= d:
			i = 2*(d-1) - i
		}
		if i < 0 || i >= d {
			panic(fmt.Errorf("%d pixels are too few to reflect %d and %d", d, p.Start, p.End))
		}
		return SliceAxis(x, a, AxisRange(i, i+1))
	}
	var parts []*Node
	for i := -p.Start; i < 0; i++ {
		parts = append(parts, at(i))
	}
	parts = append(parts, x)
	for i := range p.End {
		parts = append(parts, at(d+i))
	}
	if len(parts) == 1 {
		return x
	}
	return Concatenate(parts, a)
}

// standardized is x with mean 0 and variance 1 over the axes from the second on.
func standardized(x *Node, epsilon float32) *Node {
	d := x.Shape().Dimensions
	x = Reshape(x, d[0], d[1], -1)
	x = Sub(x, ReduceAndKeep(x, ReduceMean, 2))
	v := ReduceAndKeep(Square(x), ReduceMean, 2)
	return Reshape(Div(x, Sqrt(AddScalar(v, epsilon))), d...)
}

// perChannel shapes a vector for values [batch, channels, ...].
func perChannel(v *Node, rank int) *Node {
	dims := []int{1, v.Shape().Size()}
	for len(dims) < rank {
		dims = append(dims, 1)
	}
	return Reshape(v, dims...)
}

func instanceNormalization(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	imageSize(x)
	y := standardized(x, rewrite.Float(n, "epsilon", 1e-5))
	return Add(Mul(y, perChannel(b.value(n, 1), x.Rank())), perChannel(b.value(n, 2), x.Rank()))
}

func groupNormalization(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	d := x.Shape().Dimensions
	groups := int(rewrite.Int(n, "num_groups", 0))
	if len(d) < 2 || groups < 1 || d[1]%groups != 0 {
		panic(fmt.Errorf("%d groups of %v", groups, d))
	}
	y := Reshape(standardized(Reshape(x, d[0], groups, -1), rewrite.Float(n, "epsilon", 1e-5)), d...)
	each := func(v *Node) *Node { // before operation set 21 one number a group
		if v.Shape().Size() == groups && groups != d[1] {
			v = Reshape(BroadcastToDims(Reshape(v, groups, 1), groups, d[1]/groups), d[1])
		}
		return perChannel(v, x.Rank())
	}
	return Add(Mul(y, each(b.value(n, 1))), each(b.value(n, 2)))
}

// localResponse divides by a power of the squares of neighbouring channels.
func localResponse(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	imageSize(x)
	size := int(rewrite.Int(n, "size", 1))
	if size < 1 || size > most {
		panic(fmt.Errorf("size %d", size))
	}
	channels := x.Shape().Dimensions[1]
	squares := Pad(Square(x), ScalarZero(b.graph, x.DType()), compute.PadAxis{},
		compute.PadAxis{Start: (size - 1) / 2, End: size / 2}, compute.PadAxis{}, compute.PadAxis{})
	var sum *Node
	for i := range size {
		part := SliceAxis(squares, 1, AxisRange(i, i+channels))
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	alpha, beta, bias := rewrite.Float(n, "alpha", 1e-4), rewrite.Float(n, "beta", 0.75), rewrite.Float(n, "bias", 1)
	return Div(x, PowScalar(AddScalar(MulScalar(sum, alpha/float32(size)), bias), beta))
}

// blocks returns the side of the blocks of a node and the dimensions of x.
func blocks(n *protos.NodeProto, x *Node) (int, []int) {
	imageSize(x)
	size := int(rewrite.Int(n, "blocksize", 0))
	if size < 1 || size > most {
		panic(fmt.Errorf("blocksize %d", size))
	}
	return size, x.Shape().Dimensions
}

func depthToSpace(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	s, d := blocks(n, x)
	if rewrite.Text(n, "mode", "DCR") == "CRD" {
		x = TransposeAllAxes(Reshape(x, d[0], d[1]/(s*s), s, s, d[2], d[3]), 0, 1, 4, 2, 5, 3)
	} else {
		x = TransposeAllAxes(Reshape(x, d[0], s, s, d[1]/(s*s), d[2], d[3]), 0, 3, 4, 1, 5, 2)
	}
	return Reshape(x, d[0], d[1]/(s*s), d[2]*s, d[3]*s)
}

func spaceToDepth(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	s, d := blocks(n, x)
	order := []int{0, 3, 5, 1, 2, 4}
	if rewrite.Text(n, "mode", "DCR") == "CRD" {
		order = []int{0, 1, 3, 5, 2, 4}
	}
	x = TransposeAllAxes(Reshape(x, d[0], d[1], d[2]/s, s, d[3]/s, s), order...)
	return Reshape(x, d[0], d[1]*s*s, d[2]/s, d[3]/s)
}
