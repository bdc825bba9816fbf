package nets

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// GroupConv2D is [Conv2D] of x [batch, height, width, in] with kernel [out, in/groups, kh, kw]: the channels of x and
// those of the output are cut into equal groups, and each group of the output sees its group of x only.
//
// GoMLX's own takes a gradient of one piece for each group, which XLA compiles for minutes in a network of depthwise
// convolutions (as many groups as channels). Here these are sums of shifted images, and so are their gradients; other
// groups are put together to convolutions of about 64 channels with zeros between groups.
func GroupConv2D(x, kernel *Node, stride, pad, groups int) *Node {
	in, kd := channels(x), kernel.Shape().Dimensions
	if groups < 1 || in%groups != 0 || kd[0]%groups != 0 || kd[1] != in/groups {
		panic(fmt.Errorf("nets: %d groups of %d input channels with a kernel %v", groups, in, kd))
	}
	switch {
	case groups == 1:
		return Conv2D(x, kernel, stride, pad)
	case kd[0] == groups && kd[1] == 1:
		return depthwise(x, kernel, stride, pad)
	}
	return blocks(x, kernel, stride, pad, groups)
}

// blockChannels is the number of input channels from which on a convolution is not made larger: small ones are slow
// and, as there are many, long to compile, large ones multiply zeros.
const blockChannels = 64

// blocks cuts a convolution into ones of several groups each, with kernels that are 0 between groups.
func blocks(x, kernel *Node, stride, pad, groups int) *Node {
	kd := kernel.Shape().Dimensions
	out, in, kh, kw := kd[0]/groups, kd[1], kd[2], kd[3]
	each := 1 // groups of a block
	for n := 2; n <= groups && n*in <= blockChannels; n++ {
		if groups%n == 0 {
			each = n
		}
	}
	k := Reshape(kernel, groups/each, each, out, 1, in, kh, kw)
	if each > 1 {
		same := ConvertDType(Diagonal(x.Graph(), each), k.DType())
		k = Mul(k, Reshape(same, 1, each, 1, each, 1, 1, 1))
	}
	k = Reshape(k, groups/each, each*out, each*in, kh, kw)
	parts := make([]*Node, groups/each)
	for i := range parts {
		part := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(i*each*in, (i+1)*each*in))
		parts[i] = Conv2D(part, Reshape(Slice(k, AxisElem(i)), each*out, each*in, kh, kw), stride, pad)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return Concatenate(parts, -1)
}

// depthwise convolves each channel of x with its own kernel [channels, 1, kh, kw].
func depthwise(x, kernel *Node, stride, pad int) *Node {
	kd := kernel.Shape().Dimensions
	pads := [2][2]int{{pad, pad}, {pad, pad}}
	if pad >= min(kd[2], kd[3]) {
		x, pads = frame(x, pads, 0), [2][2]int{}
	}
	if to := x.DType(); to == dtypes.BFloat16 || to == dtypes.Float16 {
		// Sums of short numbers would be rounded at each term.
		long := func(v *Node) *Node { return ConvertDType(v, dtypes.Float32) }
		return ConvertDType(shiftedSum(long(x), long(kernel), stride, pads), to)
	}
	return shiftedSum(x, kernel, stride, pads)
}

// shiftedSum is a depthwise convolution with less padding than the kernel is long, by axis and side. Its gradient with
// respect to x is one of the same kind, of the gradient of the result, spread by the stride, with the flipped kernel.
func shiftedSum(x, kernel *Node, stride int, pads [2][2]int) *Node {
	d, kd := x.Shape().Dimensions, kernel.Shape().Dimensions
	return withGradients([]*Node{x, kernel},
		func(in []*Node) *Node { return sumTaps(in[0], in[1], stride, pads) },
		func(v *Node) *Node {
			var back [2][2]int
			for i, o := range v.Shape().Dimensions[1:3] {
				size := kd[2+i]
				back[i] = [2]int{size - 1 - pads[i][0], d[1+i] + pads[i][0] - (o-1)*stride - 1}
			}
			v = frame(v, [2][2]int{}, stride-1)
			return shiftedSum(v, Reverse(kernel, 2, 3), 1, back)
		},
		func(v *Node) *Node { return kernelGradient(frame(x, pads, 0), v, kd, stride) })
}

// frame pads the image with zeros at its sides, and with as many as between says between its pixels.
func frame(x *Node, pads [2][2]int, between int) *Node {
	if pads == [2][2]int{} && between == 0 {
		return x
	}
	axis := func(i int) compute.PadAxis {
		return compute.PadAxis{Start: pads[i][0], End: pads[i][1], Interior: between}
	}
	// Its gradient wants all axes.
	return Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, axis(0), axis(1), compute.PadAxis{})
}

// tap returns what the element (i,j) of a kernel sees of padded images, of which the output has size oh, ow.
func tap(x *Node, i, j, oh, ow, stride int) *Node {
	return Slice(x, AxisRange(),
		AxisRange(i, i+(oh-1)*stride+1).Stride(stride), AxisRange(j, j+(ow-1)*stride+1).Stride(stride), AxisRange())
}

func sumTaps(x, kernel *Node, stride int, pads [2][2]int) *Node {
	kd := kernel.Shape().Dimensions
	x = frame(x, pads, 0)
	d := x.Shape().Dimensions
	oh, ow := (d[1]-kd[2])/stride+1, (d[2]-kd[3])/stride+1
	weights := TransposeAllAxes(kernel, 2, 3, 1, 0) // [kh, kw, 1, channels]
	var sum *Node
	for i := range kd[2] {
		for j := range kd[3] {
			term := Mul(tap(x, i, j, oh, ow, stride), Slice(weights, AxisRange(i, i+1), AxisRange(j, j+1)))
			if sum == nil {
				sum = term
			} else {
				sum = Add(sum, term)
			}
		}
	}
	return sum
}

// kernelGradient is the gradient of a depthwise kernel of shape kd, of padded images x and the output's gradient v.
func kernelGradient(x, v *Node, kd []int, stride int) *Node {
	oh, ow := v.Shape().Dimensions[1], v.Shape().Dimensions[2]
	var sums []*Node
	for i := range kd[2] {
		for j := range kd[3] {
			sums = append(sums, ReduceSum(Mul(tap(x, i, j, oh, ow, stride), v), 0, 1, 2))
		}
	}
	return Reshape(Stack(sums, 1), kd...)
}
