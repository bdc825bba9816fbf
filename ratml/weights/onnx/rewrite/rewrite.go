package rewrite

import (
	"fmt"

	"github.com/gomlx/compute-onnx/support/protos"
)

// Model rewrites m in place. Models of any operation set from 7 on are read. Operations that it does not know stay as
// they are. It returns an error, naming the node, its operation and the operation set, where a node breaks the rules of
// its operation or wants what evaluation has no use for, such as the statistics of a batch.
func Model(m *protos.ModelProto) error {
	if m.GetGraph() == nil {
		return fmt.Errorf("the file holds no graph")
	}
	p := &pass{graph: m.Graph, version: map[string]int64{}, taken: map[string]bool{}, constants: map[string]*protos.TensorProto{}}
	for _, o := range m.OpsetImport {
		p.version[domain(o.GetDomain())] = o.GetVersion()
	}
	for _, t := range m.Graph.Initializer {
		p.constants[t.GetName()] = t
		p.taken[t.GetName()] = true
	}
	for _, n := range m.Graph.Node {
		for _, name := range n.GetOutput() {
			p.taken[name] = true
		}
	}
	nodes := m.Graph.Node
	p.nodes = make([]*protos.NodeProto, 0, len(nodes))
	for _, n := range nodes {
		if err := p.rewrite(n); err != nil {
			return fmt.Errorf("%s: %w", Describe(n, p.version[domain(n.GetDomain())]), err)
		}
	}
	m.Graph.Node = p.nodes
	return nil
}

// Describe names a node for error messages.
func Describe(n *protos.NodeProto, opset int64) string {
	name := n.GetName()
	if name == "" && len(n.GetOutput()) > 0 {
		name = "of output " + n.Output[0]
	}
	return fmt.Sprintf("node %q (operation %s, operation set %s %d)", name, n.GetOpType(), domain(n.GetDomain()), opset)
}

// domain returns the name of an operation set, which for ONNX's own may be left out.
func domain(name string) string {
	if name == "" {
		return "ai.onnx"
	}
	return name
}

// pass is a rewriting under way.
type pass struct {
	graph     *protos.GraphProto
	version   map[string]int64 // by domain
	nodes     []*protos.NodeProto
	constants map[string]*protos.TensorProto
	taken     map[string]bool // names of values
	fresh     int
}

// rule replaces one node by what it emits.
type rule func(p *pass, n *protos.NodeProto) error

// rewrite emits n, or what it stands for.
func (p *pass) rewrite(n *protos.NodeProto) error {
	rules := map[string]map[string]rule{"ai.onnx": core, "ai.onnx.ml": linear, "com.microsoft": microsoft}[domain(n.GetDomain())]
	f := rules[n.GetOpType()]
	if f == nil {
		p.nodes = append(p.nodes, n)
		return nil
	}
	if len(n.GetOutput()) == 0 {
		return fmt.Errorf("it has no output")
	}
	return f(p, n)
}

// opset is the version of ONNX's own operation set.
func (p *pass) opset() int64 { return p.version["ai.onnx"] }

// keep emits a node as it is.
func (p *pass) keep(n *protos.NodeProto) { p.nodes = append(p.nodes, n) }

// emit adds an operation with one output, called out or, if that is empty, by a fresh name, and returns that name.
func (p *pass) emit(from *protos.NodeProto, out, op string, in ...string) string {
	if out == "" {
		out = p.name(from)
	}
	p.keep(&protos.NodeProto{Name: from.GetName(), OpType: op, Input: in, Output: []string{out}})
	return out
}

// name returns a fresh name for a value that stems from a node.
func (p *pass) name(from *protos.NodeProto) string {
	for {
		p.fresh++
		name := fmt.Sprintf("%s/rewritten_%d", from.Output[0], p.fresh)
		if !p.taken[name] {
			p.taken[name] = true
			return name
		}
	}
}

// constant adds an initialiser.
func (p *pass) constant(from *protos.NodeProto, t *protos.TensorProto) string {
	t.Name = p.name(from)
	p.define(t)
	return t.Name
}

func (p *pass) define(t *protos.TensorProto) {
	p.graph.Initializer = append(p.graph.Initializer, t)
	p.constants[t.Name] = t
}

// scalar adds a constant number.
func (p *pass) scalar(from *protos.NodeProto, v float32) string {
	return p.constant(from, floats([]float32{v}))
}

// integers adds a constant list.
func (p *pass) integers(from *protos.NodeProto, v ...int64) string {
	return p.constant(from, ints(v, len(v)))
}

// floats is a tensor of the given dimensions, a scalar without.
func floats(v []float32, dims ...int) *protos.TensorProto {
	return &protos.TensorProto{DataType: int32(protos.TensorProto_FLOAT), FloatData: v, Dims: wide(dims)}
}

func ints(v []int64, dims ...int) *protos.TensorProto {
	return &protos.TensorProto{DataType: int32(protos.TensorProto_INT64), Int64Data: v, Dims: wide(dims)}
}

func wide(dims []int) []int64 {
	out := make([]int64, len(dims))
	for i, d := range dims {
		out[i] = int64(d)
	}
	return out
}

// need returns an error where a node has fewer inputs than that.
func need(n *protos.NodeProto, inputs int) error {
	if len(n.GetInput()) < inputs {
		return fmt.Errorf("%d inputs, want %d at least", len(n.Input), inputs)
	}
	for i, name := range n.Input[:inputs] {
		if name == "" {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}
