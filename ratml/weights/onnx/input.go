package onnx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// Layout is the order of a model's input.
type Layout string

const (
	Auto Layout = ""     // by its dimensions
	NCHW Layout = "NCHW" // channels first, as PyTorch has them
	NHWC Layout = "NHWC" // channels last, as TensorFlow has them
	Flat Layout = "flat" // a row an image, by line, column and channel, as scikit-learn's models take them
)

// input is the one of a model's inputs that takes images.
type input struct {
	name   string
	layout Layout
	size   nets.Input
	rank   int
	batch  int  // 0 where any will do
	bytes  bool // the model wants integers from 0 to 255
}

// present shapes a batch of images [batch, height, width, channels] as the model wants them.
func (in input) present(x *Node) *Node {
	d := x.Shape().Dimensions
	switch {
	case in.layout == Flat:
		return Reshape(x, d[0], in.size.Height*in.size.Width*in.size.Channels)
	case in.rank == 3:
		return Reshape(x, d[:3]...)
	case in.layout == NCHW:
		return TransposeAllAxes(x, 0, 3, 1, 2)
	}
	return x
}

// findInput finds the input and how images are laid out in it.
func (m *network) findInput(g *protos.GraphProto, o Options) error {
	var found []*protos.ValueInfoProto
	for _, in := range g.GetInput() {
		name := in.GetName()
		if m.used[name] && m.weights[name] == nil && m.constants[name] == nil { // old files list initialisers as inputs
			found = append(found, in)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%d inputs that the logits depend on, want one, for images", len(found))
	}
	t := found[0].GetType().GetTensorType()
	if t == nil {
		return fmt.Errorf("input %q is no tensor", found[0].GetName())
	}
	m.input.name = found[0].GetName()
	m.input.bytes = !isFloat(protos.TensorProto_DataType(t.GetElemType()))
	var dims []int // 0 where any will do
	for _, d := range t.GetShape().GetDim() {
		v := d.GetDimValue()
		if v < 0 || v > most {
			return fmt.Errorf("input %q has a dimension of %d", m.input.name, v)
		}
		dims = append(dims, int(v))
	}
	if err := m.input.lay(dims, o, m.hint()); err != nil {
		return fmt.Errorf("input %q of dimensions %v (0: any): %w", m.input.name, dims, err)
	}
	return nil
}

// lay finds layout and size from dimensions and options.
func (in *input) lay(dims []int, o Options, hint Layout) error {
	in.layout, in.size, in.rank = o.Layout, o.Input, len(dims)
	if in.layout == Auto {
		in.layout = layoutOf(dims, hint)
	}
	var of []*int // what each dimension after the batch is
	switch s := &in.size; {
	case in.layout == NCHW && in.rank == 4:
		of = []*int{&s.Channels, &s.Height, &s.Width}
	case in.layout == NHWC && in.rank == 4:
		of = []*int{&s.Height, &s.Width, &s.Channels}
	case in.layout != Flat && in.rank == 3:
		of = []*int{&s.Height, &s.Width}
		s.Channels = 1
	case in.layout == Flat && in.rank == 2:
	default:
		return fmt.Errorf("no images of layout %q", in.layout)
	}
	in.batch = dims[0]
	for i, to := range of {
		if d := dims[1+i]; d > 0 && *to > 0 && *to != d {
			return fmt.Errorf("it does not take images %+v", o.Input)
		} else if d > 0 {
			*to = d
		}
	}
	s := in.size
	if s.Height < 1 || s.Width < 1 || s.Channels < 1 || s.Height > most || s.Width > most || s.Channels > most {
		return fmt.Errorf("height, width or channels are left open; state them (option Input)")
	}
	if in.layout == Flat && dims[1] > 0 && dims[1] != s.Height*s.Width*s.Channels {
		return fmt.Errorf("it does not take images %+v", o.Input)
	}
	return nil
}

// layoutOf guesses the layout: images have 1 to 4 channels.
func layoutOf(dims []int, hint Layout) Layout {
	switch len(dims) {
	case 2:
		return Flat
	case 3:
		return NHWC
	case 4:
		first, last := dims[1] >= 1 && dims[1] <= 4, dims[3] >= 1 && dims[3] <= 4
		switch {
		case first && !last:
			return NCHW
		case last && !first:
			return NHWC
		}
	}
	return hint
}

// hint is the layout that the first use of the input speaks for.
func (m *network) hint() Layout {
	for _, n := range m.nodes {
		if !slices.Contains(n.Input, m.input.name) {
			continue
		}
		if n.OpType == "Transpose" && slices.Equal(rewrite.Ints(n, "perm"), []int64{0, 3, 1, 2}) {
			return NHWC
		}
		if n.OpType == "Conv" && n.Input[0] == m.input.name {
			return NCHW
		}
	}
	return NCHW
}
