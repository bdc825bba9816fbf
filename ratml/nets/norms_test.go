package nets_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// TestBatchNorms has batch normalisations with another epsilon and momentum than usual, in all modes.
func TestBatchNorms(t *testing.T) {
	const epsilon, momentum = 0.25, 0.4
	a := layer(t, 1, 1, 2, func(p *nets.Pass, x *graph.Node) *graph.Node {
		p.BatchNorms(nets.BatchNorm{Epsilon: epsilon, Momentum: momentum})
		return p.ConvBatchNorm("conv", "bn2", p.BatchNorm("bn1", x), 2, 1, 1, 0)
	})
	w := generatedWeights(a)
	x := array{[]int{3, 1, 1, 2}, []float64{1, -2, 0.5, 0, -1, 4}}
	value := func(name string, c int) float64 { return float64(w[name].Data[c]) }
	apply := func(norm string, c int, x, mean, variance float64) float64 {
		return (x-mean)/math.Sqrt(variance+epsilon)*value(norm+".weight", c) + value(norm+".bias", c)
	}
	var want []float64
	for i := 0; i < len(x.data); i += 2 {
		var first [2]float64
		for c := range first {
			first[c] = apply("bn1", c, x.data[i+c], value("bn1.running_mean", c), value("bn1.running_var", c))
		}
		for c := range 2 {
			y := first[0]*value("conv.weight", 2*c) + first[1]*value("conv.weight", 2*c+1)
			want = append(want, apply("bn2", c, y, value("bn2.running_mean", c), value("bn2.running_var", c)))
		}
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for name, mode := range modes {
			near(t, name, network(t, be, a, w, mode, false, x, logits)[0], want, 1e-6)
		}
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			vars := map[string]*graph.Node{}
			for _, p := range a.Params {
				vars[p.Name] = graph.Const(in[0].Graph(), tensors.FromFlatDataAndDimensions(w[p.Name].Data, p.Shape...))
			}
			y := a.Apply(vars, nets.Train, in[0])
			return []*graph.Node{y, vars["bn1.running_mean"], vars["bn1.running_var"]}
		}, x.float32())
		var means, variances []float64
		for c := range 2 {
			m := (x.data[c] + x.data[2+c] + x.data[4+c]) / 3
			v := 0.0
			for i := c; i < 6; i += 2 {
				v += (x.data[i] - m) * (x.data[i] - m) / 2
			}
			means = append(means, (1-momentum)*value("bn1.running_mean", c)+momentum*m)
			variances = append(variances, (1-momentum)*value("bn1.running_var", c)+momentum*v)
		}
		near(t, "running mean", got[1], means, 1e-6)
		near(t, "running variance", got[2], variances, 1e-6)
	})
}

func TestLayerNorm(t *testing.T) {
	const epsilon, c = 0.1, 4
	x, w, b, r := normal(1, 3, 5, c), normal(2, c), normal(3, c), normal(4, 3, 5, c)
	norm := func() []float64 {
		var y []float64
		for i := 0; i < len(x.data); i += c {
			mean, variance := 0.0, 0.0
			for _, v := range x.data[i : i+c] {
				mean += v / c
			}
			for _, v := range x.data[i : i+c] {
				variance += (v - mean) * (v - mean) / c
			}
			for j, v := range x.data[i : i+c] {
				y = append(y, (v-mean)/math.Sqrt(variance+epsilon)*w.data[j]+b.data[j])
			}
		}
		return y
	}
	loss := func() float64 { return dot(norm(), r.data) }
	a := layer(t, 3, 5, c, func(p *nets.Pass, x *graph.Node) *graph.Node { return p.LayerNorm("ln", x, epsilon) })
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		got := run(t, be, func(in []*graph.Node) []*graph.Node {
			vars := map[string]*graph.Node{"ln.weight": in[1], "ln.bias": in[2]}
			y := a.Apply(vars, nets.Train, graph.Reshape(in[0], 1, 3, 5, c))
			return append(graph.Gradient(weigh(y, r), in...), y)
		}, x.float32(), w.float32(), b.float32())
		near(t, "output", got[3], norm(), 1e-6)
		near(t, "gradient of x", got[0], numeric(x.data, 1e-4, loss), 1e-6)
		near(t, "gradient of the weight", got[1], numeric(w.data, 1e-4, loss), 1e-6)
		near(t, "gradient of the bias", got[2], numeric(b.data, 1e-4, loss), 1e-6)
	})
}

