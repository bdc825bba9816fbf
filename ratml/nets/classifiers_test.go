package nets_test

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

//go:embed testdata/classifiers.json
var classifiersJSON []byte

// torchvision is what testdata/classifiers.py writes.
type torchvision struct {
	Nets []struct {
		Name              string
		Params, Published int
		Preprocess        string
		Tensors           int
		SHA256            string // of the sorted list
		List              []string
	}
	Passes []pass
}

// pass is what a network puts out, and samples of the gradient of its images.
type pass struct {
	Name          string
	Size          int
	Logits        []float64
	At            []int
	Gradient      []float64
	Norm, Largest float64
	Training      []float64 // logits in training where nothing is dropped
	Buffers       map[string][]int
}

func classifiers(t testing.TB) (g torchvision) {
	t.Helper()
	if err := json.Unmarshal(classifiersJSON, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// tensorList lists an architecture's tensors as PyTorch prints names and shapes, sorted.
func tensorList(a *nets.Arch) []string {
	var list []string
	for _, p := range a.Params {
		list = append(list, p.Name+" "+strings.ReplaceAll(fmt.Sprint(p.Shape), " ", ", "))
	}
	slices.Sort(list)
	return list
}

// TestClassifierTensors compares names, shapes and numbers of parameters with torchvision's networks, and the published
// numbers.
func TestClassifierTensors(t *testing.T) {
	for _, n := range classifiers(t).Nets {
		t.Run(n.Name, func(t *testing.T) {
			a := lookup(t, n.Name)
			list := tensorList(a)
			for i := 0; i < len(n.List); i++ {
				if i >= len(list) || list[i] != n.List[i] {
					t.Fatalf("tensor %d of the sorted list is not %s", i, n.List[i])
				}
			}
			sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
			if len(list) != n.Tensors || hex.EncodeToString(sum[:]) != n.SHA256 {
				t.Errorf("%d tensors, want %d; or others: %v", len(list), n.Tensors, list)
			}
			if got := a.ParamCount(); got != n.Params || got != n.Published {
				t.Errorf("%d parameters, torchvision has %d and publishes %d", got, n.Params, n.Published)
			}
			if got := a.Preprocess.String(); got != n.Preprocess {
				t.Errorf("preprocessing is %q, torchvision's is %q", got, n.Preprocess)
			}
			if a.Classes != 1000 || a.Input != (nets.Input{Height: 224, Width: 224, Channels: 3}) {
				t.Errorf("%d classes of %+v", a.Classes, a.Input)
			}
		})
	}
}

// smallClassifiers returns a small network of each family.
func smallClassifiers(t testing.TB) map[string]*nets.Arch {
	t.Helper()
	sizes := map[string]int{}
	for _, p := range classifiers(t).Passes {
		sizes[p.Name] = p.Size
	}
	archs, err := nets.SmallClassifiers(sizes)
	if err != nil {
		t.Fatal(err)
	}
	return archs
}

// TestSmallClassifiers compares logits and input gradients with torchvision's, in double precision.
func TestSmallClassifiers(t *testing.T) {
	archs := smallClassifiers(t)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, p := range classifiers(t).Passes {
			t.Run(p.Name, func(t *testing.T) { p.compare(t, be, archs[p.Name], nets.Folded) })
		}
	})
	for _, p := range classifiers(t).Passes {
		t.Run("double/"+p.Name, func(t *testing.T) {
			p.compare(t, backendtest.Go(t), archs[p.Name], nets.Eval)
			p.compareTraining(t, backendtest.Go(t), archs[p.Name])
		})
	}
}

// compare sees that the network a gives what the pass says, in single precision where folded, in double precision in mode
// Eval.
func (p pass) compare(t testing.TB, be *backend.Backend, a *nets.Arch, mode nets.Mode) {
	t.Helper()
	if a == nil {
		t.Fatalf("no network %s", p.Name)
	}
	close, closeGradient := 1e-5, 1e-4
	if mode == nets.Eval {
		close, closeGradient = 1e-8, 1e-8
	}
	got := network(t, be, a, generatedWeights(a), mode, mode == nets.Eval, generatedImages(a, 2), logitsAndGradient)
	absolutely(t, got[0], p.Logits, close*largest(p.Logits))
	norm := math.Sqrt(dot(got[1], got[1]))
	if d := math.Abs(norm/p.Norm - 1); !(d < closeGradient) {
		t.Errorf("the gradient has norm %g, want %g", norm, p.Norm)
	}
	worst := 0.0
	for i, at := range p.At {
		worst = max(worst, math.Abs(got[1][at]-p.Gradient[i])/p.Largest)
	}
	if !(worst < closeGradient) {
		t.Errorf("the gradient is off by %g of its largest element", worst)
	}
}

// compareTraining compares logits in training, with random numbers of which nothing is dropped.
func (p pass) compareTraining(t testing.TB, be *backend.Backend, a *nets.Arch) {
	t.Helper()
	w := generatedWeights(a)
	got := run(t, be, func(in []*graph.Node) []*graph.Node {
		vars := map[string]*graph.Node{}
		for name, v := range w {
			vars[name] = graph.Const(in[0].Graph(), array{v.Shape, widen(v.Data)}.float64())
		}
		return []*graph.Node{a.ApplyWith(vars, nets.Options{Mode: nets.Train, Dropout: func(_ string, dims []int) *graph.Node {
			return graph.Ones(in[0].Graph(), shapes.Make(dtypes.Float32, dims...))
		}}, in[0])}
	}, generatedImages(a, 2).float64())
	absolutely(t, got[0], p.Training, 1e-7*largest(p.Training))
}

// largest returns the largest absolute value.
func largest(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

func TestRelativePositions(t *testing.T) {
	found := false
	for _, p := range classifiers(t).Passes {
		for name, want := range p.Buffers {
			found = true
			if got := nets.RelativePositions(3); !slices.Equal(got, want) {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
	if !found {
		t.Error("nothing compared")
	}
}
