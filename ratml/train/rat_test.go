package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// linear returns a linear classifier of images, and its only tensors.
func linear(t testing.TB, in nets.Input, w [][]float32, b []float32) (*nets.Arch, nets.Weights) {
	n := in.Height * in.Width * in.Channels
	mean, std := make([]float32, in.Channels), make([]float32, in.Channels)
	for i := range std {
		std[i] = 1
	}
	a, err := nets.NewArch("linear", in, len(b), mean, std, func(p *nets.Pass, x *Node) *Node {
		return p.Linear("fc", Reshape(x, -1, n), len(b))
	})
	require.NoError(t, err)
	var flat []float32
	for _, row := range w {
		flat = append(flat, row...)
	}
	return a, nets.Weights{
		"fc.weight": {Shape: []int{len(b), n}, Data: flat},
		"fc.bias":   {Shape: []int{len(b)}, Data: b},
	}
}

// linearOracle is a RAT step of a linear net on one image that is classified right and two that are not, computed
// with NumPy.
type linearOracle struct {
	Eps        float64
	Labels     []int32
	IsCorrect  []bool      `json:"is_correct"`
	XPerturbed [][]float64 `json:"x_perturbed"`
	Clean      []float64   `json:"ce_clean"`
	Perturbed  []float64   `json:"ce_perturbed"`
	Loss       float64     `json:"loss_ori1_lam1"`
}

func TestLinearOracle(t *testing.T) {
	text, err := os.ReadFile("../misd/testdata/metric_oracles.json")
	require.NoError(t, err)
	var oracles struct {
		Radius struct {
			W     [][]float32
			B     []float32
			Cases []struct{ X []float32 }
		} `json:"robust_radius_linear"`
		Steps []linearOracle `json:"rat_step_linear"`
	}
	require.NoError(t, json.Unmarshal(text, &oracles))
	require.NotEmpty(t, oracles.Steps)
	var images []float32
	for _, c := range oracles.Radius.Cases {
		images = append(images, c.X...)
	}
	a, w := linear(t, nets.Input{Height: 2, Width: 2, Channels: 1}, oracles.Radius.W, oracles.Radius.B)

	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, want := range oracles.Steps {
			objective := RAT{StepSize: want.Eps}
			got := newTrial(t, be, a, w, Config{Objective: objective}).advance(t, pace{0, 1, 1}, images, want.Labels)
			require.InDelta(t, mean(want.Clean), got.clean, 1e-6)
			require.InDelta(t, mean(want.Perturbed), got.adversarial, 1e-6)
			require.InDelta(t, want.Loss, got.total, 2e-6)
			require.Equal(t, want.IsCorrect, got.right)

			moved, right := move(t, be, a, w, objective, images, want.Labels)
			require.Equal(t, want.IsCorrect, right)
			for i, x := range want.XPerturbed {
				for j, v := range x {
					require.InDelta(t, v, moved[4*i+j], 1e-6, "image %d, pixel %d", i, j)
				}
			}
		}
	})
}

// move returns the images as the objective moves them, and which are classified right.
func move(t *testing.T, be *backend.Backend, a *nets.Arch, w nets.Weights, o RAT, images []float32, labels []int32) ([]float32, []bool) {
	exec, err := NewExec(be.Backend, func(images, labels *Node) (moved, right *Node) {
		net := trainingNet(images.Graph(), a, w)
		logits := net(images)
		batch := Batch{Net: net, Images: images, Labels: labels}
		moved, _ = o.moved(batch, CrossEntropy(logits, labels), logits)
		return moved, correct(logits, labels)
	})
	require.NoError(t, err)
	defer exec.Finalize()
	out, err := exec.Call(a.Images(images), labels)
	require.NoError(t, err)
	return tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[bool](out[1])
}

