package rewrite

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"
)

// core are the rules for ONNX's own operations (github.com/onnx/onnx: docs/Operators.md, docs/Changelog.md).
var core map[string]rule

func init() {
	core = map[string]rule{
		"Constant":           constant,
		"Dropout":            dropout,
		"BatchNormalization": batchNormalization,
		"Cast":               cast,
		"CastLike":           castLike,
		"ConstantOfShape":    constantOfShape,
		"Clip":               clip,
		"Slice":              slice,
		"Split":              split,
		"Pad":                pad,
		"Softmax":            softmax,
		"LogSoftmax":         softmax,
		"Gather":             gather,
		"Sum":                func(p *pass, n *protos.NodeProto) error { return sum(p, n, false) },
		"Mean":               func(p *pass, n *protos.NodeProto) error { return sum(p, n, true) },
		"ReduceL1":           reduced("Abs", "ReduceSum", ""),
		"ReduceSumSquare":    reduced("Square", "ReduceSum", ""),
		"ReduceL2":           reduced("Square", "ReduceSum", "Sqrt"),
		"ReduceLogSum":       reduced("", "ReduceSum", "Log"),
		"LayerNormalization": layerNormalization,
		"Einsum":             einsum,
	}
	for _, name := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"} {
		core[name] = reduce
	}
	for _, name := range []string{"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Equal", "Less", "Greater"} {
		core[name] = binary
	}
	for name, f := range activations {
		core[name] = f
	}
}

// constant makes an initialiser of a constant.
func constant(p *pass, n *protos.NodeProto) error {
	var t *protos.TensorProto
	for _, a := range n.GetAttribute() {
		switch a.GetName() {
		case "value":
			t = a.GetT()
		case "value_float":
			t = floats([]float32{a.GetF()})
		case "value_floats":
			t = floats(a.GetFloats(), len(a.GetFloats()))
		case "value_int":
			t = ints([]int64{a.GetI()})
		case "value_ints":
			t = ints(a.GetInts(), len(a.GetInts()))
		}
	}
	if t == nil {
		return fmt.Errorf("a constant that holds no numbers")
	}
	t.Name = n.Output[0]
	p.define(t)
	return nil
}

// dropout is nothing in evaluation. Its second output is never asked for there.
func dropout(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	if len(n.Input) > 2 && n.Input[2] != "" {
		t := p.constants[n.Input[2]]
		if t == nil {
			return fmt.Errorf("whether it is training is not a constant")
		}
		if len(t.GetRawData()) > 0 && t.RawData[0] != 0 || len(t.GetInt32Data()) > 0 && t.Int32Data[0] != 0 {
			return fmt.Errorf("dropout in training mode; export the model in evaluation mode")
		}
	}
	p.emit(n, n.Output[0], "Identity", n.Input[0])
	return nil
}

// batchNormalization uses stored statistics.
func batchNormalization(p *pass, n *protos.NodeProto) error {
	if err := need(n, 5); err != nil {
		return err
	}
	if Int(n, "training_mode", 0) != 0 {
		return fmt.Errorf("batch normalisation in training mode; export the model in evaluation mode")
	}
	if Int(n, "spatial", 1) != 1 {
		return fmt.Errorf("statistics for every place of the image (spatial=0) are not supported")
	}
	drop(n, "momentum", "training_mode", "spatial", "is_test", "consumed_inputs")
	n.Output = n.Output[:1]
	p.keep(n)
	return nil
}

// floatTypes are the types that are computed with in float32.
var floatTypes = map[protos.TensorProto_DataType]bool{
	protos.TensorProto_FLOAT: true, protos.TensorProto_DOUBLE: true,
	protos.TensorProto_FLOAT16: true, protos.TensorProto_BFLOAT16: true,
}

// cast makes every type of floats float32.
func cast(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	drop(n, "saturate", "round_mode")
	if floatTypes[protos.TensorProto_DataType(Int(n, "to", 0))] {
		set(n, "to", int64(protos.TensorProto_FLOAT))
	}
	p.keep(n)
	return nil
}