// TestDropBranch sees that whole images are dropped, in training with random numbers only.
func TestDropBranch(t *testing.T) {
	const rate = 0.25
	a := layer(t, 2, 2, 1, func(p *nets.Pass, x *graph.Node) *graph.Node { return p.DropBranch("branch", x, rate) })
	if a.HasDropout {
		t.Error("stochastic depth counts as dropout")
	}
	x := normal(1, 3, 2, 2, 1)
	random := []float32{0.24, 0.25, 0.9}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for _, c := range []struct {
			name    string
			mode    nets.Mode
			sampled bool
			factors []float64
		}{
			{"training", nets.Train, true, []float64{0, 1 / (1 - rate), 1 / (1 - rate)}},
			{"training without random numbers", nets.Train, false, []float64{1, 1, 1}},
			{"evaluation", nets.Eval, true, []float64{1, 1, 1}},
		} {
			got := run(t, be, func(in []*graph.Node) []*graph.Node {
				o := nets.Options{Mode: c.mode}
				if c.sampled {
					o.Dropout = func(layer string, dims []int) *graph.Node {
						if layer != "branch" {
							t.Errorf("random numbers for %q", layer)
						}
						return graph.Reshape(graph.Const(in[0].Graph(), random), dims...)
					}
				}
				return []*graph.Node{a.ApplyWith(nil, o, in[0])}
			}, x.float32())
			var want []float64
			for i, v := range x.data {
				want = append(want, v*c.factors[i/4])
			}
			near(t, c.name, got[0], want, 1e-6)
		}
	})
	for _, bad := range []float64{-0.1, 1, math.NaN()} {
		_, err := nets.NewArch("net", nets.Input{Height: 1, Width: 1, Channels: 1}, 1, []float32{0}, []float32{1},
			func(p *nets.Pass, x *graph.Node) *graph.Node { return nets.GlobalMean(p.DropBranch("branch", x, bad)) })
		if err == nil {
			t.Errorf("a rate of %g", bad)
		}
	}
}

func TestWithInput(t *testing.T) {
	vit := lookup(t, "vit_b_32")
	a, err := vit.WithInput(nets.Input{Height: 64, Width: 96, Channels: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range a.Params {
		if p.Name == "encoder.pos_embedding" && p.Shape[1] != 2*3+1 {
			t.Errorf("%s has shape %v", p.Name, p.Shape)
		}
	}
	if vit.Preprocess.Crop != 224 || a.Preprocess.Crop != 0 {
		t.Errorf("preprocessing is %v, and %v at another size", vit.Preprocess, a.Preprocess)
	}
	if _, err := vit.WithInput(nets.Input{Height: 64, Width: 90, Channels: 3}); err == nil {
		t.Error("patches of 32 in an image of 90 pixels")
	}
	if _, err := vit.WithInput(nets.Input{Height: 64, Width: 96, Channels: 1}); err == nil {
		t.Error("one channel with a normalisation of three")
	}
}

// TestOtherClasses has a network for another data set, and one with an extra output.
func TestOtherClasses(t *testing.T) {
	a := lookup(t, "mobilenet_v3_small_200classes")
	if a.Classes != 200 || a.FeatureSize != 1024 || !a.HasDropout || a.ParamCount() != 2542856-800*1025 {
		t.Errorf("%d classes, %d features, %d parameters, dropout: %t", a.Classes, a.FeatureSize, a.ParamCount(), a.HasDropout)
	}
	b, err := a.WithExtraOutputs(1)
	if err != nil {
		t.Fatal(err)
	}
	if b.ParamCount() != a.ParamCount()+1025 || b.Preprocess != a.Preprocess {
		t.Errorf("%d parameters with one output more than %d; preprocessing %v", b.ParamCount(), a.ParamCount(), b.Preprocess)
	}
	if _, err := nets.Lookup("vit_b_16_0classes"); err == nil {
		t.Error("no classes")
	}
}
