package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// Preprocessing of the second set of weights, from a new training recipe.
var mobileNets = classifiers(
	variant{"mobilenet_v2", resized(232, dataset.Bilinear), func(classes int) Forward {
		return mobileNetV2(mobileV2, classes)
	}},
	variant{"mobilenet_v3_large", resized(232, dataset.Bilinear), func(classes int) Forward {
		return mobileNetV3(mobileLarge, 1280, classes)
	}},
	variant{"mobilenet_v3_small", resized(256, dataset.Bilinear), func(classes int) Forward {
		return mobileNetV3(mobileSmall, 1024, classes)
	}},
)

// initialiseMobile is how torchvision starts these networks.
func initialiseMobile(p *Pass, linear Initialiser) {
	p.Initialise(ConvWeight, KaimingNormalOut)
	p.Initialise(ConvBias, Constant(0))
	p.Initialise(LinearWeight, linear)
	p.Initialise(LinearBias, Constant(0))
}

// convNormAct is torchvision's Conv2dNormActivation: name.0 is the convolution, name.1 its batch normalisation. Padding
// is half the kernel.
func convNormAct(p *Pass, name string, x *Node, w Window, act func(*Node) *Node) *Node {
	w.Pad = (w.Kernel - 1) / 2
	y := p.ConvolveBatchNorm(name+".0", name+".1", x, w)
	if act != nil {
		y = act(y)
	}
	return y
}

// squeezeExcite weighs the channels of x by a network of their means, which has two layers of the given names, with as many
// hidden units as squeeze. Hu et al., "Squeeze-and-excitation networks", CVPR 2018.
func squeezeExcite(p *Pass, first, second string, x *Node, squeeze int, act, gate func(*Node) *Node) *Node {
	c := channels(x)
	s := ReduceAndKeep(x, ReduceMean, 1, 2)
	s = act(p.Convolve(first, s, Window{Out: squeeze, Kernel: 1, Bias: true}))
	return Mul(x, gate(p.Convolve(second, s, Window{Out: c, Kernel: 1, Bias: true})))
}

// divisible rounds a number of channels to a multiple of 8, not down by more than a tenth.
func divisible(channels int) int {
	n := max(8, (channels+4)/8*8)
	if 10*n < 9*channels {
		n += 8
	}
	return n
}

// A mobileStage is a number of inverted residuals of MobileNetV2, of which the first has the stride.
type mobileStage struct{ expand, out, blocks, stride int }

