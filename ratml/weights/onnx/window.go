package onnx

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors/images"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// window is what a convolution or a pooling sees of images, by axis.
type window struct {
	size, stride, dilation [2]int
	pads                   [2][2]int // at the start and at the end
	out                    [2]int
	extra                  [2]int // further padding at the end, for ceil_mode
}

// most bounds sizes of windows, strides and padding.
const most = 1 << 14

// windowOf reads the attributes of a node for images of size in. It panics where they do not fit each other.
func windowOf(n *protos.NodeProto, in, size []int) window {
	var w window
	list := func(name string, absent int64) []int64 {
		v := rewrite.Ints(n, name)
		if v == nil {
			return []int64{absent, absent, absent, absent}
		}
		want := 2
		if name == "pads" {
			want = 4
		}
		if len(v) != want {
			panic(fmt.Errorf("attribute %s is %v, want %d numbers", name, v, want))
		}
		return v
	}
	strides, dilations, pads := list("strides", 1), list("dilations", 1), list("pads", 0)
	for i := range 2 {
		w.size[i], w.stride[i], w.dilation[i] = size[i], int(strides[i]), int(dilations[i])
		w.pads[i] = [2]int{int(pads[i]), int(pads[i+2])}
		for _, v := range []int{w.size[i], w.stride[i], w.dilation[i], 1 + w.pads[i][0], 1 + w.pads[i][1]} {
			if v < 1 || v > most {
				panic(fmt.Errorf("window %v, strides %v, dilations %v, pads %v", size, strides, dilations, pads))
			}
		}
		w.fit(i, in[i], rewrite.Text(n, "auto_pad", "NOTSET"), rewrite.Int(n, "ceil_mode", 0) != 0)
	}
	return w
}

// fit finds padding and the size of the output along axis i.
func (w *window) fit(i, in int, auto string, ceil bool) {
	long := (w.size[i]-1)*w.dilation[i] + 1
	switch auto {
	case "NOTSET", "":
	case "VALID":
		w.pads[i] = [2]int{}
	case "SAME_UPPER", "SAME_LOWER":
		total := max(0, ((in+w.stride[i]-1)/w.stride[i]-1)*w.stride[i]+long-in)
		w.pads[i] = [2]int{total / 2, total - total/2}
		if auto == "SAME_LOWER" {
			w.pads[i] = [2]int{total - total/2, total / 2}
		}
	default:
		panic(fmt.Errorf("auto_pad %q", auto))
	}
	room := in + w.pads[i][0] + w.pads[i][1] - long
	if room < 0 {
		panic(fmt.Errorf("a window of %d on %d pixels with padding %v", long, in, w.pads[i]))
	}
	w.out[i] = room/w.stride[i] + 1
	if ceil && room%w.stride[i] > 0 && w.out[i]*w.stride[i] < in+w.pads[i][0] {
		w.out[i]++
		w.extra[i] = w.stride[i] - room%w.stride[i]
	}
}

// padded is the padding at both ends of axis i.
func (w *window) padded(i int) [2]int { return [2]int{w.pads[i][0], w.pads[i][1] + w.extra[i]} }

// imageSize returns height and width of [batch, channels, height, width]. Panics on any other rank.
func imageSize(x *Node) []int {
	if x.Rank() != 4 {
		panic(fmt.Errorf("operand of dimensions %v, want [batch, channels, height, width]", x.Shape().Dimensions))
	}
	return x.Shape().Dimensions[2:]
}

// conv is a convolution. It is computed by package nets with channels last, whose gradients are right for even kernels
// and compile fast for groups.
func conv(b *builder, n *protos.NodeProto) *Node {
	x, k := b.value(n, 0), b.value(n, 1)
	line := x.Rank() == 3 && k.Rank() == 3
	if line {
		x, k = ExpandAxes(x, 2), ExpandAxes(k, 2)
		n = onePlane(n)
	}
	in := imageSize(x)
	w := windowOf(n, in, imageSize(k))
	groups := int(rewrite.Int(n, "group", 1))
	if d, kd := x.Shape().Dimensions, k.Shape().Dimensions; groups < 1 || d[1]%groups != 0 || kd[0]%groups != 0 || kd[1] != d[1]/groups {
		panic(fmt.Errorf("%d groups of %v with a kernel %v", groups, d, kd))
	}
	if groups > 1 && (w.size[0]*w.size[1] > 1<<12 || groups > most) {
		panic(fmt.Errorf("%d groups with a kernel %v", groups, w.size))
	}
	if w.dilation != [2]int{1, 1} {
		k = Pad(k, ScalarZero(b.graph, k.DType()), compute.PadAxis{}, compute.PadAxis{},
			compute.PadAxis{Interior: w.dilation[0] - 1}, compute.PadAxis{Interior: w.dilation[1] - 1})
	}
	y := w.convolve(TransposeAllAxes(x, 0, 2, 3, 1), k, groups)
	if c := b.value(n, 2); c != nil {
		y = Add(y, Reshape(c, 1, 1, 1, c.Shape().Size()))
	}
	y = TransposeAllAxes(y, 0, 3, 1, 2)
	if line {
		y = Squeeze(y, 2)
	}
	return y
}

