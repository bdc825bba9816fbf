package backend_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/ratml/rat/ratml/backend"
)

// layout is that of our nets: images [batch, height, width, channels], kernels
// [out, in, height, width].
var layout = compute.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

func convolve(x, k *Node, stride, pad int) *Node {
	return Convolve(x, k).AxesConfig(layout).Strides(stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
}

// random returns a tensor of values in [-0.5, 0.5).
func random(rng *rand.Rand, dims ...int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	flat := make([]float32, n)
	for i := range flat {
		flat[i] = rng.Float32() - 0.5
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

// bench measures f on the Go backend with and without our part, and on XLA.
func bench(b *testing.B, f func([]*Node) []*Node, in ...*tensors.Tensor) {
	for _, config := range []string{"go", "go:plain", "xla:cpu"} {
		b.Run(config, func(b *testing.B) {
			be, err := backend.OpenConfig(backend.Config{Name: config, Quiet: true})
			if err != nil {
				b.Fatal(err)
			}
			exec, err := NewExec(be.Backend, f)
			if err != nil {
				b.Fatal(err)
			}
			args := make([]any, len(in))
			for i, t := range in {
				c, err := t.LocalClone()
				if err != nil {
					b.Fatal(err)
				}
				args[i] = c
			}
			run := func() {
				out, err := exec.Call(args...)
				if err != nil {
					b.Fatal(err)
				}
				for _, t := range out {
					if err := t.FinalizeAll(); err != nil {
						b.Fatal(err)
					}
				}
			}
			run() // compiles
			for b.Loop() {
				run()
			}
		})
	}
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []struct{ batch, size, in, out, kernel, stride int }{
		{64, 28, 1, 16, 3, 2}, {64, 14, 16, 32, 3, 2}, {64, 7, 32, 64, 3, 1}, {32, 32, 32, 32, 3, 1}, {32, 32, 16, 32, 1, 1},
	} {
		rng := rand.New(rand.NewPCG(1, 1))
		x, k := random(rng, c.batch, c.size, c.size, c.in), random(rng, c.out, c.in, c.kernel, c.kernel)
		size := (c.size-1)/c.stride + 1
		v := random(rng, c.batch, size, size, c.out)
		forward := func(in []*Node) []*Node { return []*Node{convolve(in[0], in[1], c.stride, c.kernel/2)} }
		gradient := func(of int) func(in []*Node) []*Node {
			return func(in []*Node) []*Node {
				return Gradient(ReduceAllSum(Mul(forward(in)[0], in[2])), in[of])
			}
		}
		name := fmt.Sprintf("%dx%d/%dto%d/stride%d", c.size, c.size, c.in, c.out, c.stride)
		b.Run(name+"/forward", func(b *testing.B) { bench(b, forward, x, k) })
		b.Run(name+"/input", func(b *testing.B) { bench(b, gradient(0), x, k, v) })
		b.Run(name+"/kernel", func(b *testing.B) { bench(b, gradient(1), x, k, v) })
	}
}

// A small net for images of 28x28, its batch normalisation made of plain
// operations.
const batch, classes = 64, 10

func smallNet(rng *rand.Rand) (x, y *tensors.Tensor, weights []*tensors.Tensor) {
	labels := make([]int32, batch)
	for i := range labels {
		labels[i] = rng.Int32N(classes)
	}
	for _, d := range [][]int{{16, 1, 3, 3}, {16}, {16}, {32, 16, 3, 3}, {32}, {32}, {64, 32, 3, 3}, {64}, {64}, {classes, 64}} {
		weights = append(weights, random(rng, d...))
	}
	return random(rng, batch, 28, 28, 1), tensors.FromFlatDataAndDimensions(labels, batch, 1), weights
}

func perChannel(x *Node) *Node { return Reshape(x, 1, 1, 1, x.Shape().Size()) }

// logits of a batch x; with statistics of the batch in training.
func logits(x *Node, w []*Node, training bool) *Node {
	for i, stride := range []int{2, 2, 1} {
		k, scale, shift := w[3*i], perChannel(w[3*i+1]), perChannel(w[3*i+2])
		x = convolve(x, k, stride, 1)
		if training {
			x = Sub(x, perChannel(ReduceMean(x, 0, 1, 2)))
			variance := ReduceMean(Square(x), 0, 1, 2)
			scale = Div(scale, perChannel(Sqrt(AddScalar(variance, 1e-5))))
		}
		x = MaxScalar(Add(Mul(x, scale), shift), 0)
	}
	return DotGeneral(ReduceMean(x, 1, 2), []int{1}, nil, w[9], []int{1}, nil)
}

func crossEntropy(logits, y *Node) *Node {
	return Neg(ReduceAllMean(ReduceSum(Mul(LogSoftmax(logits), OneHot(Reshape(y, batch), classes, dtypes.Float32)), 1)))
}

func forwardPass(in []*Node) []*Node { return []*Node{logits(in[0], in[2:], false)} }

// signGradient is the direction of FGSM.
func signGradient(in []*Node) []*Node {
	return []*Node{Sign(Gradient(crossEntropy(logits(in[0], in[2:], false), in[1]), in[0])[0])}
}

// trainStep is one step of adversarial training: the loss of images and of
// images moved along the sign of its gradient, and the weights after a step.
func trainStep(in []*Node) []*Node {
	x, y, w := in[0], in[1], in[2:]
	clean := crossEntropy(logits(x, w, true), y)
	moved := StopGradient(Add(x, MulScalar(Sign(Gradient(clean, x)[0]), 0.1)))
	loss := Add(clean, crossEntropy(logits(moved, w, true), y))
	out := []*Node{loss}
	for i, g := range Gradient(loss, w...) {
		out = append(out, Sub(w[i], MulScalar(g, 0.1)))
	}
	return out
}

func BenchmarkSmallNet(b *testing.B) {
	x, y, w := smallNet(rand.New(rand.NewPCG(2, 2)))
	in := append([]*tensors.Tensor{x, y}, w...)
	b.Run("forward", func(b *testing.B) { bench(b, forwardPass, in...) })
	b.Run("sign", func(b *testing.B) { bench(b, signGradient, in...) })
	b.Run("train", func(b *testing.B) { bench(b, trainStep, in...) })
}
