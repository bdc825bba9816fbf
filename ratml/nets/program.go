package nets

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
)

// Network computes logits [batch, classes] of images [batch, height, width, channels] in [0,1].
type Network func(x *graph.Node) *graph.Node

// GraphFunc builds the outputs of a program from its inputs, calling the network as often as it likes.
type GraphFunc func(net Network, in []*graph.Node) []*graph.Node

// Program is a compiled function of a classifier in evaluation mode.
type Program struct {
	c     *Classifier
	name  string
	exec  *graph.Exec
	names []string // of the folded weights, in the order of the first inputs

	devices int
	spread  *spread // nil for one device
}

// Compile prepares f. Compilation itself happens at the first run with inputs of a new shape; an error of f shows
// then. Free the program when done with it.
func (c *Classifier) Compile(name string, f GraphFunc) (*Program, error) {
	return c.CompilePasses(name, func(net *Passes, in []*graph.Node) []*graph.Node { return f(net.Logits, in) })
}

// build calls f so that whatever goes wrong is a panic with an error. Any other panic would leave GoMLX waiting for
// the end of this compilation, at the next run and in Free.
func build(f PassesFunc, net *Passes, in []*graph.Node) []*graph.Node {
	defer func() {
		if r := recover(); r != nil {
			panic(recovered(r))
		}
	}()
	out := f(net, in)
	if len(out) == 0 || slices.Contains(out, nil) {
		panic(errors.New("the function builds no output, or one that is nil"))
	}
	return out
}

// Run executes the program on tensors or Go slices and returns its outputs, which the caller should finalize.
func (p *Program) Run(in ...any) (out []*tensors.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
		if err != nil {
			err = fmt.Errorf("nets: %s of %s: %w", p.name, p.c.Arch.Name, err)
		}
	}()
	u, err := p.c.upload(p.devices)
	if err != nil {
		return nil, err
	}
	if p.spread != nil {
		return p.spread.call(p, u.values, in)
	}
	args := slices.Clone(u.values[0])
	for i, v := range in {
		t, ok := v.(*tensors.Tensor)
		if !ok {
			if t, err = tensors.FromAnyValue(v); err != nil {
				return nil, fmt.Errorf("input %d: %w", i, err)
			}
			defer t.FinalizeAll()
		}
		args = append(args, t)
	}
	return p.call(args)
}

// RunFloats is [Program.Run] for float32 outputs: it copies them to the host, row-major, and frees them.
func (p *Program) RunFloats(in ...any) ([][]float32, error) {
	out, err := p.Run(in...)
	if err != nil {
		return nil, err
	}
	defer free(out)
	host := make([][]float32, len(out))
	for i, t := range out {
		if host[i], err = tensors.CopyFlatData[float32](t); err != nil {
			return nil, fmt.Errorf("nets: output %d of %s of %s: %w", i, p.name, p.c.Arch.Name, err)
		}
	}
	return host, nil
}

// Free releases the compiled code.
func (p *Program) Free() { p.exec.Finalize() }

// Images makes a batch of images [n, height, width, channels] from row-major values in [0,1] for [Program.Run]. Values
// that are no whole number of images stay a plain list, which Run refuses.
func (a *Arch) Images(data []float32) *tensors.Tensor {
	in := a.Input
	size := in.Height * in.Width * in.Channels
	if len(data) == 0 || len(data)%size != 0 {
		return tensors.FromFlatDataAndDimensions(data, len(data))
	}
	return tensors.FromFlatDataAndDimensions(data, len(data)/size, in.Height, in.Width, in.Channels)
}

// uploaded is a set of weights on devices.
type uploaded struct {
	names  []string
	values [][]*tensors.Tensor // by device
}

// add uploads the weights to the next device.
func (u *uploaded) add(be *backend.Backend, w Weights) error {
	var values []*tensors.Tensor
	for _, n := range u.names {
		t := w[n].device()
		if err := t.MaterializeOnDevice(be.Backend, false, compute.DeviceNum(len(u.values))); err != nil {
			free(values)
			return fmt.Errorf("uploading %s: %w", n, err)
		}
		t.FinalizeLocal()
		values = append(values, t)
	}
	u.values = append(u.values, values)
	return nil
}

func (u *uploaded) free() { free(slices.Concat(u.values...)) }

func free(ts []*tensors.Tensor) {
	for _, t := range ts {
		t.FinalizeAll()
	}
}