// castLike is a cast to the type of a constant, or of what is computed with, float32.
func castLike(p *pass, n *protos.NodeProto) error {
	if err := need(n, 2); err != nil {
		return err
	}
	to := int64(protos.TensorProto_FLOAT)
	if t := p.constants[n.Input[1]]; t != nil && !floatTypes[protos.TensorProto_DataType(t.GetDataType())] {
		to = int64(t.GetDataType())
	}
	p.emit(n, n.Output[0], "Cast", n.Input[0])
	set(p.nodes[len(p.nodes)-1], "to", to)
	return nil
}

// constantOfShape is a constant expanded.
func constantOfShape(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	t := attribute(n, "value").GetT()
	if t == nil {
		t = floats([]float32{0})
	}
	t.Dims = nil
	p.emit(n, n.Output[0], "Expand", p.constant(n, t), n.Input[0])
	return nil
}

// clip takes bounds as inputs, as since operation set 11.
func clip(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	for len(n.Input) < 3 {
		n.Input = append(n.Input, "")
	}
	for i, name := range []string{"min", "max"} {
		if has(n, name) {
			n.Input[1+i] = p.scalar(n, Float(n, name, 0))
		}
	}
	drop(n, "min", "max")
	// Two operations, in the order that gives PyTorch's gradients.
	x := n.Input[0]
	switch lo, hi := n.Input[1], n.Input[2]; {
	case lo == "" && hi == "":
		p.emit(n, n.Output[0], "Identity", x)
	case hi == "":
		p.emit(n, n.Output[0], "Max", lo, x)
	case lo == "":
		p.emit(n, n.Output[0], "Min", hi, x)
	default:
		p.emit(n, n.Output[0], "Min", hi, p.emit(n, "", "Max", lo, x))
	}
	return nil
}

// slice takes its ranges as inputs, as since operation set 10.
func slice(p *pass, n *protos.NodeProto) error {
	if !has(n, "starts") {
		p.keep(n)
		return need(n, 3)
	}
	if err := need(n, 1); err != nil {
		return err
	}
	starts, ends, axes := Ints(n, "starts"), Ints(n, "ends"), Ints(n, "axes")
	if axes == nil {
		for i := range starts {
			axes = append(axes, int64(i))
		}
	}
	p.emit(n, n.Output[0], "Slice", n.Input[0], p.integers(n, starts...), p.integers(n, ends...), p.integers(n, axes...))
	return nil
}

// split takes sizes as an input, as since operation set 13.
func split(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	if sizes := Ints(n, "split"); sizes != nil {
		n.Input = []string{n.Input[0], p.integers(n, sizes...)}
	}
	drop(n, "split")
	p.keep(n)
	return nil
}

// pad takes amounts as an input, as since operation set 11.
func pad(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	if pads := Ints(n, "pads"); pads != nil {
		n.Input = []string{n.Input[0], p.integers(n, pads...), p.scalar(n, Float(n, "value", 0))}
	}
	drop(n, "pads", "value")
	p.keep(n)
	return need(n, 2)
}

// Flat marks a softmax over all axes from its own on, as it was before operation set 13.
const Flat = "flat"

func softmax(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	if p.opset() < 13 {
		set(n, "axis", Int(n, "axis", 1))
		set(n, Flat, 1)
	}
	p.keep(n)
	return nil
}

// gather of one element is a slice, whose gradient is no scattering.
func gather(p *pass, n *protos.NodeProto) error {
	if err := need(n, 2); err != nil {
		return err
	}
	t := p.constants[n.Input[1]]
	if t == nil || len(t.GetDims()) > 1 || len(t.GetDims()) == 1 && t.Dims[0] != 1 {
		p.keep(n)
		return nil
	}
	index, ok := integer(t)
	if !ok {
		p.keep(n)
		return nil
	}
	end := index + 1
	if index == -1 {
		end = 1<<63 - 1
	}
	axis := Int(n, "axis", 0)
	out := n.Output[0]
	if len(t.Dims) == 0 {
		out = ""
	}
	part := p.emit(n, out, "Slice", n.Input[0], p.integers(n, index), p.integers(n, end), p.integers(n, axis))
	if len(t.Dims) == 0 {
		p.emit(n, n.Output[0], "Squeeze", part, p.integers(n, axis))
	}
	return nil
}

