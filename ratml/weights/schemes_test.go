package weights_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// openMixWRN are names in the state dict of OpenMix's WideResNet(28, 10) by those of pytorchcv's wrn28_10, as the
// structure of models/wrn_cifar.py and OpenMix's model/wrn.py tell.
var openMixWRN = map[string]string{
	"features.init_block.weight":                         "conv1.weight",
	"features.stage1.unit1.identity_conv.weight":         "block1.layer.0.convShortcut.weight",
	"features.stage1.unit1.body.conv1.bn.running_var":    "block1.layer.0.bn1.running_var",
	"features.stage1.unit1.body.conv1.conv.weight":       "block1.layer.0.conv1.weight",
	"features.stage3.unit4.body.conv2.bn.bias":           "block3.layer.3.bn2.bias",
	"features.stage3.unit4.body.conv2.conv.weight":       "block3.layer.3.conv2.weight",
	"features.stage2.unit2.body.conv1.bn.weight":         "block2.layer.1.bn1.weight",
	"features.post_activ.bn.running_mean":                "bn1.running_mean",
	"features.post_activ.bn.weight":                      "bn1.weight",
	"output.weight":                                      "fc.weight",
	"output.bias":                                        "fc.bias",
	"features.stage2.unit1.identity_conv.weight":         "block2.layer.0.convShortcut.weight",
	"features.stage10.unit11.body.conv2.bn.running_mean": "block10.layer.10.bn2.running_mean",
}

// preactResNet are names in OpenMix's resnet110 by those of pytorchcv's preresnet110.
var preactResNet = map[string]string{
	"features.init_block.weight":                       "conv1.weight",
	"features.stage1.unit18.body.conv1.bn.running_var": "layer1.17.bn1.running_var",
	"features.stage3.unit2.body.conv2.conv.weight":     "layer3.1.conv2.weight",
	"features.stage2.unit1.identity_conv.weight":       "layer2.0.downsample.0.weight",
	"features.post_activ.bn.bias":                      "bn.bias",
	"output.weight":                                    "fc.weight",
}

func TestSchemes(t *testing.T) {
	for _, pairs := range []map[string]string{openMixWRN, preactResNet} {
		for cv, openMix := range pairs {
			require.Contains(t, weights.Renamings(cv), openMix)
			require.Contains(t, weights.Renamings(openMix), cv)
		}
	}
	for _, name := range []string{"features.stage1.unit0.body.conv1.conv.weight", "block1.layer.x.conv1.weight", "fc.weight.more", "features.stage1.unit99999999999999999999.identity_conv.weight"} {
		for _, other := range weights.Renamings(name) {
			require.Equal(t, name, other, "only the schemes that pass other names on know it")
		}
	}
	require.Contains(t, weights.Renamings("features.denseblock1.denselayer2.norm.1.weight"), "features.denseblock1.denselayer2.norm1.weight")
	require.Contains(t, weights.Renamings("encoder.layers.encoder_layer_0.mlp.linear_2.bias"), "encoder.layers.encoder_layer_0.mlp.3.bias")
}

// TestFit loads weights under the names of another scheme, and finds the architecture in spite of them.
func TestFit(t *testing.T) {
	golden, err := weights.Load(goldenFile)
	require.NoError(t, err)
	other := nets.Weights{}
	for name, w := range golden {
		for _, to := range weights.Renamings(name) {
			if to != name {
				other["module."+to] = w
				break
			}
		}
	}
	require.Len(t, other, len(golden))
	require.NotNil(t, other["module.block1.layer.0.bn1.weight"])
	path := filepath.Join(t.TempDir(), "wrn.pth")
	require.NoError(t, weights.SavePyTorch(path, other, nil))

	c, err := weights.Open(backendtest.Go(t), "wrn10_1_cifar10", path)
	require.NoError(t, err)
	require.True(t, reflect.DeepEqual(golden, c.Weights()))
	fit, err := weights.Identify(path)
	require.NoError(t, err)
	require.Contains(t, fit, "wrn10_1_cifar10")
	require.Contains(t, fit, "wrn10_1_svhn")
	require.NotContains(t, fit, "wrn10_1_cifar100")

	a, err := nets.Lookup("wrn10_1_cifar10")
	require.NoError(t, err)
	w, err := weights.Load(path)
	require.NoError(t, err)
	_, scheme, err := weights.Fit(a, w)
	require.NoError(t, err)
	require.Equal(t, "OpenMix's wide residual networks", scheme)
	_, scheme, err = weights.Fit(a, golden)
	require.NoError(t, err)
	require.Empty(t, scheme)

	// One tensor of another shape: the error is about the names that the file has.
	w["fc.bias"] = nets.NewTensor(11)
	_, _, err = weights.Fit(a, w)
	require.ErrorContains(t, err, "missing output.bias [10]")
	require.ErrorContains(t, err, "unexpected fc.bias [11]")
}

// TestOwnPrefix loads an architecture whose own names begin as a wrapper's do.
func TestOwnPrefix(t *testing.T) {
	linear := func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.Linear("net.fc", graph.Reshape(x, x.Shape().Dimensions[0], 1), 2)
	}
	a, err := nets.NewArch("own", nets.Input{Height: 1, Width: 1, Channels: 1}, 2, []float32{0}, []float32{1}, linear)
	require.NoError(t, err)
	w := nets.Weights{"net.fc.weight": {Shape: []int{2, 1}, Data: []float32{1, 2}}, "net.fc.bias": nets.NewTensor(2)}
	path := filepath.Join(t.TempDir(), "own.pt")
	require.NoError(t, weights.SavePyTorch(path, w, nil))
	got, err := weights.LoadFor(a, path, nil)
	require.NoError(t, err)
	require.Equal(t, w, got)
}

// TestFitting finds architectures by their own tensors.
func TestFitting(t *testing.T) {
	for name, want := range map[string][]string{
		"wrn28_10_cifar100":                 {"wrn28_10_cifar100"},
		"wrn28_10_svhn":                     {"wrn28_10_cifar10", "wrn28_10_svhn"},
		"openmix_wrn28_10_cifar10":          {"openmix_wrn28_10_cifar10"},
		"openmix_wrn28_10_cifar100_outlier": {"openmix_wrn28_10_cifar100_outlier"},
		"openmix_resnet110_cifar10_outlier": {"openmix_resnet110_cifar10_outlier"},
		"resnet18":                          {"resnet18"},
	} {
		a, err := nets.Lookup(name)
		require.NoError(t, err)
		f := weights.File{Tensors: []weights.Tensor{{Name: "counter", Ignored: true}, {Name: "mean", Shape: []int{3}}}}
		for _, p := range a.Params {
			f.Tensors = append(f.Tensors, weights.Tensor{Name: p.Name, Shape: p.Shape})
		}
		got, err := f.Fitting()
		require.NoError(t, err)
		require.Equal(t, want, got, name)
		f.Metadata = map[string]string{"arch": want[len(want)-1]}
		got, err = f.Fitting()
		require.NoError(t, err)
		require.Equal(t, want[len(want)-1:], got, "the file says it")
		f.Metadata["arch"] = "smallcnn_mnist"
		got, err = f.Fitting()
		require.NoError(t, err)
		require.Equal(t, want, got, "the file says what it is not")
		f.Tensors = append(f.Tensors, weights.Tensor{Name: "more"})
		got, err = f.Fitting()
		require.NoError(t, err)
		require.Empty(t, got)
	}
}
