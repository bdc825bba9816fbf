package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// network is a rewritten model, cut down to what its logits need.
type network struct {
	opsets    map[string]int64
	nodes     []*protos.NodeProto // each after those that it needs
	used      map[string]bool     // values that a node or the output needs
	weights   map[string]*nets.Tensor
	kinds     map[string]nets.Kind
	constants map[string]*constant
	input     input
	output    string
	features  string // the input of the last linear layer, "" where there is none

	// Where the batch of the file is fixed, the dimensions that values and the elements that constants have in it.
	base, baseConstants map[string][]int
}

func (m *network) version(domain string) int64 {
	if domain == "" {
		domain = "ai.onnx"
	}
	return m.opsets[domain]
}

// newNetwork takes from a rewritten model what is needed for an output.
func newNetwork(model *protos.ModelProto, output string) (*network, error) {
	m := &network{opsets: map[string]int64{}, output: output, used: map[string]bool{output: true},
		weights: map[string]*nets.Tensor{}, kinds: map[string]nets.Kind{}, constants: map[string]*constant{}}
	for _, o := range model.GetOpsetImport() {
		m.opsets[cmpDomain(o.GetDomain())] = o.GetVersion()
	}
	if err := m.take(model.Graph); err != nil {
		return nil, err
	}
	if err := m.supported(); err != nil {
		return nil, err
	}
	if err := m.initialisers(model.Graph); err != nil {
		return nil, err
	}
	m.features = m.lastLinear()
	return m, nil
}

func cmpDomain(name string) string {
	if name == "" {
		return "ai.onnx"
	}
	return name
}

// maxNodes bounds the nodes of a model; the largest classifiers have a few thousand.
const maxNodes = 100_000

// take keeps the nodes that the output needs. They must come after those that they need, as the format demands.
func (m *network) take(g *protos.GraphProto) error {
	if len(g.Node) > maxNodes {
		return fmt.Errorf("%d nodes, more than %d", len(g.Node), maxNodes)
	}
	made := map[string]bool{}
	for _, t := range g.Initializer {
		made[t.GetName()] = true
	}
	for _, in := range g.Input {
		made[in.GetName()] = true
	}
	for _, n := range g.Node {
		for _, name := range n.GetInput() {
			if name != "" && !made[name] {
				return fmt.Errorf("%s: its input %q is made by nothing before it", m.describe(n), name)
			}
		}
		for _, name := range n.GetOutput() {
			if name != "" && made[name] {
				return fmt.Errorf("%s: its output %q is there already", m.describe(n), name)
			}
			made[name] = true
		}
	}
	if !made[m.output] {
		return fmt.Errorf("nothing makes the output %q", m.output)
	}
	for _, n := range slices.Backward(g.Node) {
		if len(n.GetOutput()) == 0 || !slices.ContainsFunc(n.Output, func(name string) bool { return m.used[name] }) {
			continue
		}
		m.nodes = append(m.nodes, n)
		for _, name := range n.GetInput() {
			m.used[name] = true
		}
	}
	slices.Reverse(m.nodes)
	return nil
}

// supported returns an error that names the nodes whose operations nothing here builds.
func (m *network) supported() error {
	var bad []string
	seen := map[string]bool{}
	for _, n := range m.nodes {
		own := n.GetDomain() == "" || n.Domain == "ai.onnx"
		if own && (delegated[n.GetOpType()] || operations[n.OpType] != nil || folders[n.OpType] != nil) || seen[n.Domain+n.OpType] {
			continue
		}
		seen[n.Domain+n.OpType] = true
		bad = append(bad, m.describe(n))
	}
	if len(bad) > 0 {
		return fmt.Errorf("not supported: %s; supported are %s", strings.Join(bad, ", "), strings.Join(operationNames(), ", "))
	}
	return nil
}

// static are inputs, by operation, that must be known when the graph is built.
var static = map[string][]int{
	"Reshape": {1}, "Expand": {1}, "Tile": {1}, "Slice": {1, 2, 3, 4}, "Pad": {1, 2, 3}, "Squeeze": {1}, "Unsqueeze": {1},
	"ReduceMean": {1}, "ReduceSum": {1}, "ReduceMax": {1}, "ReduceMin": {1}, "ReduceProd": {1}, "Split": {1},
	"Range": {0, 1, 2}, "Resize": {1, 2, 3}, "CumSum": {1}, "Trilu": {1},
}

