package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// torchvision's VGG networks.
var vggs = classifiers(
	imageVGG("vgg11", vgg11, false), imageVGG("vgg11_bn", vgg11, true),
	imageVGG("vgg13", vgg13, false), imageVGG("vgg13_bn", vgg13, true),
	imageVGG("vgg16", vgg16, false), imageVGG("vgg16_bn", vgg16, true),
	imageVGG("vgg19", vgg19, false), imageVGG("vgg19_bn", vgg19, true),
)

// Convolutions of each stage, before max pooling halves the image.
var (
	vgg11 = []int{1, 1, 2, 2, 2}
	vgg13 = []int{2, 2, 2, 2, 2}
	vgg16 = []int{2, 2, 3, 3, 3}
	vgg19 = []int{2, 2, 4, 4, 4}
)

func imageVGG(name string, convs []int, norm bool) variant {
	n := vgg{
		convs: convs, channels: []int{64, 128, 256, 512, 512}, norm: norm, parts: 7, head: "LRDLRDL", hidden: 4096,
		start: func(p *Pass) {
			p.Initialise(ConvWeight, KaimingNormalOut)
			p.Initialise(ConvBias, Constant(0))
			p.Initialise(LinearWeight, Normal(0.01))
			p.Initialise(LinearBias, Constant(0))
		},
	}
	return variant{name, resized(256, dataset.Bilinear), n.forward}
}

// vgg describes a network of Simonyan & Zisserman, "Very deep convolutional networks for large-scale image
// recognition", ICLR 2015.
type vgg struct {
	convs, channels []int // of each stage
	norm            bool  // batch normalisation behind each convolution
	parts           int   // the last image is cut into parts x parts means; 0 where it is left as it is
	// head is the layers behind: L linear with hidden units (the last with one for each class), R ReLU, D dropout of a half.
	head   string
	hidden int
	start  func(p *Pass)
}

func (n vgg) forward(classes int) Forward {
	return func(p *Pass, x *Node) *Node {
		n.start(p)
		x = n.features(p, x)
		if n.parts > 0 {
			x = AdaptiveMean2D(x, n.parts)
		}
		x = TransposeAllAxes(x, 0, 3, 1, 2) // PyTorch's order of units
		d := x.Shape().Dimensions
		x = Reshape(x, d[0], d[1]*d[2]*d[3])
		for i, layer := range n.head {
			name := fmt.Sprintf("classifier.%d", i)
			switch {
			case layer == 'R':
				x = ReLU(x)
			case layer == 'D':
				x = p.Dropout(name, x, 0.5)
			case i+1 < len(n.head):
				x = p.Linear(name, x, n.hidden)
			default:
				x = p.Linear(name, x, classes)
			}
		}
		return x
	}
}

func (n vgg) features(p *Pass, x *Node) *Node {
	layer := 0
	for s, convs := range n.convs {
		w := Window{Out: n.channels[s], Kernel: 3, Pad: 1, Bias: true}
		for range convs {
			name := fmt.Sprintf("features.%d", layer)
			if n.norm {
				x = p.ConvolveBatchNorm(name, fmt.Sprintf("features.%d", layer+1), x, w)
				layer++
			} else {
				x = p.Convolve(name, x, w)
			}
			x = ReLU(x)
			layer += 2
		}
		x = MaxPool2D(x, 2, 2, 0)
		layer++
	}
	return x
}
