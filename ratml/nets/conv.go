package nets

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// Conv2D is the cross-correlation of x [batch, height, width, in] with kernel [out, in, kh, kw], the stride and the
// zero padding the same on both axes and all sides, as torch.nn.functional.conv2d. Its gradients are right for every
// kernel size and padding, where GoMLX's own Convolve has a wrong one with respect to x for even kernels, and none
// where the padding is as large as the kernel.
func Conv2D(x, kernel *Node, stride, pad int) *Node {
	kd := kernel.Shape().Dimensions
	if kd[2] == stride && kd[3] == stride && pad == 0 && stride > 1 {
		return patches(x, kernel, stride)
	}
	pads := [][2]int{{pad, pad}, {pad, pad}}
	grow := make([]compute.PadAxis, 4)
	for i := range pads {
		if kd[2+i]%2 == 0 {
			grow[2+i].End = 1
			pads[i][1]++
		}
	}
	if grow[2].End+grow[3].End > 0 {
		kernel = Pad(kernel, ScalarZero(kernel.Graph(), kernel.DType()), grow...)
	}
	if pad >= min(kd[2], kd[3]) {
		x = Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{},
			compute.PadAxis{Start: pads[0][0], End: pads[0][1]},
			compute.PadAxis{Start: pads[1][0], End: pads[1][1]}, compute.PadAxis{}) // its gradient wants all axes
		pads = [][2]int{{0, 0}, {0, 0}}
	}
	return oddConvolve(x, kernel, stride, pads)
}

// oddConvolve is GoMLX's convolution in our layouts; its gradient with respect to x is right for odd kernel sizes only.
func oddConvolve(x, kernel *Node, stride int, pads [][2]int) *Node {
	return Convolve(x, kernel).AxesConfig(compute.ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	}).StridePerAxis(stride, stride).PaddingPerDim(pads).Done()
}

// patches is a convolution whose kernel is as large as its stride: cut into patches, then one matrix product.
func patches(x, kernel *Node, size int) *Node {
	d := x.Shape().Dimensions
	out := kernel.Shape().Dimensions[0]
	h, w := d[1]/size, d[2]/size
	if h*size != d[1] || w*size != d[2] {
		x = Slice(x, AxisRange(), AxisRange(0, h*size), AxisRange(0, w*size), AxisRange())
	}
	x = Reshape(x, d[0], h, size, w, size, d[3])
	x = TransposeAllAxes(x, 0, 1, 3, 5, 2, 4) // [batch, h, w, in, kh, kw]
	x = Reshape(x, d[0]*h*w, d[3]*size*size)
	y := DotGeneral(x, []int{1}, nil, Reshape(kernel, out, d[3]*size*size), []int{1}, nil)
	return Reshape(y, d[0], h, w, out)
}
