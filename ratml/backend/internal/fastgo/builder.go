package fastgo

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

//go:generate go run gen.go

// Builder records a computation. Every operation is also given to a builder of
// the wrapped backend at once: that checks it, infers its shape, and holds the
// computation to fall back on.
type Builder struct {
	be        *Backend
	inner     compute.Builder
	main      *Function
	functions map[compute.Function]*Function
	whole     bool // run the wrapped builder's computation as it is
}

func newBuilder(be *Backend, name string) *Builder {
	b := &Builder{be: be, inner: be.inner.Builder(name), functions: map[compute.Function]*Function{}}
	b.main = b.function(b.inner.Main())
	return b
}

func (b *Builder) function(inner compute.Function) *Function {
	f := b.functions[inner]
	if f == nil {
		f = &Function{b: b, inner: inner}
		b.functions[inner] = f
	}
	return f
}

func (b *Builder) Name() string           { return b.inner.Name() }
func (b *Builder) Main() compute.Function { return b.main }

func (b *Builder) NewFunction(name string) (compute.Function, error) {
	b.whole = true
	f, err := b.inner.NewFunction(name)
	if err != nil {
		return nil, err
	}
	return b.function(f), nil
}

func (b *Builder) OpShape(op compute.Value) (shapes.Shape, error) { return b.main.Shape(op) }

func (b *Builder) DistributedSPMD(n int) error {
	b.whole = true
	return b.inner.DistributedSPMD(n)
}

func (b *Builder) DistributedAutoSharding(meshes ...compute.Mesh) error {
	b.whole = true
	return b.inner.DistributedAutoSharding(meshes...)
}

func (b *Builder) DeviceAssignment(devices ...compute.DeviceNum) error {
	return b.inner.DeviceAssignment(devices...)
}

// Function records the operations of one function.
type Function struct {
	b     *Builder
	inner compute.Function

	nodes   []*node // in the order of their creation
	params  []*node
	outputs []*node
}

// A node is the result of one operation.
type node struct {
	id    int
	op    string // the method of compute.Function
	attrs []any  // its arguments other than values
	in    []*node
	emit  emitter
	value compute.Value // in the wrapped builder
	shape shapes.Shape
}

// An emitter repeats an operation in another function of the wrapped backend.
type emitter func(g compute.Function, in []compute.Value) (compute.Value, error)

// record adds an operation with one result.
func (f *Function) record(op string, attrs []any, emit emitter, in ...compute.Value) (compute.Value, error) {
	nodes, values, err := unwrap(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	v, err := emit(f.inner, values)
	if err != nil {
		return nil, err
	}
	n, err := f.add(op, v)
	if err != nil {
		return nil, err
	}
	n.attrs, n.in, n.emit = attrs, nodes, emit
	return n, nil
}

// add makes a node of a value of the wrapped builder.
func (f *Function) add(op string, v compute.Value) (*node, error) {
	shape, err := f.inner.Shape(v)
	if err != nil {
		return nil, err
	}
	if shape.IsDynamic() {
		f.b.whole = true
	}
	n := &node{id: len(f.nodes), op: op, value: v, shape: shape}
	f.nodes = append(f.nodes, n)
	return n, nil
}

// opaque prepares an operation that is not recorded, so that the wrapped
// builder's computation has to run as it is.
func (f *Function) opaque(in ...compute.Value) (compute.Function, []compute.Value, error) {
	f.b.whole = true
	_, values, err := unwrap(in)
	return f.inner, values, err
}

// wrap makes a value out of a result of an opaque operation.
func (f *Function) wrap(v compute.Value) compute.Value { return &node{op: "opaque", value: v} }

func (f *Function) list(values []compute.Value, err error) ([]compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return f.wrapAll(values), nil
}

func (f *Function) wrapAll(values []compute.Value) []compute.Value {
	wrapped := make([]compute.Value, len(values))
	for i, v := range values {
		wrapped[i] = f.wrap(v)
	}
	return wrapped
}

// unwrap returns the nodes behind values and their values in the wrapped
// builder. Optional values may be nil.
func unwrap(in []compute.Value) ([]*node, []compute.Value, error) {
	nodes, values := make([]*node, len(in)), make([]compute.Value, len(in))
	for i, v := range in {
		if v == nil {
			continue
		}
		n, ok := v.(*node)
		if !ok {
			return nil, nil, fmt.Errorf("input %d is a %T, not a value of this backend", i, v)
		}
		nodes[i], values[i] = n, n.value
	}
	return nodes, values, nil
}

func (f *Function) Name() string             { return f.inner.Name() }
func (f *Function) Builder() compute.Builder { return f.b }

func (f *Function) Parent() compute.Function {
	p := f.inner.Parent()
	if p == nil || reflect.ValueOf(p).IsNil() {
		return nil
	}
	return f.b.function(p)
}

func (f *Function) Closure() (compute.Function, error) {
	f.b.whole = true
	c, err := f.inner.Closure()
	if err != nil {
		return nil, err
	}
	return f.b.function(c), nil
}

func (f *Function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	v, err := f.inner.Parameter(name, shape, sharding)
	if err != nil {
		return nil, err
	}
	n, err := f.add(opParameter, v)
	if err != nil {
		return nil, err
	}
	f.params = append(f.params, n)
	return n, nil
}

func (f *Function) Constant(flat any, dims ...int) (compute.Value, error) {
	flat = reflect.AppendSlice(reflect.Zero(reflect.TypeOf(flat)), reflect.ValueOf(flat)).Interface()
	dims = slices.Clone(dims)
	return f.record(opConstant, []any{flat}, func(g compute.Function, _ []compute.Value) (compute.Value, error) {
		return g.Constant(flat, dims...)
	})
}

func (f *Function) Shape(v compute.Value) (shapes.Shape, error) {
	n, ok := v.(*node)
	if !ok {
		return shapes.Shape{}, fmt.Errorf("%T is not a value of this backend", v)
	}
	return f.inner.Shape(n.value)
}

func (f *Function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	nodes, values, err := unwrap(outputs)
	if err != nil {
		return err
	}
	if slices.Contains(nodes, nil) {
		return errors.New("an output is nil")
	}
	f.outputs = nodes
	return f.inner.Return(values, shardings)
}

func (f *Function) Call(g compute.Function, in ...compute.Value) ([]compute.Value, error) {
	_, values, err := f.opaque(in...)
	if err != nil {
		return nil, err
	}
	return f.list(f.inner.Call(innerOf(g), values...))
}

func (f *Function) Sort(comparator compute.Function, axis int, stable bool, in ...compute.Value) ([]compute.Value, error) {
	_, values, err := f.opaque(in...)
	if err != nil {
		return nil, err
	}
	return f.list(f.inner.Sort(innerOf(comparator), axis, stable, values...))
}

func (f *Function) While(cond, body compute.Function, in ...compute.Value) ([]compute.Value, error) {
	_, values, err := f.opaque(in...)
	if err != nil {
		return nil, err
	}
	return f.list(f.inner.While(innerOf(cond), innerOf(body), values...))
}

func (f *Function) If(pred compute.Value, onTrue, onFalse compute.Function) ([]compute.Value, error) {
	_, values, err := f.opaque(pred)
	if err != nil {
		return nil, err
	}
	return f.list(f.inner.If(values[0], innerOf(onTrue), innerOf(onFalse)))
}

func innerOf(f compute.Function) compute.Function {
	if w, ok := f.(*Function); ok {
		return w.inner
	}
	return f
}

// Operations that are not named after their method.
const (
	opParameter = "Parameter"
	opConstant  = "Constant"
)