var mobileV2 = []mobileStage{
	{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
}

// mobileNetV2 is the network of Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", CVPR 2018.
func mobileNetV2(stages []mobileStage, classes int) Forward {
	return func(p *Pass, x *Node) *Node {
		initialiseMobile(p, Normal(0.01))
		x = convNormAct(p, "features.0", x, Window{Out: 32, Kernel: 3, Stride: 2}, ReLU6)
		n := 1
		for _, s := range stages {
			for i := range s.blocks {
				stride := 1
				if i == 0 {
					stride = s.stride
				}
				x = mobileBlockV2(p, fmt.Sprintf("features.%d.conv", n), x, s.expand, s.out, stride)
				n++
			}
		}
		x = convNormAct(p, fmt.Sprintf("features.%d", n), x, Window{Out: 1280, Kernel: 1}, ReLU6)
		return p.Linear("classifier.1", p.Dropout("classifier.0", GlobalMean(x), 0.2), classes)
	}
}

func mobileBlockV2(p *Pass, name string, x *Node, expand, out, stride int) *Node {
	in := channels(x)
	hidden := in * expand
	y, n := x, 0
	if expand != 1 {
		y = convNormAct(p, name+".0", y, Window{Out: hidden, Kernel: 1}, ReLU6)
		n++
	}
	y = convNormAct(p, fmt.Sprintf("%s.%d", name, n), y, Window{Out: hidden, Kernel: 3, Stride: stride, Groups: hidden}, ReLU6)
	y = p.ConvBatchNorm(fmt.Sprintf("%s.%d", name, n+1), fmt.Sprintf("%s.%d", name, n+2), y, out, 1, 1, 0)
	if stride == 1 && in == out {
		y = Add(x, y)
	}
	return y
}

// A mobileBlock is an inverted residual of MobileNetV3.
type mobileBlock struct {
	kernel, hidden, out int
	squeeze             bool
	act                 func(*Node) *Node
	stride              int
}

var (
	mobileLarge = []mobileBlock{
		{3, 16, 16, false, ReLU, 1},
		{3, 64, 24, false, ReLU, 2},
		{3, 72, 24, false, ReLU, 1},
		{5, 72, 40, true, ReLU, 2},
		{5, 120, 40, true, ReLU, 1},
		{5, 120, 40, true, ReLU, 1},
		{3, 240, 80, false, HardSwish, 2},
		{3, 200, 80, false, HardSwish, 1},
		{3, 184, 80, false, HardSwish, 1},
		{3, 184, 80, false, HardSwish, 1},
		{3, 480, 112, true, HardSwish, 1},
		{3, 672, 112, true, HardSwish, 1},
		{5, 672, 160, true, HardSwish, 2},
		{5, 960, 160, true, HardSwish, 1},
		{5, 960, 160, true, HardSwish, 1},
	}
	mobileSmall = []mobileBlock{
		{3, 16, 16, true, ReLU, 2},
		{3, 72, 24, false, ReLU, 2},
		{3, 88, 24, false, ReLU, 1},
		{5, 96, 40, true, HardSwish, 2},
		{5, 240, 40, true, HardSwish, 1},
		{5, 240, 40, true, HardSwish, 1},
		{5, 120, 48, true, HardSwish, 1},
		{5, 144, 48, true, HardSwish, 1},
		{5, 288, 96, true, HardSwish, 2},
		{5, 576, 96, true, HardSwish, 1},
		{5, 576, 96, true, HardSwish, 1},
	}
)

// mobileNetV3 is a network of Howard et al., "Searching for MobileNetV3", ICCV 2019.
func mobileNetV3(blocks []mobileBlock, last, classes int) Forward {
	return func(p *Pass, x *Node) *Node {
		initialiseMobile(p, Normal(0.01))
		p.BatchNorms(BatchNorm{Epsilon: 0.001, Momentum: 0.01})
		x = convNormAct(p, "features.0", x, Window{Out: 16, Kernel: 3, Stride: 2}, HardSwish)
		for i, b := range blocks {
			x = mobileBlockV3(p, fmt.Sprintf("features.%d.block", i+1), x, b)
		}
		x = convNormAct(p, fmt.Sprintf("features.%d", len(blocks)+1), x, Window{Out: 6 * channels(x), Kernel: 1}, HardSwish)
		x = HardSwish(p.Linear("classifier.0", GlobalMean(x), last))
		return p.Linear("classifier.3", p.Dropout("classifier.2", x, 0.2), classes)
	}
}

func mobileBlockV3(p *Pass, name string, x *Node, b mobileBlock) *Node {
	in, y, n := channels(x), x, 0
	next := func() string {
		n++
		return fmt.Sprintf("%s.%d", name, n-1)
	}
	if b.hidden != in {
		y = convNormAct(p, next(), y, Window{Out: b.hidden, Kernel: 1}, b.act)
	}
	y = convNormAct(p, next(), y, Window{Out: b.hidden, Kernel: b.kernel, Stride: b.stride, Groups: b.hidden}, b.act)
	if b.squeeze {
		se := next()
		y = squeezeExcite(p, se+".fc1", se+".fc2", y, divisible(b.hidden/4), ReLU, HardSigmoid)
	}
	y = convNormAct(p, next(), y, Window{Out: b.out, Kernel: 1}, nil)
	if b.stride == 1 && in == b.out {
		y = Add(x, y)
	}
	return y
}
