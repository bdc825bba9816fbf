package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

var visionTransformers = classifiers(
	variant{"vit_b_16", resized(256, dataset.Bilinear), func(classes int) Forward {
		return visionTransformer(transformer{16, 12, 12, 768, 3072}, classes)
	}},
	variant{"vit_b_32", resized(256, dataset.Bilinear), func(classes int) Forward {
		return visionTransformer(transformer{32, 12, 12, 768, 3072}, classes)
	}},
	variant{"vit_l_16", resized(242, dataset.Bilinear), func(classes int) Forward {
		return visionTransformer(transformer{16, 24, 16, 1024, 4096}, classes)
	}},
)

type transformer struct{ patch, layers, heads, width, hidden int }

// visionTransformer is a network of Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021. Its last layer
// starts at 0, as torchvision's does.
func visionTransformer(t transformer, classes int) Forward {
	const epsilon = 1e-6
	return func(p *Pass, x *Node) *Node {
		d := x.Shape().Dimensions
		if d[1]%t.patch != 0 || d[2]%t.patch != 0 {
			panic(fmt.Errorf("nets: images of %dx%d do not divide into patches of %d", d[1], d[2], t.patch))
		}
		p.Initialise(ConvWeight, LeCunNormal)
		p.Initialise(ConvBias, Constant(0))
		x = p.Convolve("conv_proj", x, Window{Out: t.width, Kernel: t.patch, Stride: t.patch, Bias: true})
		tokens := d[1] / t.patch * (d[2] / t.patch)
		token := BroadcastToDims(p.Param("class_token", Embedding, 1, 1, t.width), d[0], 1, t.width)
		x = Concatenate([]*Node{token, Reshape(x, d[0], tokens, t.width)}, 1)
		p.Initialise(Embedding, Normal(0.02))
		x = Add(x, p.Param("encoder.pos_embedding", Embedding, 1, tokens+1, t.width))
		for i := range t.layers {
			x = transformerLayer(p, fmt.Sprintf("encoder.layers.encoder_layer_%d", i), x, t, epsilon)
		}
		x = p.LayerNorm("encoder.ln", x, epsilon)
		p.Initialise(LinearWeight, Constant(0))
		p.Initialise(LinearBias, Constant(0))
		return p.Linear("heads.head", Reshape(Slice(x, AxisRange(), AxisRange(0, 1)), d[0], t.width), classes)
	}
}

func transformerLayer(p *Pass, name string, x *Node, t transformer, epsilon float64) *Node {
	p.Initialise(LinearWeight, XavierUniform)
	p.Initialise(LinearBias, Constant(0))
	x = Add(p.SelfAttention(name+".self_attention", p.LayerNorm(name+".ln_1", x, epsilon), t.heads), x)
	p.Initialise(LinearBias, Normal(1e-6))
	return Add(x, mlp(p, name+".mlp.0", name+".mlp.3", p.LayerNorm(name+".ln_2", x, epsilon), t.hidden))
}
