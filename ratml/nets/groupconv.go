package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// GroupConv2D is [Conv2D] of x [batch, height, width, in] with kernel [out, in/groups, kh, kw]: the channels of x and
// those of the output are cut into equal groups, and each group of the output sees its group of x only.
func GroupConv2D(x, kernel *Node, stride, pad, groups int) *Node {
	in, out := channels(x), kernel.Shape().Dimensions[0]
	if groups < 1 || in%groups != 0 || out%groups != 0 || kernel.Shape().Dimensions[1] != in/groups {
		panic(fmt.Errorf("nets: %d groups of %d input channels with a kernel %v", groups, in, kernel.Shape().Dimensions))
	}
	parts := make([]*Node, groups)
	for g := range groups {
		part := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(g*in/groups, (g+1)*in/groups))
		parts[g] = Conv2D(part, Slice(kernel, AxisRange(g*out/groups, (g+1)*out/groups)), stride, pad)
	}
	return Concatenate(parts, -1)
}