// trainingNet returns the network in training mode with constant weights.
func trainingNet(g *Graph, a *nets.Arch, w nets.Weights) nets.Network {
	vars := map[string]*Node{}
	for name, t := range w {
		vars[name] = Const(g, tensors.FromFlatDataAndDimensions(t.Data, t.Shape...))
	}
	return func(x *Node) *Node { return a.Apply(vars, nets.Train, x) }
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// TestRATOptions checks the sign of the step for a right and a wrong image under each option, and the weights of the
// losses.
func TestRATOptions(t *testing.T) {
	be := backendtest.Go(t)
	// The logits are the two pixels, so that the loss of label 0 falls with pixel 0 and rises with pixel 1.
	a, w := linear(t, nets.Input{Height: 1, Width: 2, Channels: 1}, [][]float32{{1, 0}, {0, 1}}, []float32{0, 0})
	images, labels := []float32{0.5, 0.25, 0.25, 0.5}, []int32{0, 0}
	for _, c := range []struct {
		name  string
		rat   RAT
		steps [2]float32 // of pixel 1: the right image's, the wrong image's
	}{
		{"RAT", RAT{}, [2]float32{1e-3, -1e-3}},
		{"adversarial training", RAT{NoFlex: true, StepSize: 0.125}, [2]float32{0.125, 0.125}},
		{"reverse", RAT{Reverse: true, StepSize: 0.125}, [2]float32{-0.125, 0.125}},
		{"reverse, no flex", RAT{Reverse: true, NoFlex: true, StepSize: 0.125}, [2]float32{-0.125, -0.125}},
		{"weights", RAT{Lambda: 2, OriginalLambda: 0.5, StepSize: 0.125}, [2]float32{0.125, -0.125}},
		{"adversarial loss only", RAT{OriginalLambda: Off, StepSize: 2}, [2]float32{2, -2}}, // leaves [0,1]
	} {
		t.Run(c.name, func(t *testing.T) {
			moved, right := move(t, be, a, w, c.rat, images, labels)
			require.Equal(t, []bool{true, false}, right)
			for i, s := range c.steps {
				require.InDelta(t, images[2*i]-s, moved[2*i], 1e-7)
				require.InDelta(t, images[2*i+1]+s, moved[2*i+1], 1e-7)
			}

			got := newTrial(t, be, a, w, Config{Objective: c.rat}).advance(t, pace{0, 1, 1}, images, labels)
			clean, adversarial := twoPixelLoss(images), twoPixelLoss(moved)
			require.InDelta(t, clean, got.clean, 1e-6)
			require.InDelta(t, adversarial, got.adversarial, 1e-6)
			total := orDefault(c.rat.Lambda, 1) * adversarial
			if c.rat.OriginalLambda != Off {
				total += orDefault(c.rat.OriginalLambda, 1) * clean
			}
			require.InDelta(t, total, got.total, 1e-6)
		})
	}
}

// twoPixelLoss is the cross-entropy of two images whose pixels are their logits, with label 0.
func twoPixelLoss(x []float32) float64 {
	return mean([]float64{math.Log1p(math.Exp(float64(x[1] - x[0]))), math.Log1p(math.Exp(float64(x[3] - x[2])))})
}

func TestRATCheck(t *testing.T) {
	require.NoError(t, RAT{}.Check())
	require.NoError(t, RAT{OriginalLambda: Off, StepSize: 0.1, Lambda: 3}.Check())
	for _, r := range []RAT{
		{StepSize: -1}, {StepSize: math.NaN()}, {Lambda: Off}, {OriginalLambda: -2}, {Lambda: math.Inf(1)},
	} {
		require.Error(t, r.Check(), "%+v", r)
	}
}

// TestLinearTraining compares four steps with softmax regression in float64, momentum and weight decay included.
func TestLinearTraining(t *testing.T) {
	images, labels := []float32{0.1, 0.9, 0.8, 0.3, 0.5, 0.5}, []int32{0, 2, 1}
	a, w := linear(t, nets.Input{Height: 1, Width: 2, Channels: 1}, [][]float32{{1, 0}, {0, 1}, {0.5, -0.5}}, []float32{0.1, 0, -0.1})
	const momentum, decay = 0.9, 0.01
	rates := []float64{0.5, 0.4, 0.3, 0.2}

	// Rows of three numbers: the weights of a class, then its bias, which has the constant input 1.
	want, buffer := []float64{1, 0, 0.1, 0, 1, 0, 0.5, -0.5, -0.1}, make([]float64, 9)
	for _, lr := range rates {
		gradient := make([]float64, 9)
		for i, label := range labels {
			x := []float64{float64(images[2*i]), float64(images[2*i+1]), 1}
			p, sum := make([]float64, 3), 0.0
			for k := range p {
				p[k] = math.Exp(want[3*k]*x[0] + want[3*k+1]*x[1] + want[3*k+2])
				sum += p[k]
			}
			for k := range p {
				p[k] /= sum
				if int32(k) == label {
					p[k]--
				}
				for j := range x {
					gradient[3*k+j] += p[k] * x[j] / 3
				}
			}
		}
		for i := range want {
			buffer[i] = momentum*buffer[i] + gradient[i] + decay*want[i]
			want[i] -= lr * buffer[i]
		}
	}

	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		r := newTrial(t, be, a, w, Config{Objective: Plain{}, Optimizer: SGD{Momentum: momentum}, WeightDecay: decay})
		for i, lr := range rates {
			r.advance(t, pace{lr, i + 1, 1}, images, labels)
		}
		got := r.weights(t)
		for k := range 3 {
			require.InDelta(t, want[3*k], got["fc.weight"].Data[2*k], 1e-6)
			require.InDelta(t, want[3*k+1], got["fc.weight"].Data[2*k+1], 1e-6)
			require.InDelta(t, want[3*k+2], got["fc.bias"].Data[k], 1e-6)
		}
	})
}
