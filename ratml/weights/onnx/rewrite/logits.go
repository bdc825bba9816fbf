package rewrite

import "github.com/gomlx/compute-onnx/support/protos"

// through are operations that keep the order of classes, which a softmax may be followed by.
var through = map[string]bool{
	"Identity": true, "Cast": true, "Reshape": true, "Flatten": true, "Squeeze": true, "Unsqueeze": true,
}

// PastSoftmax makes the probabilities that a rewritten model puts out under that name the logits they are made of: it
// takes away the softmax at the end and the division of its result by its sum. It returns whether there was one.
func PastSoftmax(g *protos.GraphProto, output string) bool {
	maker := map[string]*protos.NodeProto{}
	for _, n := range g.Node {
		for _, name := range n.GetOutput() {
			maker[name] = n
		}
	}
	var norm *protos.NodeProto
	for range len(g.Node) {
		n := maker[output]
		if n == nil || len(n.GetInput()) == 0 {
			return false
		}
		switch {
		case n.GetOpType() == "Softmax":
			identity(n)
			if norm != nil {
				identity(norm)
			}
			return true
		case n.OpType == "Div" && norm == nil && bySum(maker, n):
			norm = n
		case !through[n.OpType]:
			return false
		}
		output = n.Input[0]
	}
	return false
}

// bySum tells whether n divides by the sum of the magnitudes of what it divides.
func bySum(maker map[string]*protos.NodeProto, n *protos.NodeProto) bool {
	if len(n.Input) != 2 {
		return false
	}
	sum := maker[n.Input[1]]
	if sum.GetOpType() != "ReduceSum" || len(sum.Input) == 0 {
		return false
	}
	abs := maker[sum.Input[0]]
	return sum.Input[0] == n.Input[0] || abs.GetOpType() == "Abs" && len(abs.Input) == 1 && abs.Input[0] == n.Input[0]
}

// identity makes a node put its first input out.
func identity(n *protos.NodeProto) { n.OpType, n.Input, n.Attribute = "Identity", n.Input[:1], nil }
