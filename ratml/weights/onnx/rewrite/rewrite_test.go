package rewrite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// one is a model of one node with inputs x and those given.
func one(version int64, n *protos.NodeProto, constants ...*protos.TensorProto) *protos.ModelProto {
	for _, c := range constants {
		n.Input = append(n.Input, c.Name)
	}
	n.Name, n.Output = "node", append([]string{"y"}, n.Output...)
	return &protos.ModelProto{
		OpsetImport: []*protos.OperatorSetIdProto{{Version: version}, {Domain: "ai.onnx.ml", Version: 3}, {Domain: "com.microsoft", Version: 1}},
		Graph:       &protos.GraphProto{Node: []*protos.NodeProto{n}, Initializer: constants},
	}
}

func number(name string, v ...int64) *protos.TensorProto {
	return &protos.TensorProto{Name: name, DataType: int32(protos.TensorProto_INT64), Int64Data: v, Dims: []int64{int64(len(v))}}
}

func integer(name string, v int64) *protos.AttributeProto {
	return &protos.AttributeProto{Name: name, Type: protos.AttributeProto_INT, I: v}
}

func list(name string, v ...int64) *protos.AttributeProto {
	return &protos.AttributeProto{Name: name, Type: protos.AttributeProto_INTS, Ints: v}
}

func text(name, v string) *protos.AttributeProto {
	return &protos.AttributeProto{Name: name, Type: protos.AttributeProto_STRING, S: []byte(v)}
}

func fraction(name string, v float32) *protos.AttributeProto {
	return &protos.AttributeProto{Name: name, Type: protos.AttributeProto_FLOAT, F: v}
}

// TestModel shows which operations take the place of a node. That they compute the same is tested by package onnx.
func TestModel(t *testing.T) {
	x := []string{"x"}
	yes := &protos.TensorProto{Name: "training", DataType: int32(protos.TensorProto_BOOL), RawData: []byte{1}}
	zero := &protos.TensorProto{Name: "zero", DataType: int32(protos.TensorProto_INT64), Int64Data: []int64{0}}
	for name, c := range map[string]struct {
		model *protos.ModelProto
		want  string // operations, or part of the error
	}{
		"unknown":          {one(17, &protos.NodeProto{OpType: "Wobble", Input: x}), "Wobble"},
		"HardSigmoid":      {one(17, &protos.NodeProto{OpType: "HardSigmoid", Input: x}), "Mul Add Max Min Identity"},
		"HardSwish":        {one(17, &protos.NodeProto{OpType: "HardSwish", Input: x}), "Mul Add Max Min Mul Identity"},
		"LeakyRelu":        {one(17, &protos.NodeProto{OpType: "LeakyRelu", Input: x}), "Relu Neg Relu Mul Sub Identity"},
		"Gelu":             {one(20, &protos.NodeProto{OpType: "Gelu", Input: x}), "Mul Erf Mul Add Mul Identity"},
		"Gelu by tanh":     {one(20, &protos.NodeProto{OpType: "Gelu", Input: x, Attribute: []*protos.AttributeProto{text("approximate", "tanh")}}), "Mul Mul Mul Add Mul Tanh Mul Add Mul Identity"},
		"Microsoft's Gelu": {one(17, &protos.NodeProto{OpType: "Gelu", Domain: "com.microsoft", Input: x}), "Mul Erf Mul Add Mul Identity"},
		"old Clip":         {one(6, &protos.NodeProto{OpType: "Clip", Input: x, Attribute: []*protos.AttributeProto{fraction("min", 0), fraction("max", 6)}}), "Max Min"},
		"Clip below":       {one(6, &protos.NodeProto{OpType: "Clip", Input: x, Attribute: []*protos.AttributeProto{fraction("max", 6)}}), "Min"},
		"Clip nothing":     {one(17, &protos.NodeProto{OpType: "Clip", Input: x}), "Identity"},
		"old Slice":        {one(9, &protos.NodeProto{OpType: "Slice", Input: x, Attribute: []*protos.AttributeProto{list("starts", 0), list("ends", 1)}}), "Slice"},
		"Gather of one":    {one(17, &protos.NodeProto{OpType: "Gather", Input: x}, zero), "Slice Squeeze"},
		"Gather of two":    {one(17, &protos.NodeProto{OpType: "Gather", Input: x}, number("two", 0, 1)), "Gather"},
		"Dropout":          {one(17, &protos.NodeProto{OpType: "Dropout", Input: x}), "Identity"},
		"Dropout training": {one(17, &protos.NodeProto{OpType: "Dropout", Input: []string{"x", ""}}, yes), `node "node" (operation Dropout, operation set ai.onnx 17): dropout in training mode`},
		"Sum":              {one(17, &protos.NodeProto{OpType: "Sum", Input: []string{"x", "x", "x"}}), "Add Add Identity"},
		"ReduceL2":         {one(17, &protos.NodeProto{OpType: "ReduceL2", Input: x}), "Mul ReduceSum Sqrt"},
		"no axes":          {one(17, &protos.NodeProto{OpType: "ReduceSum", Input: x, Attribute: []*protos.AttributeProto{integer("noop_with_empty_axes", 1)}}, number("axes")), "Identity"},
		"old broadcast":    {one(6, &protos.NodeProto{OpType: "Add", Input: []string{"x", "x"}, Attribute: []*protos.AttributeProto{integer("broadcast", 1), integer("axis", 1)}}), "before 7"},
		"ConstantOfShape":  {one(17, &protos.NodeProto{OpType: "ConstantOfShape", Input: x}), "Expand"},
		"too few inputs":   {one(17, &protos.NodeProto{OpType: "BatchNormalization", Input: x}), "1 inputs, want 5"},
		"ZipMap":           {one(17, &protos.NodeProto{OpType: "ZipMap", Domain: "ai.onnx.ml", Input: x}), "Identity"},
		"no coefficients":  {one(17, &protos.NodeProto{OpType: "LinearClassifier", Domain: "ai.onnx.ml", Input: x, Output: []string{"scores"}}), "0 coefficients"},
		"no constant":      {one(17, &protos.NodeProto{OpType: "Constant"}), "holds no numbers"},
		"no output":        {&protos.ModelProto{Graph: &protos.GraphProto{Node: []*protos.NodeProto{{OpType: "Relu"}, {OpType: "Clip"}}}}, "no output"},
		"no graph":         {&protos.ModelProto{}, "no graph"},
	} {
		t.Run(name, func(t *testing.T) {
			err := rewrite.Model(c.model)
			if err != nil {
				require.ErrorContains(t, err, c.want)
				return
			}
			var ops []string
			for _, n := range c.model.Graph.Node {
				ops = append(ops, n.OpType)
			}
			require.Equal(t, c.want, strings.Join(ops, " "))
			last := c.model.Graph.Node[len(ops)-1]
			require.True(t, slices.Contains(last.Output, "y"), "outputs %v", last.Output)
		})
	}
}

