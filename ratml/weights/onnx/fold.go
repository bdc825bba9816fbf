package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"

	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// folder computes a node whose inputs are constants; nil where it cannot, and the node goes into the graph.
type folder func(n *protos.NodeProto, in []*constant) (*constant, error)

// folders are the operations that models compute shapes with.
var folders = map[string]folder{
	"Identity":   func(_ *protos.NodeProto, in []*constant) (*constant, error) { return in[0], nil },
	"Cast":       foldCast,
	"Add":        arithmetic(func(a, b float64) float64 { return a + b }),
	"Sub":        arithmetic(func(a, b float64) float64 { return a - b }),
	"Mul":        arithmetic(func(a, b float64) float64 { return a * b }),
	"Min":        arithmetic(math.Min),
	"Max":        arithmetic(math.Max),
	"Div":        foldDiv,
	"Mod":        foldMod,
	"Transpose":  foldTranspose,
	"ScatterND":  foldScatter,
	"Equal":      comparison(func(a, b float64) bool { return a == b }),
	"Less":       comparison(func(a, b float64) bool { return a < b }),
	"Greater":    comparison(func(a, b float64) bool { return a > b }),
	"And":        comparison(func(a, b float64) bool { return a != 0 && b != 0 }),
	"Or":         comparison(func(a, b float64) bool { return a != 0 || b != 0 }),
	"Not":        elementwise(func(a float64) float64 { return 1 - a }),
	"Neg":        elementwise(func(a float64) float64 { return -a }),
	"Abs":        elementwise(math.Abs),
	"Floor":      elementwise(math.Floor),
	"Ceil":       elementwise(math.Ceil),
	"Sqrt":       elementwise(math.Sqrt),
	"Where":      foldWhere,
	"Concat":     foldConcat,
	"Gather":     foldGather,
	"Slice":      foldSlice,
	"Squeeze":    foldSqueeze,
	"Unsqueeze":  foldUnsqueeze,
	"Reshape":    foldReshape,
	"Expand":     foldExpand,
	"Range":      foldRange,
	"ReduceProd": foldProduct,
	"Shape":      foldShape,
	"Size":       func(_ *protos.NodeProto, in []*constant) (*constant, error) { return scalar(len(in[0].v)), nil },
}

func scalar(n int) *constant { return &constant{integer, nil, []float64{float64(n)}} }

// fold computes a node from constants.
func fold(n *protos.NodeProto, in []*constant) (*constant, error) {
	f := folders[n.GetOpType()]
	if f == nil || len(in) == 0 || slices.Contains(in, nil) {
		return nil, nil
	}
	for _, c := range in {
		if len(c.v) > maxConstant || c.kind == small {
			return nil, nil
		}
	}
	return f(n, in)
}

func elementwise(f func(a float64) float64) folder {
	return func(_ *protos.NodeProto, in []*constant) (*constant, error) {
		out := &constant{in[0].kind, in[0].dims, make([]float64, len(in[0].v))}
		for i, a := range in[0].v {
			out.v[i] = f(a)
		}
		return out, nil
	}
}

func arithmetic(f func(a, b float64) float64) folder {
	return func(_ *protos.NodeProto, in []*constant) (*constant, error) {
		return pairs(in, in[0].kind, f)
	}
}

func comparison(f func(a, b float64) bool) folder {
	return func(_ *protos.NodeProto, in []*constant) (*constant, error) {
		return pairs(in, boolean, func(a, b float64) float64 {
			if f(a, b) {
				return 1
			}
			return 0
		})
	}
}

func pairs(in []*constant, k kind, f func(a, b float64) float64) (*constant, error) {
	if len(in) != 2 {
		return nil, nil
	}
	dims, err := broadcast(in)
	if err != nil {
		return nil, err
	}
	n, _ := count(dims)
	out := &constant{k, dims, make([]float64, n)}
	for i := range out.v {
		out.v[i] = f(in[0].at(i, dims), in[1].at(i, dims))
	}
	return out, nil
}