// onePlane makes a convolution along a line one along the width of images of height 1.
func onePlane(n *protos.NodeProto) *protos.NodeProto {
	flat := &protos.NodeProto{Name: n.Name, OpType: n.OpType, Input: n.Input, Output: n.Output, Domain: n.Domain}
	for _, a := range n.Attribute {
		v := a.GetInts()
		switch {
		case a.GetName() == "kernel_shape":
			continue
		case a.GetName() == "pads" && len(v) == 2:
			v = []int64{0, v[0], 0, v[1]}
		case len(v) == 1:
			v = []int64{1, v[0]}
		}
		flat.Attribute = append(flat.Attribute, &protos.AttributeProto{Name: a.Name, Type: a.Type, I: a.I, S: a.S, Ints: v})
	}
	return flat
}

// convolve is [nets.GroupConv2D] with padding and strides of any kind.
func (w *window) convolve(x, k *Node, groups int) *Node {
	pad := w.pads[0][0]
	if w.pads != [2][2]int{{pad, pad}, {pad, pad}} {
		x = Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, padAxis(w.pads[0]), padAxis(w.pads[1]), compute.PadAxis{})
		pad = 0
	}
	if w.stride[0] == w.stride[1] {
		return nets.GroupConv2D(x, k, w.stride[0], pad, groups)
	}
	y := nets.GroupConv2D(x, k, 1, pad, groups)
	return Slice(y, AxisRange(), AxisRange().Stride(w.stride[0]), AxisRange().Stride(w.stride[1]), AxisRange())
}

func padAxis(p [2]int) compute.PadAxis { return compute.PadAxis{Start: p[0], End: p[1]} }

// poolWindow reads the window of a pooling.
func poolWindow(n *protos.NodeProto, x *Node) window {
	size := rewrite.Ints(n, "kernel_shape")
	if len(size) != 2 {
		panic(fmt.Errorf("kernel_shape %v, want two numbers", size))
	}
	w := windowOf(n, imageSize(x), narrow(size))
	if w.dilation != [2]int{1, 1} {
		panic(fmt.Errorf("dilations %v are not supported", w.dilation))
	}
	return w
}

func maxPool(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	w := poolWindow(n, x)
	return MaxPool(x).ChannelsAxis(images.ChannelsFirst).WindowPerAxis(w.size[:]...).StridePerAxis(w.stride[:]...).
		PaddingPerDim([][2]int{w.padded(0), w.padded(1)}).Done()
}

// averagePool is the sum over each window, divided by the number of pixels that count.
func averagePool(b *builder, n *protos.NodeProto) *Node {
	x := b.value(n, 0)
	w := poolWindow(n, x)
	d := imageSize(x)
	if w.padded(0) != [2]int{} || w.padded(1) != [2]int{} {
		x = Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, compute.PadAxis{}, padAxis(w.padded(0)), padAxis(w.padded(1)))
	}
	y := SumPool(x).ChannelsAxis(images.ChannelsFirst).WindowPerAxis(w.size[:]...).StridePerAxis(w.stride[:]...).NoPadding().Done()
	padding := rewrite.Int(n, "count_include_pad", 0) != 0
	for i := range 2 {
		shape := []int{1, 1, 1, 1}
		shape[2+i] = w.out[i]
		y = Mul(y, ConvertDType(Reshape(Const(b.graph, w.shares(i, d[i], padding)), shape...), y.DType()))
	}
	return y
}

// shares returns 1 over the number of pixels that count of each window along axis i.
func (w *window) shares(i, in int, padding bool) []float32 {
	first, last := 0, in
	if padding {
		first, last = -w.pads[i][0], in+w.pads[i][1]
	}
	s := make([]float32, w.out[i])
	for o := range s {
		at := o*w.stride[i] - w.pads[i][0]
		s[o] = 1 / float32(min(at+w.size[i], last)-max(at, first))
	}
	return s
}

// global reduces each image to one number a channel.
func global(f func(x *Node) *Node) operation {
	return func(b *builder, n *protos.NodeProto) *Node {
		x := b.value(n, 0)
		d := x.Shape().Dimensions
		if len(d) < 3 {
			panic(fmt.Errorf("operand of dimensions %v, want images", d))
		}
		rest := must(count(d[2:]))
		y := f(Reshape(x, d[0], d[1], rest))
		out := []int{d[0], d[1]}
		for range d[2:] {
			out = append(out, 1)
		}
		return Reshape(y, out...)
	}
}

func globalMax(x *Node) *Node {
	d := x.Shape().Dimensions
	return MaxPool(Reshape(x, d[0], d[1], d[2], 1)).ChannelsAxis(images.ChannelsFirst).WindowPerAxis(d[2], 1).Done()
}

func globalMean(x *Node) *Node { return ReduceMean(x, 2) }