// TestNoOps: attributes that change nothing go.
func TestNoOps(t *testing.T) {
	n := &protos.NodeProto{OpType: "BatchNormalization", Input: []string{"x", "a", "b", "c", "d"}, Output: []string{"mean", "var"},
		Attribute: []*protos.AttributeProto{fraction("momentum", 0.9), integer("training_mode", 0), fraction("epsilon", 1e-3)}}
	require.NoError(t, rewrite.Model(one(14, n)))
	require.Len(t, n.Attribute, 1)
	require.Equal(t, float32(1e-3), rewrite.Float(n, "epsilon", 0))
	require.Equal(t, []string{"y"}, n.Output)
	n = &protos.NodeProto{OpType: "BatchNormalization", Input: []string{"x", "a", "b", "c", "d"}, Attribute: []*protos.AttributeProto{integer("training_mode", 1)}}
	require.ErrorContains(t, rewrite.Model(one(14, n)), "training mode")
}

func TestPastSoftmax(t *testing.T) {
	node := func(op, in, out string, more ...string) *protos.NodeProto {
		return &protos.NodeProto{OpType: op, Input: append([]string{in}, more...), Output: []string{out}}
	}
	for name, c := range map[string]struct {
		nodes []*protos.NodeProto
		want  string
	}{
		"at the end": {[]*protos.NodeProto{node("MatMul", "x", "z"), node("Softmax", "z", "y")}, "MatMul Identity"},
		"before":     {[]*protos.NodeProto{node("Softmax", "x", "p"), node("Reshape", "p", "q"), node("Cast", "q", "y")}, "Identity Reshape Cast"},
		"normalised": {[]*protos.NodeProto{node("Softmax", "x", "p"), node("Abs", "p", "a"), node("ReduceSum", "a", "s"), node("Div", "p", "y", "s")},
			"Identity Abs ReduceSum Identity"},
		"none":   {[]*protos.NodeProto{node("MatMul", "x", "y")}, ""},
		"inside": {[]*protos.NodeProto{node("Softmax", "x", "p"), node("MatMul", "p", "y")}, ""},
		"scaled": {[]*protos.NodeProto{node("Softmax", "x", "p"), node("Div", "p", "y", "x")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := &protos.GraphProto{Node: c.nodes}
			require.Equal(t, c.want != "", rewrite.PastSoftmax(g, "y"))
			var ops []string
			for _, n := range g.Node {
				ops = append(ops, n.OpType)
			}
			if c.want != "" {
				require.Equal(t, c.want, strings.Join(ops, " "))
			}
		})
	}
}