func foldDiv(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 2 {
		return nil, nil
	}
	whole := in[0].kind != float
	if whole && slices.Contains(in[1].v, 0) {
		return nil, fmt.Errorf("division by zero")
	}
	return pairs(in, in[0].kind, func(a, b float64) float64 {
		if whole {
			return math.Trunc(a / b)
		}
		return a / b
	})
}

// foldMod has the sign of the divisor.
func foldMod(n *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 2 || rewrite.Int(n, "fmod", 0) != 0 || in[0].kind == float {
		return nil, nil
	}
	if slices.Contains(in[1].v, 0) {
		return nil, fmt.Errorf("division by zero")
	}
	return pairs(in, in[0].kind, func(a, b float64) float64 { return a - b*math.Floor(a/b) })
}

func foldCast(n *protos.NodeProto, in []*constant) (*constant, error) {
	to := kindOf(protos.TensorProto_DataType(rewrite.Int(n, "to", 0)))
	if to == small {
		return nil, nil
	}
	out := &constant{to, in[0].dims, slices.Clone(in[0].v)}
	for i, v := range out.v {
		switch to {
		case float:
			out.v[i] = float64(float32(v))
		case boolean:
			if v != 0 {
				out.v[i] = 1
			}
		default:
			out.v[i] = math.Trunc(v)
		}
	}
	return out, nil
}

func foldWhere(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 3 {
		return nil, nil
	}
	dims, err := broadcast(in)
	if err != nil {
		return nil, err
	}
	n, _ := count(dims)
	out := &constant{in[1].kind, dims, make([]float64, n)}
	for i := range out.v {
		from := in[2]
		if in[0].at(i, dims) != 0 {
			from = in[1]
		}
		out.v[i] = from.at(i, dims)
	}
	return out, nil
}

// foldConcat joins lists.
func foldConcat(_ *protos.NodeProto, in []*constant) (*constant, error) {
	out := &constant{kind: in[0].kind}
	for _, c := range in {
		if len(c.dims) != 1 {
			return nil, nil
		}
		out.v = append(out.v, c.v...)
	}
	out.dims = []int{len(out.v)}
	return out, bounded(out.dims)
}

// foldGather picks elements of a list.
func foldGather(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 2 || len(in[0].dims) != 1 {
		return nil, nil
	}
	out := &constant{in[0].kind, in[1].dims, make([]float64, len(in[1].v))}
	for i, at := range in[1].ints() {
		if at < 0 {
			at += len(in[0].v)
		}
		if at < 0 || at >= len(in[0].v) {
			return nil, fmt.Errorf("index %d of a list of %d", in[1].ints()[i], len(in[0].v))
		}
		out.v[i] = in[0].v[at]
	}
	return out, nil
}

// foldSlice cuts, forwards or backwards.
func foldSlice(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) < 3 || len(in[1].v) != len(in[2].v) {
		return nil, nil
	}
	axes, err := axesOf(&protos.NodeProto{}, []*constant{nil, list(0)}, max(1, len(in[0].dims)))
	if len(in) > 3 {
		axes, err = axesOf(&protos.NodeProto{}, []*constant{nil, in[3]}, len(in[0].dims))
	}
	if err != nil || len(axes) != len(in[1].v) || len(in) > 4 && len(in[4].v) != len(axes) {
		return nil, err
	}
	out := in[0]
	for i, a := range axes {
		if a >= len(out.dims) {
			return nil, nil
		}
		step := 1
		if len(in) > 4 {
			step = in[4].ints()[i]
		}
		out = out.pick(a, places(in[1].ints()[i], in[2].ints()[i], step, out.dims[a]))
	}
	return out, nil
}

// places are the indices of a slice of n elements.
func places(start, end, step, n int) []int {
	within := func(i, lo, hi int) int {
		if i < 0 {
			i += n
		}
		return max(lo, min(i, hi))
	}
	var at []int
	if step > 0 {
		for i, end := within(start, 0, n), within(end, 0, n); i < end; i += min(step, n) {
			at = append(at, i)
		}
	} else if step < 0 {
		for i, end := within(start, -1, n-1), within(end, -1, n-1); i > end; i -= min(-max(step, -n), n) {
			at = append(at, i)
		}
	}
	return at
}

