package onnx

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/onnx-gomlx/onnx/parser"
	"google.golang.org/protobuf/proto"
)

// delegated are the operations that onnx-gomlx builds.
var delegated = func() map[string]bool {
	m := map[string]bool{}
	for _, op := range []string{
		"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "And", "Or", "Xor", "Not",
		"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where",
		"Sqrt", "Exp", "Log", "Erf", "Relu", "Abs", "Neg", "Sign", "Ceil", "Floor", "Tanh", "Sin", "Cos",
		"Sigmoid", "Reciprocal", "IsNaN", "MatMul", "Einsum", "Gemm", "Cast", "Transpose",
		"Gather", "GatherElements", "GatherND", "Slice", "Split", "Squeeze", "Unsqueeze", "Tile", "Range", "CumSum", "Trilu",
		"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
		"BatchNormalization", "LayerNormalization",
	} {
		m[op] = true
	}
	return m
}()

// flush builds the waiting nodes.
func (b *builder) flush() {
	nodes := b.waiting
	b.waiting = nil
	clear(b.pending)
	if len(nodes) == 0 {
		return
	}
	values, err := b.delegate(nodes)
	if err != nil && len(nodes) > 1 {
		for _, n := range nodes { // which of them was it?
			b.naming(n, func() {
				one, err := b.delegate([]*protos.NodeProto{n})
				if err != nil {
					panic(err)
				}
				maps.Copy(b.values, one)
			})
		}
		return
	}
	if err != nil {
		panic(&nodeError{b.describe(nodes[0]), err})
	}
	maps.Copy(b.values, values)
}

// delegate has nodes built by onnx-gomlx, as a model of their own, and returns all their outputs.
func (b *builder) delegate(nodes []*protos.NodeProto) (values map[string]*Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	g := &protos.GraphProto{Node: nodes}
	own := map[string]bool{}
	var wanted []string
	for _, n := range nodes {
		for _, name := range n.Output {
			own[name] = true
			if name != "" && b.used[name] {
				wanted = append(wanted, name)
				g.Output = append(g.Output, valueInfo(name, protos.TensorProto_FLOAT, nil))
			}
		}
	}
	inputs, constants := map[string]*Node{}, map[string]any{}
	for _, n := range nodes {
		for _, name := range n.Input {
			if name == "" || own[name] || inputs[name] != nil || constants[name] != nil {
				continue
			}
			if c := b.constant(name); c != nil && b.values[name] == nil {
				constants[name] = c.tensor()
				g.Input = append(g.Input, valueInfo(name, c.kind.onnxType(), c.dims))
				continue
			}
			v := b.node(name)
			inputs[name] = v
			g.Input = append(g.Input, valueInfo(name, typeOf(v), v.Shape().Dimensions))
		}
	}
	return b.call(g, wanted, inputs, constants)
}

func (b *builder) call(g *protos.GraphProto, wanted []string, inputs map[string]*Node, constants map[string]any) (map[string]*Node, error) {
	file, err := proto.Marshal(&protos.ModelProto{Graph: g})
	if err != nil {
		return nil, err
	}
	m, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	m.DisableFusion()
	values := map[string]*Node{}
	for i, y := range m.WithInputsAsConstants(constants).CallGraph(nil, b.graph, inputs, wanted...) {
		b.check(y)
		values[wanted[i]] = y
	}
	return values, nil
}

func valueInfo(name string, kind protos.TensorProto_DataType, dims []int) *protos.ValueInfoProto {
	t := &protos.TypeProto_Tensor{ElemType: int32(kind)}
	if dims != nil {
		t.Shape = &protos.TensorShapeProto{}
	}
	for _, d := range dims {
		t.Shape.Dim = append(t.Shape.Dim, &protos.TensorShapeProto_Dimension{
			Value: &protos.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	return &protos.ValueInfoProto{Name: name, Type: &protos.TypeProto{Value: &protos.TypeProto_TensorType{TensorType: t}}}
}

// typeOf returns the type that a node has in a model.
func typeOf(v *Node) protos.TensorProto_DataType {
	switch v.DType() {
	case dtypes.Float32:
		return protos.TensorProto_FLOAT
	case dtypes.BFloat16:
		return protos.TensorProto_BFLOAT16
	case dtypes.Float16:
		return protos.TensorProto_FLOAT16
	case dtypes.Float64:
		return protos.TensorProto_DOUBLE
	case dtypes.Int64:
		return protos.TensorProto_INT64
	case dtypes.Int32:
		return protos.TensorProto_INT32
	case dtypes.Bool:
		return protos.TensorProto_BOOL
	}
	panic(fmt.Errorf("a value of type %s", v.DType()))
}

// operationNames lists all that are supported.
func operationNames() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(delegated)), maps.Keys(operations))
	return slices.Sorted(slices.Values(names))
}
