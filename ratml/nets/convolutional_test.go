package nets_test

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

//go:embed testdata/convolutional.json
var convolutionalJSON []byte

func convolutional(t testing.TB) (g torchvision) {
	t.Helper()
	if err := json.Unmarshal(convolutionalJSON, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestConvolutionalTensors compares names, shapes and numbers of parameters with the networks of torchvision, pytorchcv
// and OpenMix's code, and with the published numbers.
func TestConvolutionalTensors(t *testing.T) {
	for _, n := range convolutional(t).Nets {
		if strings.Contains(n.Name, "1202") && testing.Short() {
			continue
		}
		a := lookup(t, n.Name)
		list := tensorList(a)
		for i, want := range n.List {
			if i >= len(list) || list[i] != want {
				t.Errorf("%s: tensor %d of the sorted list is not %s", n.Name, i, want)
				break
			}
		}
		sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
		if len(list) != n.Tensors || hex.EncodeToString(sum[:]) != n.SHA256 {
			t.Errorf("%s: %d tensors, want %d, or other names or shapes", n.Name, len(list), n.Tensors)
		}
		if got := a.ParamCount(); got != n.Params || n.Published != 0 && got != n.Published {
			t.Errorf("%s: %d parameters, the original has %d and publishes %d", n.Name, got, n.Params, n.Published)
		}
		if got := a.Preprocess.String(); n.Preprocess != "" && got != n.Preprocess {
			t.Errorf("%s: preprocessing is %q, torchvision's is %q", n.Name, got, n.Preprocess)
		}
	}
}

// onXLA are networks with layers that no other test has, for the backend that takes seconds to compile one; with
// RATML_ALL_NETS=1 in the environment it compiles all.
var onXLA = []string{"vgg_bn", "densenet", "sepreresnet11bn_cifar10"}

// smallConvolutional returns the networks whose passes there are.
func smallConvolutional(t testing.TB) map[string]*nets.Arch {
	t.Helper()
	sizes := map[string]int{}
	for _, p := range convolutional(t).Passes {
		sizes[p.Name] = p.Size
	}
	archs, err := nets.SmallConvolutional(sizes)
	if err != nil {
		t.Fatal(err)
	}
	for name := range sizes {
		if archs[name] == nil {
			archs[name] = lookup(t, name)
		}
	}
	return archs
}

// TestSmallConvolutional compares logits and input gradients with PyTorch's, in double precision.
func TestSmallConvolutional(t *testing.T) {
	archs := smallConvolutional(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		compared := 0
		for _, p := range convolutional(t).Passes {
			if be.Kind() == "go" || slices.Contains(onXLA, p.Name) || os.Getenv("RATML_ALL_NETS") != "" {
				t.Run(p.Name, func(t *testing.T) { p.compare(t, be, archs[p.Name], nets.Folded) })
				compared++
			}
		}
		if compared < len(onXLA) {
			t.Errorf("%d networks compared", compared)
		}
	})
}

// TestConvolutionalTraining compares gradients of training with difference quotients where layers are that no other
// family has: pooling and dense units.
func TestConvolutionalTraining(t *testing.T) {
	archs := smallConvolutional(t)
	for _, name := range []string{"vgg", "densenet7_k4_cifar10"} {
		t.Run(name, func(t *testing.T) { trainGradient(t, backendtest.Go(t), archs[name], generatedWeights(archs[name])) })
	}
}

// TestOutlierOutput scores with the weights of a network that OpenMix trained, as without its last output.
func TestOutlierOutput(t *testing.T) {
	a, plain := lookup(t, "openmix_densenet_bc_10_4_cifar10_outlier"), lookup(t, "openmix_densenet_bc_10_4_cifar10")
	w := generatedWeights(a)
	if shape := w["fc.weight"].Shape; shape[0] != 11 || a.Classes != 10 || a.ExtraOutputs != 1 {
		t.Fatalf("fc.weight has shape %v for %d classes and %d extra outputs", shape, a.Classes, a.ExtraOutputs)
	}
	if err := plain.Check(w); err == nil {
		t.Error("the weights fit the network without the output")
	}
	dropped, err := a.DropExtraOutputs(w)
	if err != nil {
		t.Fatal(err)
	}
	be, x := backendtest.Go(t), generatedImages(a, 2)
	want := network(t, be, plain, dropped, nets.Folded, false, x, logits)[0]
	near(t, "logits", network(t, be, a, w, nets.Folded, false, x, logits)[0], want, 0)
	if got := network(t, be, a, w, nets.Train, false, x, logits)[0]; len(got) != 2*11 {
		t.Errorf("training has %d outputs of two images, want 22", len(got))
	}
}
