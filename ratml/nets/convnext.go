package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

var convNeXts = classifiers(
	variant{"convnext_tiny", resized(236, dataset.Bilinear), func(classes int) Forward {
		return convNeXt([]convStage{{96, 3}, {192, 3}, {384, 9}, {768, 3}}, 0.1, classes)
	}},
	variant{"convnext_small", resized(230, dataset.Bilinear), func(classes int) Forward {
		return convNeXt([]convStage{{96, 3}, {192, 3}, {384, 27}, {768, 3}}, 0.4, classes)
	}},
	variant{"convnext_base", resized(232, dataset.Bilinear), func(classes int) Forward {
		return convNeXt([]convStage{{128, 3}, {256, 3}, {512, 27}, {1024, 3}}, 0.5, classes)
	}},
)

type convStage struct{ width, blocks int }

// convNeXt is a network of Liu et al., "A ConvNet for the 2020s", CVPR 2022, whose last block is left out in training
// with the probability drop, earlier ones with less.
func convNeXt(stages []convStage, drop float64, classes int) Forward {
	const epsilon = 1e-6
	total := 0
	for _, s := range stages {
		total += s.blocks
	}
	return func(p *Pass, x *Node) *Node {
		for kind, start := range map[Kind]Initialiser{
			ConvWeight: TruncatedNormal(0.02), ConvBias: Constant(0), LinearWeight: TruncatedNormal(0.02), LinearBias: Constant(0),
			LayerScale: Constant(1e-6),
		} {
			p.Initialise(kind, start)
		}
		x = p.Convolve("features.0.0", x, Window{Out: stages[0].width, Kernel: 4, Stride: 4, Bias: true})
		x = p.LayerNorm("features.0.1", x, epsilon)
		n := 0
		for i, s := range stages {
			if i > 0 {
				name := fmt.Sprintf("features.%d", 2*i)
				x = p.Convolve(name+".1", p.LayerNorm(name+".0", x, epsilon), Window{Out: s.width, Kernel: 2, Stride: 2, Bias: true})
			}
			for j := range s.blocks {
				name := fmt.Sprintf("features.%d.%d", 2*i+1, j)
				x = Add(p.DropBranch(name+".stochastic_depth", convNeXtBranch(p, name, x, epsilon), drop*float64(n)/float64(total-1)), x)
				n++
			}
		}
		return p.Linear("classifier.2", p.LayerNorm("classifier.0", GlobalMean(x), epsilon), classes)
	}
}

func convNeXtBranch(p *Pass, name string, x *Node, epsilon float64) *Node {
	c := channels(x)
	y := p.Convolve(name+".block.0", x, Window{Out: c, Kernel: 7, Pad: 3, Groups: c, Bias: true})
	y = mlp(p, name+".block.3", name+".block.5", p.LayerNorm(name+".block.2", y, epsilon), 4*c)
	return Mul(y, perChannel(Reshape(p.Param(name+".layer_scale", LayerScale, c, 1, 1), c)))
}
