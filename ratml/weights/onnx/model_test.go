package onnx_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
	"github.com/ratml/rat/ratml/weights/onnx"
)

// reference is what testdata/export.py writes beside a file.
type reference struct {
	Shape        []int
	Seed         uint64
	Logits       []float64
	GradientNorm float64
	GradientAt   []int // where the gradient is stated; nil: everywhere
	Gradient     []float64
}

func loadReference(t testing.TB, path string) *reference {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	r := &reference{}
	require.NoError(t, json.Unmarshal(data, r))
	return r
}

// values returns the numbers in [0,1) of values in testdata/export.py.
func values(n int, seed uint64) []float32 {
	v := make([]float32, n)
	for i := range v {
		z := (uint64(i+1) + seed<<32) * 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		v[i] = float32((z^z>>31)>>40) / (1 << 24)
	}
	return v
}

// differences returns the largest differences of logits and of the gradient of their weighted sum with respect to
// images, relative to the largest value of each, and the length of the latter relative to the gradient's.
func (r *reference) differences(t testing.TB, c *nets.Classifier) (logits, gradient, length float64) {
	t.Helper()
	p, err := c.Compile("logits and gradient", func(net nets.Network, in []*graph.Node) []*graph.Node {
		y := net(in[0])
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[1])), in[0])[0]}
	})
	require.NoError(t, err)
	defer p.Free()
	n := r.Shape[0]
	x := values(n*r.Shape[1]*r.Shape[2]*r.Shape[3], r.Seed)
	weight := values(len(r.Logits), r.Seed+1)
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = weight[i*len(weight)/n : (i+1)*len(weight)/n]
	}
	out, err := p.RunFloats(c.Arch.Images(x), rows)
	require.NoError(t, err)
	require.Len(t, out[0], len(r.Logits))
	g := out[1]
	if r.GradientAt != nil {
		g = make([]float32, len(r.GradientAt))
		for i, at := range r.GradientAt {
			g[i] = out[1][at]
		}
	}
	require.Len(t, g, len(r.Gradient))
	square, of := 0., 0.
	for i, w := range r.Gradient {
		square += math.Pow(float64(g[i])-w, 2)
		of += w * w
	}
	return relative(out[0], r.Logits), relative(g, r.Gradient), math.Sqrt(square / of)
}

func relative(got []float32, want []float64) float64 {
	worst, largest := 0., 0.
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i])-w))
		largest = max(largest, math.Abs(w))
		if math.IsNaN(float64(got[i])) {
			return math.Inf(1)
		}
	}
	return worst / largest
}

// compiled are the files that are tested on XLA too, where each takes seconds to compile.
var compiled = map[string]bool{"residual_dynamo": true, "mobile_script": true, "transformer_script": true}

// TestExports compares logits and input gradients with PyTorch's, in float64, for files of both of its exporters.
func TestExports(t *testing.T) {
	for name, files := range map[string][]string{
		"residual":    {"residual_script", "residual_dynamo", "residual_unfolded"},
		"mobile":      {"mobile_script", "mobile_dynamo"},
		"transformer": {"transformer_script", "transformer_dynamo", "transformer_batch1", "transformer_batch2"},
		"windows":     {"windows_script", "windows_dynamo", "windows_batch1", "windows_batch2"},
		"normalised":  {"normalised_script", "normalised_external"},
	} {
		r := loadReference(t, filepath.Join("testdata", name+".json"))
		for _, file := range files {
			t.Run(file, func(t *testing.T) {
				each := backendtest.Each
				if !compiled[file] {
					each = func(t *testing.T, f func(*testing.T, *backend.Backend)) { f(t, backendtest.Go(t)) }
				}
				each(t, func(t *testing.T, be *backend.Backend) {
					c, err := onnx.Open(be, filepath.Join("testdata", file+".onnx"), onnx.Options{})
					require.NoError(t, err)
					logits, gradient, _ := r.differences(t, c)
					t.Logf("logits %.1e, gradient %.1e", logits, gradient)
					require.Less(t, logits, 1e-5)
					require.Less(t, gradient, 1e-4)
				})
			})
		}
	}
}

