package nets

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Mode tells what a forward pass is for.
type Mode int

const (
	// Eval uses the running statistics of batch normalisation.
	Eval Mode = iota
	// Train uses the statistics of the batch and updates the running ones.
	Train
	// Folded is Eval with batch normalisation folded into the weights by [Arch.Fold].
	Folded

	declare // records parameters
)

// Pass is one forward pass under construction. Its methods are the layers.
type Pass struct {
	graph   *Graph
	options Options
	vars    map[string]*Node
	arch    *Arch // only while declaring

	head     string // the linear layer with extra outputs
	extra    int    // how many
	features *Node  // input of the last linear layer

	start map[Kind]Initialiser
	norm  BatchNorm
}

func (a *Arch) pass(vars map[string]*Node, o Options, g *Graph) *Pass {
	return &Pass{graph: g, options: o, vars: vars, head: a.head, extra: a.ExtraOutputs}
}

// Apply builds the logits [batch, classes] ([batch, classes+ExtraOutputs] in mode [Train]) of images x [batch, height, width, channels] in [0,1], in float32 or any
// other type of floats. vars holds the node of every parameter (of every folded one in mode [Folded]), of the same
// type. In mode [Train] it replaces the running statistics in vars by their updated values, as a PyTorch forward pass
// in training mode does.
//
// Like GoMLX's graph functions it panics where x or vars do not fit; [Classifier.Compile] turns that into an error.
func (a *Arch) Apply(vars map[string]*Node, mode Mode, x *Node) *Node {
	return a.ApplyWith(vars, Options{Mode: mode}, x)
}

func (a *Arch) normalise(x *Node) *Node {
	want := []int{a.Input.Height, a.Input.Width, a.Input.Channels}
	if x.Rank() != 4 || !slices.Equal(x.Shape().Dimensions[1:], want) {
		panic(fmt.Errorf("nets: %s takes images [batch %v], got %v", a.Name, want, x.Shape().Dimensions))
	}
	c := a.Input.Channels
	constant := func(v []float32) *Node {
		return ConvertDType(Reshape(Const(x.Graph(), v), 1, 1, 1, c), x.DType())
	}
	return Div(Sub(x, constant(a.Mean)), constant(a.Std))
}

// Param returns the node of a parameter, declaring it the first time.
func (p *Pass) Param(name string, kind Kind, shape ...int) *Node {
	if v := p.vars[name]; v != nil {
		if !slices.Equal(v.Shape().Dimensions, shape) {
			panic(fmt.Errorf("nets: parameter %s has shape %v, the network wants %v", name, v.Shape().Dimensions, shape))
		}
		return v
	}
	if p.options.Mode != declare {
		panic(fmt.Errorf("nets: no parameter %s", name))
	}
	v := Parameter(p.graph, name, shapes.Make(dtypes.Float32, shape...))
	p.vars[name] = v
	p.arch.Params = append(p.arch.Params, Param{Name: name, Shape: slices.Clone(shape), Kind: kind, start: p.start[kind]})
	return v
}

// Linear is x·weightᵀ + bias with the parameters name.weight [out, in] and name.bias [out].
func (p *Pass) Linear(name string, x *Node, out int) *Node {
	in := x.Shape().Dimensions[1]
	p.features = x
	if p.options.Mode == declare {
		p.arch.head = name
	}
	rows := p.linearOutputs(name, out)
	w := p.visible(p.Param(name+".weight", LinearWeight, rows, in), out)
	b := p.visible(p.Param(name+".bias", LinearBias, rows), out)
	y := p.multiply(x, w, func(x, w *Node) *Node { return DotGeneral(x, []int{1}, nil, w, []int{1}, nil) })
	return Add(y, Reshape(b, 1, b.Shape().Dimensions[0]))
}

// ReLU is max(x, 0), with derivative 0 at 0 as in PyTorch.
func ReLU(x *Node) *Node {
	// The order matters: GoMLX gives the gradient of a tie to the first operand.
	return Max(ScalarZero(x.Graph(), x.DType()), x)
}

// GlobalMean averages over the image: [batch, height, width, channels] to [batch, channels].
func GlobalMean(x *Node) *Node { return ReduceMean(x, 1, 2) }

func channels(x *Node) int { return x.Shape().Dimensions[x.Rank()-1] }

// perChannel shapes a vector [c] so that it broadcasts over [batch, height, width, c].
func perChannel(v *Node) *Node { return Reshape(v, 1, 1, 1, v.Shape().Dimensions[0]) }
