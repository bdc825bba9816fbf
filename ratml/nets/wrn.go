package nets

import (
	"fmt"
	"regexp"
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
		n := wideResNet(depth, width)
		n.dropout = percent(m[3])
		return d.arch(name, n.forward(d.classes))
	},
}

// wideResNet is the pre-activated wide residual network of Zagoruyko & Komodakis (BMVC 2016) for 32x32 images: three
// stages of (depth-4)/6 units with 16, 32 and 64 times width channels. The names are those of pytorchcv's CIFARWRN.
func wideResNet(depth, width int) residualNet {
	n := cifarResNet((depth-4)/6, false, true)
	n.channels = []int{16 * width, 32 * width, 64 * width}
	return n
}
