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

// onXLA are networks that between them have every kind of layer, for the backend that takes seconds to compile one.
var onXLA = []string{"vgg_bn", "resnext", "densenet", "sepreresnet11bn_cifar10", "openmix_resnet8_cifar10"}

// TestSmallConvolutional compares logits and input gradients with PyTorch's, in double precision.
func TestSmallConvolutional(t *testing.T) {
	want := convolutional(t).Passes
	sizes := map[string]int{}
	for _, p := range want {
		sizes[p.Name] = p.Size
	}
	archs, err := nets.SmallConvolutional(sizes)
	if err != nil {
		t.Fatal(err)
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		compared := 0
		for _, p := range want {
			if be.Kind() != "go" && !slices.Contains(onXLA, p.Name) && os.Getenv("RATML_ALL_NETS") == "" {
				continue
			}
			a := archs[p.Name]
			if a == nil {
				a = lookup(t, p.Name)
			}
			t.Run(p.Name, func(t *testing.T) { p.compare(t, be, a, nets.Folded) })
			compared++
		}
		if compared < len(onXLA) {
			t.Errorf("%d networks compared", compared)
		}
	})
}