// integer returns the one element of a tensor of integers.
func integer(t *protos.TensorProto) (int64, bool) {
	switch {
	case len(t.GetInt64Data()) == 1:
		return t.Int64Data[0], true
	case len(t.GetInt32Data()) == 1:
		return int64(t.Int32Data[0]), true
	}
	var v uint64
	for i, b := range t.GetRawData() {
		if i < 8 {
			v |= uint64(b) << (8 * i)
		}
	}
	switch kind := protos.TensorProto_DataType(t.GetDataType()); {
	case kind == protos.TensorProto_INT64 && len(t.GetRawData()) == 8:
		return int64(v), true
	case kind == protos.TensorProto_INT32 && len(t.GetRawData()) == 4:
		return int64(int32(v)), true
	}
	return 0, false
}

// sum adds any number of operands.
func sum(p *pass, n *protos.NodeProto, mean bool) error {
	if err := need(n, 1); err != nil {
		return err
	}
	total := n.Input[0]
	for _, x := range n.Input[1:] {
		total = p.emit(n, "", "Add", total, x)
	}
	if mean {
		total = p.emit(n, "", "Mul", total, p.scalar(n, 1/float32(len(n.Input))))
	}
	p.emit(n, n.Output[0], "Identity", total)
	return nil
}

// reduced makes a reduction of one that is there, an operation before and one after.
func reduced(before, reduction, after string) rule {
	return func(p *pass, n *protos.NodeProto) error {
		if err := need(n, 1); err != nil {
			return err
		}
		switch before {
		case "":
		case "Square":
			n.Input[0] = p.emit(n, "", "Mul", n.Input[0], n.Input[0])
		default:
			n.Input[0] = p.emit(n, "", before, n.Input[0])
		}
		n.OpType = reduction
		if after == "" {
			return reduce(p, n)
		}
		out := n.Output[0]
		n.Output = []string{p.name(n)}
		if err := reduce(p, n); err != nil {
			return err
		}
		p.emit(n, out, after, n.Output[0])
		return nil
	}
}

// reduce leaves a list of no axes out, where that means all of them, and nothing to do, where it means none.
func reduce(p *pass, n *protos.NodeProto) error {
	if err := need(n, 1); err != nil {
		return err
	}
	none := len(Ints(n, "axes")) == 0
	if len(n.Input) > 1 {
		t := p.constants[n.Input[1]]
		none = n.Input[1] == "" || t != nil && len(t.GetDims()) == 1 && t.Dims[0] == 0
	}
	if none {
		n.Input = n.Input[:1]
		if Int(n, "noop_with_empty_axes", 0) != 0 {
			p.emit(n, n.Output[0], "Identity", n.Input[0])
			return nil
		}
	}
	p.keep(n)
	return nil
}

// binary refuses the broadcasting of old operation sets, along an axis that an attribute states.
func binary(p *pass, n *protos.NodeProto) error {
	if has(n, "axis") && has(n, "broadcast") {
		return fmt.Errorf("broadcasting along an axis, as in operation sets before 7, is not supported; convert the model with onnx.version_converter")
	}
	drop(n, "broadcast")
	p.keep(n)
	return need(n, 2)
}

// layerNormalization gives the normalised values alone.
func layerNormalization(p *pass, n *protos.NodeProto) error {
	n.Output = n.Output[:1]
	p.keep(n)
	return need(n, 2)
}

// einsum has its equation written without blanks.
func einsum(p *pass, n *protos.NodeProto) error {
	if a := attribute(n, "equation"); a != nil {
		a.S = []byte(strings.ReplaceAll(string(a.S), " ", ""))
	}
	p.keep(n)
	return nil
}