// TestOtherExporters does the same for files of tf2onnx and skl2onnx.
func TestOtherExporters(t *testing.T) {
	for file, c := range map[string]struct {
		reference string
		options   onnx.Options
	}{
		"keras_tf2onnx":    {"keras", onnx.Options{}},
		"keras_nchw":       {"keras", onnx.Options{}},
		"sklearn_logistic": {"sklearn_logistic", onnx.Options{Input: digits}},
		"sklearn_mlp":      {"sklearn_mlp", onnx.Options{Input: digits}},
		"sklearn_scaled":   {"sklearn_scaled", onnx.Options{Input: digits}},
	} {
		t.Run(file, func(t *testing.T) {
			r := loadReference(t, filepath.Join("testdata", c.reference+".json"))
			clf, err := onnx.Open(backendtest.Go(t), filepath.Join("testdata", file+".onnx"), c.options)
			require.NoError(t, err)
			logits, gradient, _ := r.differences(t, clf)
			t.Logf("logits %.1e, gradient %.1e", logits, gradient)
			require.Less(t, logits, 1e-5)
			require.Less(t, gradient, 1e-4)
		})
	}
}

func nets8(size int) nets.Input { return nets.Input{Height: size, Width: size, Channels: 3} }

var digits = nets.Input{Height: 8, Width: 8, Channels: 1}

// TestFeatures compares the features with the logits made of them.
func TestFeatures(t *testing.T) {
	be := backendtest.Go(t)
	c, err := onnx.Open(be, filepath.Join("testdata", "mnist_outside.onnx"), onnx.Options{})
	require.NoError(t, err)
	require.Equal(t, 144, c.Arch.FeatureSize)
	w := c.Weights()
	p, err := c.CompilePasses("features", func(net *nets.Passes, in []*graph.Node) []*graph.Node {
		y := net.Logits(in[0])
		return []*graph.Node{net.Features(y), y}
	})
	require.NoError(t, err)
	defer p.Free()
	out, err := p.RunFloats(c.Arch.Images(values(3*28*28, 1)))
	require.NoError(t, err)
	matrix, offset := w["3.weight"], w["3.bias"]
	for i, y := range out[1] {
		sum := float64(offset.Data[i%10])
		for k := range 144 {
			sum += float64(matrix.Data[i%10*144+k]) * float64(out[0][i/10*144+k])
		}
		require.InDelta(t, sum, float64(y), 1e-4)
	}
}

// TestLayouts reads one network in both layouts; what the dimensions leave open is for options to say.
func TestLayouts(t *testing.T) {
	for file, want := range map[string]string{"keras_tf2onnx": "layout NHWC", "keras_nchw": "layout NCHW", "sklearn_mlp": "layout flat", "mnist_inside": "layout NHWC"} {
		m, err := onnx.Read(filepath.Join("testdata", file+".onnx"), onnx.Options{Input: func() nets.Input {
			if file == "sklearn_mlp" {
				return digits
			}
			return nets.Input{}
		}()})
		require.NoError(t, err)
		require.Contains(t, m.Notes[0], want)
	}
	_, err := onnx.Read("testdata/sklearn_mlp.onnx", onnx.Options{})
	require.ErrorContains(t, err, "option Input")
}

// TestRegistered opens a file by way of package weights.
func TestRegistered(t *testing.T) {
	var log strings.Builder
	c, err := weights.OpenModel(backendtest.Go(t), "testdata/mnist_outside.onnx", weights.Options{Log: &log})
	require.NoError(t, err)
	require.Equal(t, 10, c.Arch.Classes)
	require.Contains(t, log.String(), "layout NCHW")
}
