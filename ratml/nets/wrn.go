package nets

import (
	"fmt"
	"regexp"

	. "github.com/gomlx/gomlx/core/graph"
)

var wideResNets = family{
	form:    "wrn<depth>_<width>[_dropout<percent>]_{cifar10,cifar100,svhn}",
	pattern: regexp.MustCompile(`^wrn(\d{1,3})_(\d{1,3})(?:_dropout(\d{1,2}))?_(cifar10|cifar100|svhn)$`),
	common:  named(cifarDomains, "wrn10_1", "wrn16_2", "wrn16_10", "wrn28_10", "wrn40_8"),
	build: func(name string, m []string) (*Arch, error) {
		depth, width := number(m[1]), number(m[2])
		if depth < 10 || (depth-4)%6 != 0 || width < 1 {
			return nil, fmt.Errorf("nets: %s: depth must be 10, 16, 22, 28, ... (6n+4) and width at least 1", name)
		}
		d := cifarDomains[m[4]]
		return d.arch(name, wideResNet(depth, width, d.classes, percent(m[3])))
	},
}

// wideResNet is the pre-activation wide residual network of Zagoruyko & Komodakis (2016) for 32x32 images, with the
// tensor names of pytorchcv's CIFARWRN: three stages of (depth-4)/6 units with 16, 32 and 64 times width channels, and
// dropout between the two convolutions of a unit where its rate is not 0.
func wideResNet(depth, width, classes int, dropout float64) Forward {
	return func(p *Pass, x *Node) *Node {
		x = p.Conv("features.init_block", x, 16, 3, 1, 1)
		for stage := 1; stage <= 3; stage++ {
			out := 16 * width << (stage - 1)
			for unit := 1; unit <= (depth-4)/6; unit++ {
				stride := 1
				if stage > 1 && unit == 1 {
					stride = 2
				}
				x = wideUnit(p, fmt.Sprintf("features.stage%d.unit%d", stage, unit), x, out, stride, dropout)
			}
		}
		x = ReLU(p.BatchNorm("features.post_activ.bn", x))
		return p.Linear("output", GlobalMean(x), classes)
	}
}

func wideUnit(p *Pass, name string, x *Node, out, stride int, dropout float64) *Node {
	first, second := name+".body.conv1", name+".body.conv2"
	active := ReLU(p.BatchNorm(first+".bn", x))
	y := p.ConvBatchNorm(first+".conv", second+".bn", active, out, 3, stride, 1)
	y = p.Dropout(name+".dropout", ReLU(y), dropout)
	y = p.Conv(second+".conv", y, out, 3, 1, 1)
	if channels(x) != out || stride != 1 {
		x = p.Conv(name+".identity_conv", active, out, 1, stride, 0)
	}
	return Add(y, x)
}
