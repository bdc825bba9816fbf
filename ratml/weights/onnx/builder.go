package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// parameters gives the node of a weight.
type parameters func(name string, kind nets.Kind, dims ...int) *Node

// builder makes the graph of a model for one batch. Nodes that onnx-gomlx builds wait until one of their values is
// needed here, so that it builds as many as possible at a time.
type builder struct {
	*network
	graph     *Graph
	param     parameters
	batch     int
	values    map[string]*Node
	constants map[string]*constant // those of the model and those computed from shapes
	waiting   []*protos.NodeProto
	pending   map[string]bool // outputs of waiting nodes
	merged    map[int]int     // see scaled
}

// build returns the values of a model of the given inputs, in the file's layout. It panics with an error that names the
// node at fault.
func (m *network) build(g *Graph, inputs map[string]*Node, batch int, param parameters) *builder {
	b := &builder{network: m, graph: g, param: param, batch: batch, values: inputs, constants: map[string]*constant{}, pending: map[string]bool{}, merged: map[int]int{}}
	for _, n := range m.nodes {
		b.naming(n, func() { b.add(n) })
	}
	b.flush()
	return b
}

// naming calls f so that what goes wrong is an error with the node's name.
func (b *builder) naming(n *protos.NodeProto, f func()) {
	defer func() {
		if r := recover(); r != nil {
			if e := (*nodeError)(nil); errors.As(recovered(r), &e) {
				panic(e)
			}
			panic(&nodeError{b.describe(n), recovered(r)})
		}
	}()
	f()
}

// nodeError says at which node the building of a graph failed.
type nodeError struct {
	node  string
	cause error
}

func (e *nodeError) Error() string { return e.node + ": " + e.cause.Error() }
func (e *nodeError) Unwrap() error { return e.cause }

func recovered(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("%v", r)
}

// add builds a node, computes it, or lets it wait.
func (b *builder) add(n *protos.NodeProto) {
	if n.GetOpType() == "Shape" || n.GetOpType() == "Size" {
		if dims := b.dims(n.Input[0]); n.OpType == "Shape" {
			b.constants[n.Output[0]] = shapeOf(n, dims)
		} else {
			b.constants[n.Output[0]] = scalar(must(count(dims)))
		}
		return
	}
	in := make([]*constant, len(n.Input))
	for i, name := range n.Input {
		in[i] = b.constant(name)
	}
	if c := must(fold(n, in)); c != nil {
		b.constants[n.Output[0]] = c
		return
	}
	if f := operations[n.OpType]; f != nil {
		b.flush()
		y := f(b, n)
		b.check(y)
		b.values[n.Output[0]] = y
		return
	}
	if err := sane(n, in); err != nil {
		panic(err)
	}
	b.waiting = append(b.waiting, n)
	for _, name := range n.Output {
		b.pending[name] = true
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// sane returns an error where building a node would take as long as its constants say.
func sane(n *protos.NodeProto, in []*constant) error {
	if n.OpType != "Tile" || len(in) < 2 || in[1] == nil {
		return nil
	}
	for _, r := range in[1].ints() {
		if r > 1<<12 {
			return fmt.Errorf("%d repeats", r)
		}
	}
	return nil
}

// check panics where a value is larger than any that a classifier computes.
func (b *builder) check(y *Node) {
	if _, err := count(y.Shape().Dimensions); err != nil {
		panic(err)
	}
}

// constant returns a value that is known, nil where it is not.
func (b *builder) constant(name string) *constant {
	if c := b.constants[name]; c != nil {
		return c
	}
	return b.network.constants[name]
}

// known returns a value that an operation needs to know: input i of a node, nil where that is left out.
func (b *builder) known(n *protos.NodeProto, i int) *constant {
	if i >= len(n.Input) || n.Input[i] == "" {
		return nil
	}
	c := b.constant(n.Input[i])
	if c == nil {
		panic(fmt.Errorf("its input %d, %s, is not a constant, nor computed from shapes", i, n.Input[i]))
	}
	return c
}

// value returns input i of a node, nil where that is left out.
func (b *builder) value(n *protos.NodeProto, i int) *Node {
	if i >= len(n.Input) || n.Input[i] == "" {
		return nil
	}
	return b.node(n.Input[i])
}

// node returns a value in the graph.
func (b *builder) node(name string) *Node {
	if b.pending[name] {
		b.flush()
	}
	v := b.values[name]
	if v == nil {
		switch w, c := b.weights[name], b.constant(name); {
		case c != nil:
			v = Const(b.graph, c.tensor())
		case w != nil:
			v = b.param(name, b.kinds[name], w.Shape...)
		default:
			panic(fmt.Errorf("nothing makes the value %q", name))
		}
		b.values[name] = v
	}
	return v
}

// dims returns the dimensions of a value.
func (b *builder) dims(name string) []int {
	if c := b.constant(name); c != nil {
		return c.dims
	}
	return b.node(name).Shape().Dimensions
}

// describe names a node of the file.
func (m *network) describe(n *protos.NodeProto) string {
	return rewrite.Describe(n, m.version(n.GetDomain()))
}

// output returns the logits [batch, classes].
func (b *builder) output() *Node {
	y := b.node(b.network.output)
	d := slices.Clone(y.Shape().Dimensions)
	wide := 0 // axes longer than 1 beyond the batch
	for _, n := range d[min(1, len(d)):] {
		if n > 1 {
			wide++
		}
	}
	if len(d) < 2 || d[0] != b.batch || wide != 1 {
		panic(fmt.Errorf("output %s has dimensions %v for %d images, want a row of two or more classes for each", b.network.output, d, b.batch))
	}
	if !y.DType().IsFloat() {
		panic(fmt.Errorf("output %s is not of floats", b.network.output))
	}
	return Reshape(y, b.batch, -1)
}