// layer are the operations whose single numbers are weights too, with the kinds of their inputs.
var layer = map[string][]nets.Kind{
	"Conv":                  {nets.NormBias, nets.ConvWeight, nets.NormBias},
	"Gemm":                  {nets.NormBias, nets.LinearWeight, nets.NormBias},
	"MatMul":                {nets.LinearWeight, nets.LinearWeight},
	"BatchNormalization":    {nets.NormBias, nets.NormWeight, nets.NormBias, nets.RunningMean, nets.RunningVar},
	"LayerNormalization":    {nets.NormBias, nets.NormWeight, nets.NormBias},
	"InstanceNormalization": {nets.NormBias, nets.NormWeight, nets.NormBias},
	"GroupNormalization":    {nets.NormBias, nets.NormWeight, nets.NormBias},
}

// initialisers reads the values that the file holds: floats are weights, where they are not single numbers or must be
// known, and all else constants.
func (m *network) initialisers(g *protos.GraphProto) error {
	single, needed := map[string]bool{}, map[string]bool{} // weights though single; constants though floats
	for _, n := range m.nodes {
		for i, name := range n.Input {
			if slices.Contains(static[n.OpType], i) {
				needed[name] = true
			}
			if kinds := layer[n.OpType]; i < len(kinds) {
				single[name] = true
				m.kinds[name] = kinds[i]
			}
		}
	}
	for _, t := range g.Initializer {
		name := t.GetName()
		if !m.used[name] {
			continue
		}
		if name == "" || m.weights[name] != nil || m.constants[name] != nil {
			return fmt.Errorf("two initialisers are called %q", name)
		}
		n, err := count(t.GetDims())
		if err == nil && isFloat(protos.TensorProto_DataType(t.GetDataType())) && !needed[name] && (n > 1 || n == 1 && single[name]) {
			m.weights[name], err = weight(t)
		} else if err == nil {
			m.constants[name], err = decode(t)
		}
		if err != nil {
			return fmt.Errorf("initialiser %q: %w", name, err)
		}
		if w := m.weights[name]; w != nil {
			m.kinds[name] = fitting(m.kinds, name, len(w.Shape))
		}
	}
	return nil
}

// fitting returns the kind of a weight of that rank.
func fitting(kinds map[string]nets.Kind, name string, rank int) nets.Kind {
	k, ok := kinds[name]
	if !ok || k == nets.ConvWeight && rank < 3 || k == nets.LinearWeight && rank != 2 {
		return nets.NormBias
	}
	return k
}

// lastLinear returns the name of what the last linear layer before the logits sees: the product that they are, but for
// offsets, factors and changes of dimensions.
func (m *network) lastLinear() string {
	maker := map[string]*protos.NodeProto{}
	for _, n := range m.nodes {
		for _, name := range n.Output {
			maker[name] = n
		}
	}
	name := m.output
	for range m.nodes {
		n := maker[name]
		if n == nil || len(n.Input) == 0 {
			return ""
		}
		switch n.OpType {
		case "Gemm", "MatMul":
			if len(n.Input) > 1 && rewrite.Int(n, "transA", 0) == 0 && m.stored(maker, n.Input[1]) {
				return n.Input[0]
			}
			return ""
		case "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "LogSoftmax":
			name = n.Input[0]
		case "Add", "Sub", "Mul", "Div":
			switch {
			case len(n.Input) > 1 && m.stored(maker, n.Input[1]):
				name = n.Input[0]
			case len(n.Input) > 1 && m.stored(maker, n.Input[0]) && n.OpType != "Div":
				name = n.Input[1]
			default:
				return ""
			}
		default:
			return ""
		}
	}
	return ""
}

// stored tells whether a value is an initialiser, or one transposed.
func (m *network) stored(maker map[string]*protos.NodeProto, name string) bool {
	if n := maker[name]; n != nil && (n.OpType == "Transpose" || n.OpType == "Identity") && len(n.Input) > 0 {
		name = n.Input[0]
	}
	return m.weights[name] != nil || m.constants[name] != nil
}
