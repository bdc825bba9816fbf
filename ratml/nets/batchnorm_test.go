package nets_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// norm is batch normalisation by its definition (torch.nn.BatchNorm2d's documentation), in float64.
type norm struct {
	weight, bias, mean, variance array // one value a channel
}

func newNorm(channels int) norm {
	n := norm{normal(1, channels), normal(2, channels), normal(3, channels), normal(4, channels)}
	for c, v := range n.variance.data {
		n.variance.data[c] = v*v + .5
	}
	return n
}

// eval normalises x, whose last axis is channels, with the running statistics.
func (n norm) eval(x []float64) []float64 { return n.apply(x, n.mean.data, n.variance.data) }

// train normalises x with its own statistics and returns the running ones as they are afterwards.
func (n norm) train(x []float64) (y, mean, variance []float64) {
	channels := len(n.mean.data)
	count := float64(len(x) / channels)
	m, v := make([]float64, channels), make([]float64, channels)
	for i, a := range x {
		m[i%channels] += a / count
	}
	for i, a := range x {
		d := a - m[i%channels]
		v[i%channels] += d * d / count
	}
	mean, variance = make([]float64, channels), make([]float64, channels)
	for c := range mean {
		mean[c] = .9*n.mean.data[c] + .1*m[c]
		variance[c] = .9*n.variance.data[c] + .1*v[c]*count/(count-1)
	}
	return n.apply(x, m, v), mean, variance
}

func (n norm) apply(x, mean, variance []float64) []float64 {
	y := make([]float64, len(x))
	for i, a := range x {
		c := i % len(mean)
		y[i] = (a-mean[c])/math.Sqrt(variance[c]+1e-5)*n.weight.data[c] + n.bias.data[c]
	}
	return y
}

var normNames = []string{"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"}

func (n norm) arrays() []array { return []array{n.weight, n.bias, n.mean, n.variance} }

func TestBatchNormTrain(t *testing.T) {
	for _, shape := range [][]int{{4, 3, 5, 3}, {2, 1, 1, 4}, {1, 2, 2, 1}} {
		n := newNorm(shape[3])
		x, r := normal(5, shape...), normal(6, shape...)
		for i := range x.data {
			x.data[i] = float64(float32(2*x.data[i] + 1))
		}
		want, mean, variance := n.train(x.data)
		loss := func() float64 {
			y, _, _ := n.train(x.data)
			return dot(y, r.data)
		}
		gx, gw, gb := numeric(x.data, 1e-4, loss), numeric(n.weight.data, 1e-4, loss), numeric(n.bias.data, 1e-4, loss)
		a := layer(t, shape[1], shape[2], shape[3], func(p *nets.Pass, x *graph.Node) *graph.Node { return p.BatchNorm("bn", x) })
		backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
			in := []*tensors.Tensor{x.float32()}
			for _, v := range n.arrays() {
				in = append(in, v.float32())
			}
			got := run(t, be, func(in []*graph.Node) []*graph.Node {
				vars := map[string]*graph.Node{}
				for i, name := range normNames {
					vars[name] = in[1+i]
				}
				y := a.Apply(vars, nets.Train, in[0])
				out := append(graph.Gradient(weigh(y, r), in[:3]...), y, vars["bn.running_mean"], vars["bn.running_var"])
				return out
			}, in...)
			name := fmt.Sprint(shape)
			near(t, name+": gradient of x", got[0], gx, 2e-6)
			near(t, name+": gradient of the weight", got[1], gw, 2e-6)
			near(t, name+": gradient of the bias", got[2], gb, 2e-6)
			near(t, name+": output", got[3], want, 2e-6)
			near(t, name+": running mean", got[4], mean, 1e-6)
			near(t, name+": running variance", got[5], variance, 1e-6)
		})
	}
}

