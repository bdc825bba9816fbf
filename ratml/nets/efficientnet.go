package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

var efficientNets = classifiers(variant{"efficientnet_b0", resized(256, dataset.Bicubic), func(classes int) Forward {
	return efficientNet(efficientB0, 32, classes)
}})

// An efficientStage is a number of inverted residuals, of which the first has the stride.
type efficientStage struct{ expand, kernel, stride, out, blocks int }

var efficientB0 = []efficientStage{
	{1, 3, 1, 16, 1}, {6, 3, 2, 24, 2}, {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3}, {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1},
}

// efficientNet is a network of Tan & Le, "EfficientNet: Rethinking model scaling for convolutional neural networks",
// ICML 2019, whose first convolution has the given number of channels.
func efficientNet(stages []efficientStage, first, classes int) Forward {
	blocks := 0
	for _, s := range stages {
		blocks += s.blocks
	}
	return func(p *Pass, x *Node) *Node {
		initialiseMobile(p, UniformOut)
		x = convNormAct(p, "features.0", x, Window{Out: first, Kernel: 3, Stride: 2}, SiLU)
		n := 0
		for i, s := range stages {
			for j := range s.blocks {
				stride := 1
				if j == 0 {
					stride = s.stride
				}
				name := fmt.Sprintf("features.%d.%d", i+1, j)
				x = efficientBlock(p, name, x, s.expand, s.kernel, stride, s.out, 0.2*float64(n)/float64(blocks))
				n++
			}
		}
		x = convNormAct(p, fmt.Sprintf("features.%d", len(stages)+1), x, Window{Out: 4 * channels(x), Kernel: 1}, SiLU)
		return p.Linear("classifier.1", p.Dropout("classifier.0", GlobalMean(x), 0.2), classes)
	}
}

// efficientBlock is torchvision's MBConv: an inverted residual that is left out with the probability drop.
func efficientBlock(p *Pass, name string, x *Node, expand, kernel, stride, out int, drop float64) *Node {
	in, y, n := channels(x), x, 0
	hidden := in * expand
	next := func() string {
		n++
		return fmt.Sprintf("%s.block.%d", name, n-1)
	}
	if expand != 1 {
		y = convNormAct(p, next(), y, Window{Out: hidden, Kernel: 1}, SiLU)
	}
	y = convNormAct(p, next(), y, Window{Out: hidden, Kernel: kernel, Stride: stride, Groups: hidden}, SiLU)
	se := next()
	y = squeezeExcite(p, se+".fc1", se+".fc2", y, max(1, in/4), SiLU, Sigmoid)
	y = convNormAct(p, next(), y, Window{Out: out, Kernel: 1}, nil)
	if stride == 1 && in == out {
		y = Add(x, p.DropBranch(name+".stochastic_depth", y, drop))
	}
	return y
}
