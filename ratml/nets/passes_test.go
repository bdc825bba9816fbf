package nets_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

func pattern(a *nets.Arch, n int) []float32 {
	v := make([]float32, n*a.Input.Height*a.Input.Width*a.Input.Channels)
	for i := range v {
		v[i] = float32(math.Abs(math.Sin(float64(i) * 0.37)))
	}
	return v
}

// The logits are the last linear layer of the features, computed here by hand.
func TestFeaturesAreTheInputOfTheHead(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		for arch, head := range map[string]string{"smallcnn_mnist": "fc", "wrn10_1_cifar10": "output"} {
			c, err := nets.New(be, arch, 3)
			require.NoError(t, err)
			require.Equal(t, 64, c.Arch.FeatureSize)
			p, err := c.CompilePasses("features", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
				z := net.Logits(in[0])
				require.Nil(t, net.Features(in[0]), "images are no logits")
				return []*graph.Node{z, net.Features(z)}
			})
			require.NoError(t, err)
			defer p.Free()
			out, err := p.RunFloats(c.Arch.Images(pattern(c.Arch, 2)))
			require.NoError(t, err)
			w, b := c.Weights()[head+".weight"].Data, c.Weights()[head+".bias"].Data
			for i := range 2 {
				for k := range 10 {
					want := float64(b[k])
					for d := range 64 {
						want += float64(w[k*64+d]) * float64(out[1][i*64+d])
					}
					require.InDelta(t, want, float64(out[0][i*10+k]), 1e-4, "%s image %d class %d", arch, i, k)
				}
			}
		}
	})
}

func runDropout(t *testing.T, c *nets.Classifier, images []float32, seed uint32) []float32 {
	p, err := c.CompilePasses("dropout", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net.Dropout(in[0], in[1])}
	})
	require.NoError(t, err)
	defer p.Free()
	out, err := p.RunFloats(c.Arch.Images(images), seed)
	require.NoError(t, err)
	return out[0]
}

// The mean over many draws of the units kept is the pass without dropout, because dropout stands before a linear layer
// here; draws differ from each other, and a seed always gives the same one.
func TestDropout(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, err := nets.New(be, "smallcnn_dropout50_mnist", 3)
		require.NoError(t, err)
		require.True(t, c.Arch.HasDropout)
		p, err := c.CompilePasses("both", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
			return []*graph.Node{net.Logits(in[0]), net.Dropout(in[0], in[1])}
		})
		require.NoError(t, err)
		defer p.Free()
		images := pattern(c.Arch, 1)
		const draws = 300
		var plain []float32
		mean, spread := make([]float64, 10), make([]float64, 10)
		for seed := range uint32(draws) {
			out, err := p.RunFloats(c.Arch.Images(images), seed)
			require.NoError(t, err)
			plain = out[0]
			for k, v := range out[1] {
				mean[k] += float64(v) / draws
				d := float64(v) - float64(plain[k])
				spread[k] += d * d / draws
			}
		}
		for k := range mean {
			require.Greater(t, spread[k], 0.0)
			require.Less(t, math.Abs(mean[k]-float64(plain[k])), 5*math.Sqrt(spread[k]/draws), "class %d", k)
		}
		require.Equal(t, runDropout(t, c, images, 7), runDropout(t, c, images, 7))
		require.NotEqual(t, runDropout(t, c, images, 7), runDropout(t, c, images, 8))
	})
}

func TestDropoutIsOffUnlessAskedFor(t *testing.T) {
	be := backendtest.Go(t)
	with, err := nets.New(be, "wrn10_1_dropout30_cifar10", 1)
	require.NoError(t, err)
	without, err := nets.New(be, "wrn10_1_cifar10", 1)
	require.NoError(t, err)
	logits := func(c *nets.Classifier) []float32 {
		p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node { return []*graph.Node{net(in[0])} })
		require.NoError(t, err)
		defer p.Free()
		out, err := p.RunFloats(c.Arch.Images(pattern(c.Arch, 1)))
		require.NoError(t, err)
		return out[0]
	}
	require.Equal(t, logits(without), logits(with))

	p, err := without.CompilePasses("dropout", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net.Dropout(in[0], in[1])}
	})
	require.NoError(t, err)
	defer p.Free()
	_, err = p.RunFloats(without.Arch.Images(pattern(without.Arch, 1)), uint32(0))
	require.ErrorContains(t, err, "wrn10_1_cifar10 has no dropout")
}

func TestTraceCallsTheFunctionOnce(t *testing.T) {
	a, err := nets.Lookup("smallcnn_mnist")
	require.NoError(t, err)
	calls := 0
	require.NoError(t, a.Trace(5, func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		calls++
		z := net.Logits(in[0])
		require.Equal(t, []int{5, 10}, z.Shape().Dimensions)
		return []*graph.Node{z}
	}))
	require.Equal(t, 1, calls)
	require.ErrorContains(t, a.Trace(0, nil), "no images")
	err = a.Trace(1, func(net *nets.Passes, in []*graph.Node) []*graph.Node { panic("so what") })
	require.ErrorContains(t, err, "smallcnn_mnist: so what")
}
