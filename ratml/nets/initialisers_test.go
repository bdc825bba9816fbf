package nets_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ratml/rat/ratml/nets"
)

func TestInitialisers(t *testing.T) {
	conv, linear := []int{24, 8, 10, 10}, []int{300, 100}
	for name, c := range map[string]struct {
		how           nets.Initialiser
		shape         []int
		std, largest  float64 // as PyTorch documents them
		within, reach float64 // tolerance of std; share of largest that is reached
	}{
		"Constant":         {nets.Constant(0.25), linear, 0.25, 0.25, 0, 1},
		"Normal":           {nets.Normal(0.02), linear, 0.02, 0.12, 0.02, 0.6},
		"TruncatedNormal":  {nets.TruncatedNormal(1), linear, 0.8796, 2, 0.02, 0.999},
		"LeCunNormal":      {nets.LeCunNormal, conv, math.Sqrt(1.0 / 800), 0.3, 0.02, 0.4},
		"KaimingNormalOut": {nets.KaimingNormalOut, conv, math.Sqrt(2.0 / 2400), 0.2, 0.02, 0.5},
		"XavierUniform":    {nets.XavierUniform, linear, math.Sqrt(2.0 / 400), math.Sqrt(6.0 / 400), 0.02, 0.999},
		"UniformIn":        {nets.UniformIn, conv, math.Sqrt(1.0 / 2400), math.Sqrt(1.0 / 800), 0.02, 0.999},
		"UniformOut":       {nets.UniformOut, linear, math.Sqrt(1.0 / 900), math.Sqrt(1.0 / 300), 0.02, 0.999},
	} {
		n := 1
		for _, d := range c.shape {
			n *= d
		}
		v := make([]float32, n)
		c.how(rand.New(rand.NewPCG(1, 2)), c.shape, v)
		sum, largest := 0.0, 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
			largest = max(largest, math.Abs(float64(x)))
		}
		if std := math.Sqrt(sum / float64(n)); math.Abs(std/c.std-1) > c.within+1e-9 {
			t.Errorf("%s: root mean square %g, want %g", name, std, c.std)
		}
		if largest > c.largest || largest < c.reach*c.largest {
			t.Errorf("%s: largest value %g, want up to %g", name, largest, c.largest)
		}
	}
}

// TestInitialWeightsOfClassifiers looks at parameters of which torchvision says how they start.
func TestInitialWeightsOfClassifiers(t *testing.T) {
	for _, c := range []struct {
		net, param string
		std        float64
	}{
		{"mobilenet_v2", "features.2.conv.1.0.weight", math.Sqrt(2.0 / (96 * 9))},
		{"mobilenet_v2", "classifier.1.weight", 0.01},
		{"mobilenet_v3_small", "features.1.block.1.fc1.bias", 0},
		{"efficientnet_b0", "classifier.1.weight", 1 / math.Sqrt(3000)},
		{"convnext_tiny", "features.1.0.layer_scale", 1e-6},
		{"convnext_tiny", "features.1.0.block.3.weight", 0.02},
		{"convnext_tiny", "features.1.0.block.0.bias", 0},
		{"vit_b_32", "class_token", 0},
		{"vit_b_32", "encoder.pos_embedding", 0.02},
		{"vit_b_32", "conv_proj.weight", 1 / math.Sqrt(3072)},
		{"vit_b_32", "encoder.layers.encoder_layer_3.self_attention.in_proj_weight", math.Sqrt(2.0 / 3072)},
		{"vit_b_32", "encoder.layers.encoder_layer_3.self_attention.in_proj_bias", 0},
		{"vit_b_32", "encoder.layers.encoder_layer_3.mlp.0.bias", 1e-6},
		{"vit_b_32", "heads.head.weight", 0},
		{"swin_t", "features.1.0.attn.qkv.weight", 0.02},
		{"swin_t", "features.1.0.attn.relative_position_bias_table", 0.02},
		{"swin_t", "features.0.0.weight", math.Sqrt(1.0 / (3 * 48))},
	} {
		small, err := lookup(t, c.net).Start(1, c.param)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range small.Data {
			sum += float64(x) * float64(x)
		}
		std := math.Sqrt(sum / float64(len(small.Data)))
		if math.Abs(std-c.std) > 0.06*c.std {
			t.Errorf("%s of %s: root mean square %g, want %g", c.param, c.net, std, c.std)
		}
	}
}