// pick takes places of an axis.
func (c *constant) pick(axis int, at []int) *constant {
	inner := 1
	for _, d := range c.dims[axis+1:] {
		inner *= d
	}
	outer := 1
	for _, d := range c.dims[:axis] {
		outer *= d
	}
	out := &constant{kind: c.kind, dims: slices.Clone(c.dims)}
	out.dims[axis] = len(at)
	for o := range outer {
		for _, i := range at {
			from := (o*c.dims[axis] + i) * inner
			out.v = append(out.v, c.v[from:from+inner]...)
		}
	}
	return out
}

// foldTranspose turns tables.
func foldTranspose(n *protos.NodeProto, in []*constant) (*constant, error) {
	perm := rewrite.Ints(n, "perm")
	if len(in[0].dims) != 2 || perm != nil && !slices.Equal(perm, []int64{1, 0}) {
		return nil, nil
	}
	rows, columns := in[0].dims[0], in[0].dims[1]
	out := &constant{in[0].kind, []int{columns, rows}, nil}
	for j := range columns {
		for i := range rows {
			out.v = append(out.v, in[0].v[i*columns+j])
		}
	}
	return out, nil
}

// foldScatter replaces parts of a table, as exporters write the assignments that make attention masks.
func foldScatter(n *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 3 || len(in[1].dims) == 0 || rewrite.Text(n, "reduction", "none") != "none" {
		return nil, nil
	}
	depth := in[1].dims[len(in[1].dims)-1]
	if depth < 1 || depth > len(in[0].dims) {
		return nil, fmt.Errorf("indices of %d numbers into %v", depth, in[0].dims)
	}
	part := 1
	for _, d := range in[0].dims[depth:] {
		part *= d
	}
	index := in[1].ints()
	if len(in[2].v) != len(index)/depth*part {
		return nil, fmt.Errorf("%d updates for %d places of %d numbers", len(in[2].v), len(index)/depth, part)
	}
	out := &constant{in[0].kind, in[0].dims, slices.Clone(in[0].v)}
	for i := range len(index) / depth {
		at := 0
		for a, k := range index[i*depth : (i+1)*depth] {
			d := in[0].dims[a]
			if k < 0 {
				k += d
			}
			if k < 0 || k >= d {
				return nil, fmt.Errorf("index %d of %d", k, d)
			}
			at = at*d + k
		}
		copy(out.v[at*part:(at+1)*part], in[2].v[i*part:])
	}
	return out, nil
}

func foldShape(n *protos.NodeProto, in []*constant) (*constant, error) {
	return shapeOf(n, in[0].dims), nil
}

// shapeOf is what operation Shape gives of a tensor.
func shapeOf(n *protos.NodeProto, dims []int) *constant {
	bound := func(name string, absent int) int {
		i := int(rewrite.Int(n, name, int64(absent)))
		if i < 0 {
			i += len(dims)
		}
		return max(0, min(i, len(dims)))
	}
	var v []float64
	for i := bound("start", 0); i < bound("end", len(dims)); i++ {
		v = append(v, float64(dims[i]))
	}
	return list(v...)
}

// foldSqueeze and foldUnsqueeze change dimensions alone.
func foldSqueeze(n *protos.NodeProto, in []*constant) (*constant, error) {
	axes, err := axesOf(n, in, len(in[0].dims))
	if err != nil {
		return nil, err
	}
	out := &constant{kind: in[0].kind, v: in[0].v}
	for i, d := range in[0].dims {
		if d != 1 || axes != nil && !slices.Contains(axes, i) {
			out.dims = append(out.dims, d)
		}
	}
	return out, nil
}

