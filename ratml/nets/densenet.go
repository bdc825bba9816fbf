package nets

import (
	"fmt"
	"regexp"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// torchvision's DenseNets.
var denseNets = classifiers(
	imageDenseNet("densenet121", 64, 32, 6, 12, 24, 16),
	imageDenseNet("densenet161", 96, 48, 6, 12, 36, 24),
	imageDenseNet("densenet169", 64, 32, 6, 12, 32, 32),
	imageDenseNet("densenet201", 64, 32, 6, 12, 48, 32),
)

func imageDenseNet(name string, first, growth int, units ...int) variant {
	n := denseNet{
		names: denseNames{
			first: "features.conv0", firstNorm: "features.norm0",
			unit: "features.denseblock%d.denselayer%d", from: 1,
			norms: []string{".norm1", ".norm2"}, convs: []string{".conv1", ".conv2"},
			transition: "features.transition%[1]d", transitionNorm: ".norm", transitionConv: ".conv",
			last: "features.norm5", output: "classifier",
		},
		first: first, imageNet: true, units: units, growth: growth,
		start: func(p *Pass) {
			p.Initialise(ConvWeight, KaimingNormalIn)
			p.Initialise(LinearBias, Constant(0))
		},
	}
	return variant{name, resized(256, dataset.Bilinear), n.forward}
}

// pytorchcv's DenseNets for 32x32 images, of a depth and a growth; bc is with bottlenecks.
var cifarDenseNets = family{
	form:    "densenet<depth>_k<growth>[_bc]_{cifar10,cifar100,svhn}",
	pattern: regexp.MustCompile(`^densenet(\d{1,3})_k(\d{1,2})(_bc)?_(cifar10|cifar100|svhn)$`),
	common: named(cifarDomains, "densenet40_k12", "densenet40_k12_bc", "densenet40_k24_bc", "densenet40_k36_bc",
		"densenet100_k12", "densenet100_k24", "densenet100_k12_bc", "densenet190_k40_bc", "densenet250_k24_bc"),
	build: func(name string, m []string) (*Arch, error) {
		depth, growth, names := number(m[1]), number(m[2]), cifarDenseNames
		layers := 3 // in a unit of each of three stages
		if m[3] != "" {
			layers = 6
			names.norms, names.convs = []string{".conv1.bn", ".conv2.bn"}, []string{".conv1.conv", ".conv2.conv"}
		}
		if depth < layers+4 || (depth-4)%layers != 0 || growth < 1 {
			return nil, fmt.Errorf("nets: %s: depth must be 7, 10, 13, ... (3n+4), with bc 10, 16, 22, ... (6n+4), and growth at least 1", name)
		}
		d := cifarDomains[m[4]]
		return d.arch(name, smallDenseNet(names, (depth-4)/layers, growth).forward(d.classes))
	},
}

var cifarDenseNames = denseNames{
	first: "features.init_block", unit: "features.stage%d.unit%d", from: 1,
	norms: []string{".conv.bn"}, convs: []string{".conv.conv"},
	transition: "features.stage%[2]d.trans%[2]d", transitionNorm: ".conv.bn", transitionConv: ".conv.conv",
	last: "features.post_activ.bn", output: "output",
}

// smallDenseNet has three stages of so many units each.
func smallDenseNet(names denseNames, units, growth int) denseNet {
	return denseNet{names: names, first: 2 * growth, units: []int{units, units, units}, growth: growth}
}

// denseNet describes a network of Huang et al., "Densely connected convolutional networks", CVPR 2017: a first
// convolution, stages of units that each append growth channels to what they see, with transitions between stages that
// halve the channels and the image, the mean over the image, and a linear layer.
type denseNet struct {
	names denseNames
	// first is the number of channels of the first convolution, 3x3; where imageNet is set, 7x7 with stride 2, and max
	// pooling behind it.
	first    int
	imageNet bool
	units    []int // of each stage
	growth   int
	start    func(p *Pass)
}

// denseNames are the names of a dense network's tensors.
type denseNames struct {
	first, firstNorm string // no firstNorm: the first convolution stands alone
	unit             string // format of stage and unit, the former from 1
	from             int    // number of a stage's first unit
	norms, convs     []string
	transition       string // format of the stages before and behind, from 1
	transitionNorm   string
	transitionConv   string
	last             string // normalisation before the mean
	output           string
}

func (n denseNet) forward(classes int) Forward {
	return func(p *Pass, x *Node) *Node {
		if n.start != nil {
			n.start(p)
		}
		x = firstLayers(p, n.names.first, n.names.firstNorm, n.first, n.imageNet, x)
		for s, units := range n.units {
			if s > 0 {
				x = n.transition(p, s, x)
			}
			for u := range units {
				x = n.grow(p, fmt.Sprintf(n.names.unit, s+1, u+n.names.from), x)
			}
		}
		x = ReLU(p.BatchNorm(n.names.last, x))
		return p.Linear(n.names.output, GlobalMean(x), classes)
	}
}

// grow is a unit: one 3x3 convolution, with two names behind a 1x1 one.
func (n denseNet) grow(p *Pass, name string, x *Node) *Node {
	layers := []Window{{Out: n.growth, Kernel: 3, Pad: 1}}
	if len(n.names.convs) == 2 {
		layers = []Window{{Out: 4 * n.growth, Kernel: 1}, layers[0]}
	}
	var norms, convs []string
	for i := range layers {
		norms, convs = append(norms, name+n.names.norms[i]), append(convs, name+n.names.convs[i])
	}
	_, y := preActivated(p, norms, convs, x, layers, nil)
	return Concatenate([]*Node{x, y}, -1)
}

func (n denseNet) transition(p *Pass, stage int, x *Node) *Node {
	name := fmt.Sprintf(n.names.transition, stage, stage+1)
	half := []Window{{Out: channels(x) / 2, Kernel: 1}}
	_, y := preActivated(p, []string{name + n.names.transitionNorm}, []string{name + n.names.transitionConv}, x, half, nil)
	return MeanPool2D(y, 2)
}
