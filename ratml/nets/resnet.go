package nets

import "github.com/ratml/rat/ratml/dataset"

// torchvision's ResNet, Wide ResNet and ResNeXt; preprocessing is that of the second set of weights where there is one.
var resNets = classifiers(
	resNet("resnet18", 256, []int{2, 2, 2, 2}, false, 0, 0),
	resNet("resnet34", 256, []int{3, 4, 6, 3}, false, 0, 0),
	resNet("resnet50", 232, []int{3, 4, 6, 3}, true, 0, 0),
	resNet("resnet101", 232, []int{3, 4, 23, 3}, true, 0, 0),
	resNet("resnet152", 232, []int{3, 8, 36, 3}, true, 0, 0),
	resNet("wide_resnet50_2", 232, []int{3, 4, 6, 3}, true, 1, 128),
	resNet("wide_resnet101_2", 232, []int{3, 4, 23, 3}, true, 1, 128),
	resNet("resnext50_32x4d", 232, []int{3, 4, 6, 3}, true, 32, 4),
	resNet("resnext101_32x8d", 232, []int{3, 4, 23, 3}, true, 32, 8),
	resNet("resnext101_64x4d", 232, []int{3, 4, 23, 3}, true, 64, 4),
)

func resNet(name string, resize int, units []int, bottleneck bool, groups, groupWidth int) variant {
	n := residualNet{
		names: residualNames{
			first: "conv1", firstNorm: "bn1", unit: "layer%d.%d", conv: ".conv%d", norm: ".bn%d",
			shortcut: ".downsample.0", shortcutNorm: ".downsample.1", output: "fc",
		},
		first: 64, imageNet: true, units: units, channels: []int{64, 128, 256, 512},
		bottleneck: bottleneck, groups: groups, groupWidth: groupWidth,
		start: func(p *Pass) { p.Initialise(ConvWeight, KaimingNormalOut) },
	}
	if bottleneck {
		n.channels = []int{256, 512, 1024, 2048}
	}
	return variant{name, resized(resize, dataset.Bilinear), n.forward}
}
