package rewrite

import (
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"
)

// Int returns an attribute of a node, or what it is where it is left out.
func Int(n *protos.NodeProto, name string, absent int64) int64 {
	if a := attribute(n, name); a != nil {
		return a.GetI()
	}
	return absent
}

// Float is [Int] for a number.
func Float(n *protos.NodeProto, name string, absent float32) float32 {
	if a := attribute(n, name); a != nil {
		return a.GetF()
	}
	return absent
}

// Text is [Int] for a string.
func Text(n *protos.NodeProto, name, absent string) string {
	if a := attribute(n, name); a != nil {
		return string(a.GetS())
	}
	return absent
}

// Ints returns a list, nil where it is left out.
func Ints(n *protos.NodeProto, name string) []int64 { return attribute(n, name).GetInts() }

// Floats is [Ints] for numbers.
func Floats(n *protos.NodeProto, name string) []float32 { return attribute(n, name).GetFloats() }

func attribute(n *protos.NodeProto, name string) *protos.AttributeProto {
	for _, a := range n.GetAttribute() {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}

func has(n *protos.NodeProto, name string) bool { return attribute(n, name) != nil }

// drop removes attributes.
func drop(n *protos.NodeProto, names ...string) {
	n.Attribute = slices.DeleteFunc(n.Attribute, func(a *protos.AttributeProto) bool { return slices.Contains(names, a.GetName()) })
}

// set gives a node an integer attribute.
func set(n *protos.NodeProto, name string, v int64) {
	drop(n, name)
	n.Attribute = append(n.Attribute, &protos.AttributeProto{Name: name, Type: protos.AttributeProto_INT, I: v})
}