// TestBatchNormTwice runs two batches through one graph: the running statistics move twice, in that order, and no
// gradient flows through them.
func TestBatchNormTwice(t *testing.T) {
	shape := []int{3, 2, 2, 2}
	n := newNorm(2)
	x, y := normal(5, shape...), normal(6, shape...)
	after := n
	_, after.mean.data, after.variance.data = n.train(x.data)
	_, mean, variance := after.train(y.data)
	a := layer(t, 2, 2, 2, func(p *nets.Pass, x *graph.Node) *graph.Node { return p.BatchNorm("bn", x) })
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			vars := map[string]*graph.Node{}
			for i, name := range normNames {
				vars[name] = in[2+i]
			}
			a.Apply(vars, nets.Train, in[0])
			a.Apply(vars, nets.Train, in[1])
			m, v := vars["bn.running_mean"], vars["bn.running_var"]
			return []*graph.Node{m, v, graph.Gradient(graph.ReduceAllSum(graph.Add(graph.Mul(m, v), graph.MulScalar(graph.ReduceAllSum(in[0]), 0))), in[0])[0]}
		}, x.float32(), y.float32(), n.weight.float32(), n.bias.float32(), n.mean.float32(), n.variance.float32())
		near(t, "running mean", got[0], mean, 1e-6)
		near(t, "running variance", got[1], variance, 1e-6)
		near(t, "gradient through running statistics", got[2], make([]float64, len(x.data)), 0)
	})
}

// TestBatchNormEval compares both ways to use running statistics with the definition: alone, and after a convolution
// into which it is folded.
func TestBatchNormEval(t *testing.T) {
	n := newNorm(3)
	x, k, r := normal(5, 2, 4, 4, 3), normal(6, 3, 3, 3, 3), normal(7, 2, 4, 4, 3)
	w := nets.Weights{"conv.weight": {Shape: k.shape, Data: k.float32s()}}
	for i, v := range n.arrays() {
		w[normNames[i]] = &nets.Tensor{Shape: v.shape, Data: v.float32s()}
	}
	alone := layer(t, 4, 4, 3, func(p *nets.Pass, x *graph.Node) *graph.Node { return p.BatchNorm("bn", x) })
	after := layer(t, 4, 4, 3, func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.ConvBatchNorm("conv", "bn", x, 3, 3, 1, 1)
	})
	reference := map[*nets.Arch]func() []float64{
		alone: func() []float64 { return n.eval(x.data) },
		after: func() []float64 { return n.eval(conv(x, k, 1, 1).data) },
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for a, want := range reference {
			weights := w.Clone()
			if a == alone {
				delete(weights, "conv.weight")
			}
			for name, mode := range modes {
				got := network(t, be, a, weights, mode, false, x, func(net nets.Network, x *graph.Node) []*graph.Node {
					y := net(x)
					return append(graph.Gradient(weigh(y, r), x), y)
				})
				slope := numeric(x.data, 1, func() float64 { return dot(want(), r.data) })
				near(t, name+": gradient", got[0], slope, 2e-6)
				near(t, name+": output", got[1], want(), 2e-6)
			}
		}
	})
}

// TestSharedLayers uses one convolution with its normalisation twice, which folds it once; what cannot be folded is an
// error.
func TestSharedLayers(t *testing.T) {
	twice := layer(t, 4, 4, 3, func(p *nets.Pass, x *graph.Node) *graph.Node {
		return p.ConvBatchNorm("conv", "bn", p.ConvBatchNorm("conv", "bn", x, 3, 3, 1, 1), 3, 3, 1, 1)
	})
	w := random(twice)
	x := normal(1, 2, 4, 4, 3)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		want := network(t, be, twice, w, nets.Eval, false, x, logits)[0]
		near(t, "folded", network(t, be, twice, w, nets.Folded, false, x, logits)[0], want, 1e-5)
	})
	for name, f := range map[string]nets.Forward{
		"one norm after two convolutions": func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.ConvBatchNorm("b", "bn", p.ConvBatchNorm("a", "bn", x, 3, 3, 1, 1), 3, 3, 1, 1)
		},
		"two norms after one convolution": func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.ConvBatchNorm("conv", "b", p.ConvBatchNorm("conv", "a", x, 3, 3, 1, 1), 3, 3, 1, 1)
		},
		"a folded convolution alone": func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.Conv("conv", p.ConvBatchNorm("conv", "bn", x, 3, 3, 1, 1), 3, 3, 1, 1)
		},
		"a convolution alone, then folded": func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.ConvBatchNorm("conv", "bn", p.Conv("conv", x, 3, 3, 1, 1), 3, 3, 1, 1)
		},
	} {
		_, err := nets.NewArch(name, nets.Input{Height: 4, Width: 4, Channels: 3}, 3, make([]float32, 3), []float32{1, 1, 1},
			func(p *nets.Pass, x *graph.Node) *graph.Node { return nets.GlobalMean(f(p, x)) })
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
