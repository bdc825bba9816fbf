package nets

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// The networks in the official code of OpenMix (Zhu et al., CVPR 2023), with its tensor names and normalisation. Those of
// FMFP (ECCV 2022) and CRL (ICML 2020) are the same. Those that OpenMix trained have one output more than classes, for
// outliers, which only training sees: they are called _outlier.
var openMixNets = family{
	form:    "openmix_{resnet<depth>,wrn<depth>_<width>,densenet_bc_<depth>_<growth>,resnet18,vgg16}_{cifar10,cifar100}[_outlier]",
	pattern: regexp.MustCompile(`^openmix_(resnet18|vgg16|(resnet|wrn|densenet_bc_)(\d{1,3})(?:_(\d{1,2}))?)_(cifar10|cifar100)(_outlier)?$`),
	common:  slices.Concat(openMixNames(""), openMixNames("_outlier")),
	build: func(name string, m []string) (*Arch, error) {
		forward, err := openMixNet(m[1], m[2], number(m[3]), number(m[4]))
		if err != nil {
			return nil, fmt.Errorf("nets: %s: %w", name, err)
		}
		d := openMixDomains[m[5]]
		a, err := d.arch(name, forward(d.classes))
		if err != nil || m[6] == "" {
			return a, err
		}
		return a.WithExtraOutputs(1)
	},
}

func openMixNames(suffix string) []string {
	names := named(openMixDomains, "openmix_resnet110", "openmix_wrn28_10", "openmix_densenet_bc_100_12",
		"openmix_resnet18", "openmix_vgg16")
	for i := range names {
		names[i] += suffix
	}
	return names
}

// openMixNet returns a network by its name, or its kind, depth, and width or growth.
func openMixNet(name, kind string, depth, size int) (func(classes int) Forward, error) {
	switch {
	case name == "resnet18":
		return openMixResNet18().forward, nil
	case name == "vgg16":
		return openMixVGG16().forward, nil
	case kind == "resnet" && size == 0 && depth >= 8 && (depth-2)%6 == 0:
		return openMixResNet(depth).forward, nil
	case kind == "wrn" && size > 0 && depth >= 10 && (depth-4)%6 == 0:
		return openMixWideResNet(depth, size).forward, nil
	case kind == "densenet_bc_" && size > 0 && depth >= 10 && (depth-4)%6 == 0:
		return openMixDenseNet(depth, size).forward, nil
	}
	return nil, errors.New("depth must be 6n+2 for resnet, 6n+4 with a width or growth for wrn and densenet_bc")
}

var openMixDomains = map[string]domain{
	"cifar10":  {10, colour32, []float32{0.491, 0.482, 0.447}, []float32{0.247, 0.243, 0.262}},
	"cifar100": {100, colour32, []float32{0.507, 0.487, 0.441}, []float32{0.267, 0.256, 0.276}},
}

// openMixResNet is the pre-activated network for which the code says res110.
func openMixResNet(depth int) residualNet {
	n := cifarResNet((depth-2)/6, false, true)
	n.names, n.start = openMixResidualNames, startNormal
	return n
}

func openMixWideResNet(depth, width int) residualNet {
	n := wideResNet(depth, width)
	n.names, n.start = openMixResidualNames, startUnbiased
	n.names.unit, n.names.shortcut, n.names.last = "block%d.layer.%d", ".convShortcut", "bn1"
	return n
}

// openMixResNet18 is ResNet-18 without what makes images small at the beginning.
func openMixResNet18() residualNet {
	n := residualNet{
		names: openMixResidualNames, first: 64, units: []int{2, 2, 2, 2}, channels: []int{64, 128, 256, 512},
		start: func(p *Pass) { p.Initialise(ConvWeight, UniformIn) },
	}
	n.names.firstNorm, n.names.last, n.names.output = "bn1", "", "linear"
	n.names.shortcut, n.names.shortcutNorm = ".shortcut.0", ".shortcut.1"
	return n
}

func openMixDenseNet(depth, growth int) denseNet {
	n := smallDenseNet(openMixDenseNames, (depth-4)/6, growth)
	n.start = startUnbiased
	return n
}

func openMixVGG16() vgg {
	return vgg{
		convs: vgg16, channels: []int{64, 128, 256, 512, 512}, norm: true, head: "DLRDLRL", hidden: 512,
		start: func(p *Pass) {
			startNormal(p)
			p.Initialise(ConvBias, Constant(0))
		},
	}
}

func startNormal(p *Pass) { p.Initialise(ConvWeight, KaimingNormalOut) }

func startUnbiased(p *Pass) {
	startNormal(p)
	p.Initialise(LinearBias, Constant(0))
}

var openMixResidualNames = residualNames{
	first: "conv1", unit: "layer%d.%d", conv: ".conv%d", norm: ".bn%d", shortcut: ".downsample.0", last: "bn", output: "fc",
}

var openMixDenseNames = denseNames{
	first: "conv1", unit: "block%d.layer.%d", norms: []string{".bn1", ".bn2"}, convs: []string{".conv1", ".conv2"},
	transition: "trans%[1]d", transitionNorm: ".bn1", transitionConv: ".conv1", last: "bn1", output: "fc",
}
