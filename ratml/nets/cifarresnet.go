package nets

import (
	"fmt"
	"regexp"
	"slices"
)

// pytorchcv's residual networks for 32x32 images. A depth is 6n+2 for units of two convolutions and 9n+2, followed by
// bn, for bottlenecks; resnet1001 is one of bottlenecks without saying so.
var cifarResNets = family{
	form:    "[se][pre]resnet{<depth>,<depth>bn,1001}_{cifar10,cifar100,svhn}",
	pattern: regexp.MustCompile(`^(se)?(pre)?resnet(\d{1,4})(bn)?_(cifar10|cifar100|svhn)$`),
	common: slices.Concat(
		named(cifarDomains, "resnet20", "resnet56", "resnet110", "resnet164bn", "resnet272bn"),
		named(cifarDomains, "preresnet20", "preresnet56", "preresnet110", "preresnet164bn", "preresnet272bn"),
		named(cifarDomains, "seresnet20", "seresnet56", "seresnet110", "seresnet164bn"),
		named(cifarDomains, "sepreresnet20", "sepreresnet56", "sepreresnet110", "sepreresnet164bn"),
	),
	build: func(name string, m []string) (*Arch, error) {
		depth, bottleneck := number(m[3]), m[4] != "" || m[3] == "1001"
		layers := 6 // in a unit of each of three stages
		if bottleneck {
			layers = 9
		}
		if depth < layers+2 || depth > 1202 || (depth-2)%layers != 0 {
			return nil, fmt.Errorf("nets: %s: depth must be 8, 14, 20, ... (6n+2) or 11bn, 20bn, 29bn, ... (9n+2) and at most 1202", name)
		}
		n := cifarResNet((depth-2)/layers, bottleneck, m[2] != "")
		if m[1] != "" {
			n.squeeze = true
			n.start = func(p *Pass) { p.Initialise(ConvBias, Constant(0)) }
			if n.preActivated { // as there: normalised at the beginning and not at the end
				n.names.first, n.names.firstNorm, n.names.last = "features.init_block.conv", "features.init_block.bn", ""
			}
		}
		d := cifarDomains[m[5]]
		return d.arch(name, n.forward(d.classes))
	},
}

// pytorchcv's ResNeXt for 32x32 images (Xie et al., CVPR 2017): bottlenecks of wide stages, of so many groups of such a
// width each.
var cifarResNeXts = family{
	form:    "resnext<depth>_<groups>x<width>d_{cifar10,cifar100,svhn}",
	pattern: regexp.MustCompile(`^resnext(\d{1,3})_(\d{1,2})x(\d{1,2})d_(cifar10|cifar100|svhn)$`),
	common:  named(cifarDomains, "resnext20_16x4d", "resnext20_32x2d", "resnext20_32x4d", "resnext29_32x4d", "resnext29_16x64d"),
	build: func(name string, m []string) (*Arch, error) {
		depth, groups, width := number(m[1]), number(m[2]), number(m[3])
		if depth < 11 || (depth-2)%9 != 0 || groups < 1 || width < 1 {
			return nil, fmt.Errorf("nets: %s: depth must be 11, 20, 29, ... (9n+2), groups and their width at least 1", name)
		}
		n := cifarResNet((depth-2)/9, true, false)
		n.first, n.channels, n.groups, n.groupWidth = 64, []int{256, 512, 1024}, groups, width
		d := cifarDomains[m[4]]
		return d.arch(name, n.forward(d.classes))
	},
}

// cifarResNet is one of pytorchcv's networks of three stages of so many units each.
func cifarResNet(units int, bottleneck, preActivated bool) residualNet {
	n := residualNet{
		names: residualNames{
			first: "features.init_block.conv", firstNorm: "features.init_block.bn",
			unit: "features.stage%d.unit%d", from: 1, conv: ".body.conv%d.conv", norm: ".body.conv%d.bn",
			shortcut: ".identity_conv.conv", shortcutNorm: ".identity_conv.bn",
			squeeze: [2]string{".se.conv1", ".se.conv2"}, output: "output",
		},
		first: 16, units: []int{units, units, units}, channels: []int{16, 32, 64}, bottleneck: bottleneck, preActivated: preActivated,
	}
	if bottleneck {
		n.channels = []int{64, 128, 256}
	}
	if preActivated {
		n.names.first, n.names.firstNorm, n.names.last = "features.init_block", "", "features.post_activ.bn"
		n.names.shortcut, n.names.shortcutNorm = ".identity_conv", ""
	}
	return n
}
