package nets

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Passes builds forward passes of a network in evaluation mode, for programs that need more of it than logits.
type Passes struct {
	arch     *Arch
	vars     map[string]*Node
	mode     Mode
	features map[*Node]*Node // by logits
}

// PassesFunc builds the outputs of a program from its inputs.
type PassesFunc func(net *Passes, in []*Node) []*Node

// Logits returns the logits [batch, classes] of images x [batch, height, width, channels] in [0,1].
func (n *Passes) Logits(x *Node) *Node { return n.apply(x, nil) }

// Features returns what the last linear layer saw [batch, Arch.FeatureSize] when it made these logits, or nil where
// they are none that [Passes.Logits] returned or the network has no linear layer.
func (n *Passes) Features(logits *Node) *Node { return n.features[logits] }

// Dropout returns the logits [batch, classes] of images x with dropout switched on. The units that are kept depend on
// nothing but the seed, an uint32 scalar, and are the same for all images of the batch. It panics where the network has
// no dropout.
func (n *Passes) Dropout(x, seed *Node) *Node {
	if !n.arch.HasDropout {
		panic(fmt.Errorf("nets: %s has no dropout", n.arch.Name))
	}
	return n.apply(x, func(layer string, dims []int) *Node { return hashUniform(seed, layer, dims[1:]) })
}

func (n *Passes) apply(x *Node, sample Sampler) *Node {
	p := n.arch.pass(n.vars, Options{Mode: n.mode, Dropout: sample}, x.Graph())
	logits := n.arch.forward(p, n.arch.normalise(x))
	n.features[logits] = p.features
	return logits
}

// CompilePasses is [Classifier.Compile] for functions that need more than logits.
func (c *Classifier) CompilePasses(name string, f PassesFunc) (*Program, error) {
	devices, err := c.devices()
	if err != nil {
		return nil, fmt.Errorf("nets: %s of %s: %w", name, c.Arch.Name, err)
	}
	u, err := c.upload(devices)
	if err != nil {
		return nil, err
	}
	p := &Program{c: c, name: name, names: u.names, devices: devices}
	if devices > 1 {
		if p.spread, err = newSpread(devices, len(u.names)); err != nil {
			return nil, fmt.Errorf("nets: %s of %s: %w", name, c.Arch.Name, err)
		}
	}
	p.exec, err = NewExec(c.Backend.Backend, func(in []*Node) []*Node {
		vars := make(map[string]*Node, len(p.names))
		for i, n := range p.names {
			vars[n] = in[i]
		}
		net := &Passes{arch: c.Arch, vars: vars, mode: Folded, features: map[*Node]*Node{}}
		return build(f, net, in[len(p.names):])
	})
	if err != nil {
		return nil, fmt.Errorf("nets: %s of %s: %w", name, c.Arch.Name, err)
	}
	p.exec.WithName(name)
	return p, nil
}

// Trace calls f on a batch of images as [Classifier.CompilePasses] would, in a graph that is thrown away. It shows what
// a program would do without weights, a backend, or time.
func (a *Arch) Trace(batch int, f PassesFunc) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
		if err != nil {
			err = fmt.Errorf("nets: %s: %w", a.Name, err)
		}
	}()
	if batch < 1 {
		return errors.New("a batch of no images")
	}
	be, err := gobackend.New("ops_sequential")
	if err != nil {
		return err
	}
	defer be.Finalize()
	g := NewGraph(be, a.Name)
	defer g.Finalize()
	x := Parameter(g, "images", shapes.Make(dtypes.Float32, batch, a.Input.Height, a.Input.Width, a.Input.Channels))
	vars := map[string]*Node{}
	for _, p := range a.Params {
		vars[p.Name] = Parameter(g, p.Name, shapes.Make(dtypes.Float32, p.Shape...))
	}
	build(f, &Passes{arch: a, vars: vars, mode: Eval, features: map[*Node]*Node{}}, []*Node{x})
	return nil
}
