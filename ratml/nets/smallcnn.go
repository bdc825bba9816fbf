package nets

import (
	"fmt"
	"regexp"

	. "github.com/gomlx/gomlx/core/graph"
)

var smallCNNs = family{
	form:    "smallcnn[_dropout<percent>]_{mnist,fashion_mnist}",
	pattern: regexp.MustCompile(`^smallcnn(?:_dropout(\d{1,2}))?_(mnist|fashion_mnist)$`),
	common:  named(smallDomains, "smallcnn"),
	build: func(name string, m []string) (*Arch, error) {
		d := smallDomains[m[2]]
		return d.arch(name, smallCNN([3]int{16, 32, 64}, d.classes, percent(m[1])))
	},
}

// smallCNN is a net of three 3x3 convolutions, each with batch normalisation and ReLU, then the mean over the image
// and a linear layer, with dropout before the latter where its rate is not 0. The first two convolutions halve the image.
func smallCNN(channels [3]int, classes int, dropout float64) Forward {
	return func(p *Pass, x *Node) *Node {
		for i, out := range channels {
			stride := 2
			if i == 2 {
				stride = 1
			}
			x = ReLU(p.ConvBatchNorm(fmt.Sprintf("conv%d", i+1), fmt.Sprintf("bn%d", i+1), x, out, 3, stride, 1))
		}
		return p.Linear("fc", p.Dropout("dropout", GlobalMean(x), dropout), classes)
	}
}
