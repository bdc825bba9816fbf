package nets

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// MaxPool2D is the largest value of each window of x [batch, height, width, channels], as torch.nn.MaxPool2d has it: pad
// pixels at each side never win, windows that do not fit are left out, and of equal values the first, row by row, gets
// the gradient. GoMLX's own does the same, but its gradient takes twice as long on XLA's CPU and ten times on the Go backend.
func MaxPool2D(x *Node, size, stride, pad int) *Node {
	if size < 1 || stride < 1 || pad < 0 || 2*pad > size {
		panic(fmt.Errorf("nets: max pooling of windows of %d, stride %d, padding %d, want padding of at most half the window", size, stride, pad))
	}
	if pad > 0 {
		axis := compute.PadAxis{Start: pad, End: pad}
		x = Pad(x, Infinity(x.Graph(), x.DType(), -1), compute.PadAxis{}, axis, axis, compute.PadAxis{}) // its gradient wants all axes
	}
	d := x.Shape().Dimensions
	oh, ow := (d[1]-size)/stride+1, (d[2]-size)/stride+1
	if d[1] < size || d[2] < size {
		panic(fmt.Errorf("nets: max pooling of windows of %d in images of %dx%d with their padding", size, d[1], d[2]))
	}
	// Along the rows and then across them: the first of equal values is still the first.
	y := largest(size, func(i int) *Node {
		return Slice(x, AxisRange(), AxisRange(), AxisRange(i, i+(ow-1)*stride+1).Stride(stride), AxisRange())
	})
	return largest(size, func(i int) *Node {
		return Slice(y, AxisRange(), AxisRange(i, i+(oh-1)*stride+1).Stride(stride), AxisRange(), AxisRange())
	})
}

// largest is the maximum of n values, whose gradient is that of the first that is as large.
func largest(n int, value func(i int) *Node) *Node {
	y := value(0)
	for i := 1; i < n; i++ {
		y = Max(y, value(i)) // a tie goes to the first operand
	}
	return y
}

// MeanPool2D is the mean of each square of x [batch, height, width, channels] with sides of size, as torch.nn.AvgPool2d(size)
// has it: what is left at the lower and right ends is left out.
func MeanPool2D(x *Node, size int) *Node {
	d := x.Shape().Dimensions
	h, w := d[1]/size, d[2]/size
	if h < 1 || w < 1 {
		panic(fmt.Errorf("nets: mean pooling of windows of %d in images of %dx%d", size, d[1], d[2]))
	}
	if h*size != d[1] || w*size != d[2] {
		x = Slice(x, AxisRange(), AxisRange(0, h*size), AxisRange(0, w*size), AxisRange())
	}
	return ReduceMean(Reshape(x, d[0], h, size, w, size, d[3]), 2, 4)
}

// AdaptiveMean2D is the means [batch, size, size, channels] of the parts that x [batch, height, width, channels] is cut
// into, as torch.nn.AdaptiveAvgPool2d(size) has it: parts overlap where the image is not a multiple of size.
func AdaptiveMean2D(x *Node, size int) *Node {
	for axis := 1; axis <= 2; axis++ {
		n := x.Shape().Dimensions[axis]
		if n == size {
			continue
		}
		weights := ConvertDType(Const(x.Graph(), adaptiveWeights(n, size)), x.DType())
		y := DotGeneral(x, []int{axis}, nil, weights, []int{1}, nil) // [batch, other axis, channels, size]
		if axis == 1 {
			x = TransposeAllAxes(y, 0, 3, 1, 2)
		} else {
			x = TransposeAllAxes(y, 0, 1, 3, 2)
		}
	}
	return x
}

// adaptiveWeights is a matrix [size, n] of the shares that n values have in their means.
func adaptiveWeights(n, size int) [][]float32 {
	w := make([][]float32, size)
	for i := range w {
		w[i] = make([]float32, n)
		from, to := i*n/size, ((i+1)*n+size-1)/size
		for j := from; j < to; j++ {
			w[i][j] = 1 / float32(to-from)
		}
	}
	return w
}