func foldUnsqueeze(n *protos.NodeProto, in []*constant) (*constant, error) {
	axes, err := axesOf(n, in, -1)
	if err != nil {
		return nil, err
	}
	rank := len(in[0].dims) + len(axes)
	for i, a := range axes {
		if a < 0 {
			axes[i] = a + rank
		}
		if axes[i] < 0 || axes[i] >= rank {
			return nil, fmt.Errorf("axis %d of %d", a, rank)
		}
	}
	rest := in[0].dims
	out := &constant{kind: in[0].kind, v: in[0].v}
	for i := range rank {
		if slices.Contains(axes, i) {
			out.dims = append(out.dims, 1)
		} else if len(rest) > 0 {
			out.dims, rest = append(out.dims, rest[0]), rest[1:]
		}
	}
	return out, nil
}

// axesOf returns the axes that an attribute or the second input states, those of rank >= 0 as numbers from 0.
func axesOf(n *protos.NodeProto, in []*constant, rank int) ([]int, error) {
	axes := narrow(rewrite.Ints(n, "axes"))
	if len(in) > 1 {
		axes = in[1].ints()
	}
	if len(axes) > 64 {
		return nil, fmt.Errorf("%d axes", len(axes))
	}
	if rank < 0 || len(axes) == 0 {
		return slices.Clip(axes), nil
	}
	out := make([]int, len(axes))
	for i, a := range axes {
		if out[i] = a; a < 0 {
			out[i] += rank
		}
		if out[i] < 0 || out[i] >= rank {
			return nil, fmt.Errorf("axis %d of %d", a, rank)
		}
	}
	return out, nil
}

func foldReshape(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 2 {
		return nil, nil
	}
	dims, err := reshaped(in[0].dims, in[1].ints())
	if err != nil {
		return nil, err
	}
	return &constant{in[0].kind, dims, in[0].v}, nil
}

// reshaped returns the dimensions that a reshape to want gives: there 0 stands for the dimension that is there, -1 for
// what is left.
func reshaped(dims, want []int) ([]int, error) {
	total, err := count(dims)
	if err != nil {
		return nil, err
	}
	out, known, open := slices.Clone(want), 1, -1
	for i, d := range out {
		if d == 0 && i < len(dims) {
			out[i] = dims[i]
		}
		if d == -1 && open < 0 {
			open = i
			continue
		}
		if out[i] < 0 || out[i] > 0 && known > maxElements/out[i] {
			return nil, fmt.Errorf("reshape of %v to %v", dims, want)
		}
		known *= out[i]
	}
	if open >= 0 {
		if known == 0 || total%known != 0 {
			return nil, fmt.Errorf("reshape of %v to %v", dims, want)
		}
		out[open] = total / known
		known = total
	}
	if known != total {
		return nil, fmt.Errorf("reshape of %v to %v", dims, want)
	}
	return out, nil
}

func foldExpand(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 2 || len(in[1].dims) != 1 {
		return nil, nil
	}
	dims, err := broadcast([]*constant{in[0], {dims: in[1].ints()}})
	if err != nil {
		return nil, err
	}
	n, _ := count(dims)
	out := &constant{in[0].kind, dims, make([]float64, n)}
	for i := range out.v {
		out.v[i] = in[0].at(i, dims)
	}
	return out, nil
}

func foldRange(_ *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in) != 3 || len(in[0].v) != 1 || len(in[1].v) != 1 || len(in[2].v) != 1 {
		return nil, nil
	}
	start, delta := in[0].v[0], in[2].v[0]
	n := math.Max(0, math.Ceil((in[1].v[0]-start)/delta))
	if !(n <= maxConstant) {
		return nil, fmt.Errorf("a range of %v numbers", n)
	}
	out := &constant{in[0].kind, []int{int(n)}, make([]float64, int(n))}
	for i := range out.v {
		out.v[i] = start + float64(i)*delta
	}
	return out, nil
}

// foldProduct multiplies all numbers.
func foldProduct(n *protos.NodeProto, in []*constant) (*constant, error) {
	if len(in[0].dims) != 1 {
		return nil, nil
	}
	out := &constant{in[0].kind, nil, []float64{1}}
	for _, v := range in[0].v {
		out.v[0] *= v
	}
	if rewrite.Int(n, "keepdims", 1) != 0 {
		out.dims = []int{1}
	}
	return out, nil
}
