package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// residualNet describes a residual network: a first convolution, stages of units of which each stage but the first
// halves the image, the mean over the image, and a linear layer. He et al., "Deep residual learning for image
// recognition", CVPR 2016; pre-activated units are those of "Identity mappings in deep residual networks", ECCV 2016.
type residualNet struct {
	names residualNames
	// first is the number of channels of the first convolution, 3x3; where imageNet is set, 7x7 with stride 2, and max
	// pooling behind it.
	first    int
	imageNet bool
	units    []int // of each stage
	channels []int // each stage's, put out by its units
	// A bottleneck has a 1x1, a 3x3 and a 1x1 convolution, else there are two of 3x3. The inner channels of a bottleneck
	// are a fourth of its outer ones, times groupWidth/64, for each group; 0 are groupWidth 64 and one group.
	bottleneck         bool
	groups, groupWidth int
	preActivated       bool
	squeeze            bool    // squeeze and excitation of a unit's output, before the sum
	dropout            float64 // between the convolutions of a basic pre-activated unit
	start              func(p *Pass)
}

// residualNames are the names of a residual network's tensors.
type residualNames struct {
	first, firstNorm string // no firstNorm: the first convolution stands alone
	unit             string // format of stage and unit, the former from 1
	from             int    // number of a stage's first unit
	conv, norm       string // formats of a layer's number, from 1, within its unit
	shortcut         string // convolution of a unit that changes channels or size
	shortcutNorm     string // not in pre-activated units
	squeeze          [2]string
	last             string // normalisation before the mean, "" for none
	output           string
}

func (n residualNet) forward(classes int) Forward {
	return func(p *Pass, x *Node) *Node {
		if n.start != nil {
			n.start(p)
		}
		x = firstLayers(p, n.names.first, n.names.firstNorm, n.first, n.imageNet, x)
		for s, units := range n.units {
			for u := range units {
				stride := 1
				if s > 0 && u == 0 {
					stride = 2
				}
				name := fmt.Sprintf(n.names.unit, s+1, u+n.names.from)
				if n.preActivated {
					x = n.preUnit(p, name, x, n.channels[s], stride)
				} else {
					x = n.postUnit(p, name, x, n.channels[s], stride)
				}
			}
		}
		if n.names.last != "" {
			x = ReLU(p.BatchNorm(n.names.last, x))
		}
		return p.Linear(n.names.output, GlobalMean(x), classes)
	}
}

// firstLayers is a 3x3 convolution, for ImageNet a 7x7 one of stride 2; behind it batch normalisation and ReLU where norm
// is not empty, and for ImageNet max pooling.
func firstLayers(p *Pass, conv, norm string, out int, imageNet bool, x *Node) *Node {
	w := Window{Out: out, Kernel: 3, Pad: 1}
	if imageNet {
		w = Window{Out: out, Kernel: 7, Stride: 2, Pad: 3}
	}
	if norm == "" {
		return p.Convolve(conv, x, w)
	}
	x = ReLU(p.ConvolveBatchNorm(conv, norm, x, w))
	if imageNet {
		x = MaxPool2D(x, 3, 2, 1)
	}
	return x
}

// layers are the convolutions of a unit.
func (n residualNet) layers(out, stride int) []Window {
	if !n.bottleneck {
		return []Window{{Out: out, Kernel: 3, Stride: stride, Pad: 1}, {Out: out, Kernel: 3, Pad: 1}}
	}
	inner := out / 4
	if n.groups > 0 {
		inner = out / 4 * n.groupWidth / 64 * n.groups
	}
	return []Window{
		{Out: inner, Kernel: 1}, {Out: inner, Kernel: 3, Stride: stride, Pad: 1, Groups: n.groups}, {Out: out, Kernel: 1},
	}
}

func (n residualNet) postUnit(p *Pass, name string, x *Node, out, stride int) *Node {
	y, layers := x, n.layers(out, stride)
	for i, w := range layers {
		y = p.ConvolveBatchNorm(name+fmt.Sprintf(n.names.conv, i+1), name+fmt.Sprintf(n.names.norm, i+1), y, w)
		if i+1 < len(layers) {
			y = ReLU(y)
		}
	}
	y = n.excite(p, name, y)
	if channels(x) != out || stride != 1 {
		x = p.ConvBatchNorm(name+n.names.shortcut, name+n.names.shortcutNorm, x, out, 1, stride, 0)
	}
	return ReLU(Add(y, x))
}

func (n residualNet) preUnit(p *Pass, name string, x *Node, out, stride int) *Node {
	layers := n.layers(out, stride)
	var norms, convs []string
	for i := range layers {
		norms = append(norms, name+fmt.Sprintf(n.names.norm, i+1))
		convs = append(convs, name+fmt.Sprintf(n.names.conv, i+1))
	}
	drop := func(y *Node) *Node { return p.Dropout(name+".dropout", y, n.dropout) }
	active, y := preActivated(p, norms, convs, x, layers, drop)
	y = n.excite(p, name, y)
	if channels(x) != out || stride != 1 {
		x = p.Conv(name+n.names.shortcut, active, out, 1, stride, 0)
	}
	return Add(y, x)
}

// preActivated is convolutions each behind a normalisation and ReLU, with drop before the last. It returns what the first
// convolution saw as well.
func preActivated(p *Pass, norms, convs []string, x *Node, layers []Window, drop func(*Node) *Node) (active, y *Node) {
	active = ReLU(p.BatchNorm(norms[0], x))
	y = active
	last := len(layers) - 1
	for i, w := range layers[:last] {
		y = ReLU(p.ConvolveBatchNorm(convs[i], norms[i+1], y, w))
	}
	if drop != nil {
		y = drop(y)
	}
	return active, p.Convolve(convs[last], y, layers[last])
}

// excite weighs the channels of a unit's output where the network does that.
func (n residualNet) excite(p *Pass, name string, y *Node) *Node {
	if !n.squeeze {
		return y
	}
	return squeezeExcite(p, name+n.names.squeeze[0], name+n.names.squeeze[1], y, channels(y)/16, ReLU, Sigmoid)
}
