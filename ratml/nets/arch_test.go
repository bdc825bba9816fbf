package nets_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

func TestNewArchErrors(t *testing.T) {
	mean := func(_ *nets.Pass, x *graph.Node) *graph.Node { return nets.GlobalMean(x) }
	grey, colour := nets.Input{Height: 4, Width: 4, Channels: 1}, nets.Input{Height: 4, Width: 4, Channels: 3}
	one, three := []float32{1}, []float32{1, 1, 1}
	nan := []float32{float32(math.NaN())}
	for name, c := range map[string]struct {
		input     nets.Input
		classes   int
		mean, std []float32
		forward   nets.Forward
		want      string
	}{
		"good":               {grey, 1, one, one, mean, ""},
		"good, colour":       {colour, 3, three, three, mean, ""},
		"means":              {colour, 3, one, three, mean, "1 means and 3 standard deviations for 3 channels"},
		"standard deviation": {colour, 3, three, one, mean, "3 means and 1 standard deviations for 3 channels"},
		"zero deviation":     {grey, 1, one, []float32{0}, mean, "standard deviations [0]"},
		"negative deviation": {grey, 1, one, []float32{-1}, mean, "standard deviations [-1]"},
		"NaN":                {grey, 1, one, nan, mean, "standard deviations [NaN]"},
		"no height":          {nets.Input{Width: 4, Channels: 1}, 1, one, one, mean, "want positive"},
		"negative width":     {nets.Input{Height: 4, Width: -4, Channels: 1}, 1, one, one, mean, "want positive"},
		"no classes":         {grey, 0, one, one, mean, "0 classes"},
		"other classes":      {grey, 2, one, one, mean, "logits have shape [1 1], want [batch 2]"},
		"no logits":          {grey, 1, one, one, func(_ *nets.Pass, x *graph.Node) *graph.Node { return x }, "logits have shape [1 4 4 1]"},
		"nothing":            {grey, 1, one, one, func(*nets.Pass, *graph.Node) *graph.Node { return nil }, "bad:"},
		"no function":        {grey, 1, one, one, nil, "bad:"},
		"panic":              {grey, 1, one, one, func(*nets.Pass, *graph.Node) *graph.Node { panic(errors.New("broken")) }, "broken"},
		"two shapes": {grey, 1, one, one, func(p *nets.Pass, x *graph.Node) *graph.Node {
			p.Param("a", nets.LinearBias, 1)
			p.Param("a", nets.LinearBias, 2)
			return nets.GlobalMean(x)
		}, "parameter a has shape [1], the network wants [2]"},
	} {
		_, err := nets.NewArch("bad", c.input, c.classes, c.mean, c.std, c.forward)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "nets: bad:") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	a := lookup(t, "smallcnn_mnist")
	good := a.Init(1)
	if err := a.Check(good); err != nil {
		t.Error(err)
	}
	bad := good.Clone()
	delete(bad, "conv1.weight")
	bad["bn1.bias"] = nil
	bad["fc.weight"] = nets.NewTensor(64, 10)
	bad["fc.bias"] = &nets.Tensor{Shape: []int{10}, Data: make([]float32, 9)}
	bad["b.extra"] = nets.NewTensor(2, 3)
	bad["a.extra"] = nil
	want := strings.Join([]string{
		"nets: weights do not fit smallcnn_mnist: missing conv1.weight [16 1 3 3]",
		"missing bn1.bias [16]",
		"wrong shape [64 10] for fc.weight, want [10 64]",
		"9 values for fc.bias, want 10",
		"unexpected a.extra (nil)",
		"unexpected b.extra [2 3]",
	}, "\n")
	if err := a.Check(bad); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := a.Fold(bad); err == nil || err.Error() != want {
		t.Errorf("folding: %v", err)
	}
	if err := a.Check(nil); err == nil || strings.Count(err.Error(), "missing") != len(a.Params) {
		t.Errorf("no weights: %v", err)
	}
}

// TestFoldKeepsWeights checks that folding does not write into its argument.
func TestFoldKeepsWeights(t *testing.T) {
	a := lookup(t, "smallcnn_mnist")
	w := random(a)
	before := w.Clone()
	folded, err := a.Fold(w)
	if err != nil {
		t.Fatal(err)
	}
	for name, tensor := range before {
		if !slices.Equal(w[name].Data, tensor.Data) {
			t.Errorf("%s changed", name)
		}
	}
	if slices.Equal(folded["conv1.weight"].Data, w["conv1.weight"].Data) {
		t.Error("conv1 is not folded")
	}
	if folded["bn1.running_mean"] != nil || folded["bn1.weight"] != nil {
		t.Errorf("batch normalisation is left: %v", folded.Names())
	}
}

func TestInit(t *testing.T) {
	for _, name := range []string{"wrn16_2_cifar10", "smallcnn_mnist"} {
		a := lookup(t, name)
		w := a.Init(7)
		if err := a.Check(w); err != nil {
			t.Error(err)
		}
		again, other := a.Init(7), a.Init(8)
		for _, p := range a.Params {
			data := w[p.Name].Data
			if !slices.Equal(data, again[p.Name].Data) {
				t.Errorf("%s of %s: two results of one seed", p.Name, name)
			}
			bound, fixed := 0.0, false
			switch p.Kind {
			case nets.ConvWeight:
				bound = math.Sqrt(6 / float64(p.Shape[1]*p.Shape[2]*p.Shape[3]))
			case nets.LinearWeight:
				bound = 1 / math.Sqrt(float64(p.Shape[1]))
			case nets.LinearBias:
				bound = 1 / math.Sqrt(float64(w[strings.TrimSuffix(p.Name, "bias")+"weight"].Shape[1]))
			case nets.NormWeight, nets.RunningVar:
				fixed = slices.Equal(data, slices.Repeat([]float32{1}, len(data)))
			case nets.NormBias, nets.RunningMean:
				fixed = slices.Equal(data, make([]float32, len(data)))
			}
			if bound > 0 {
				checkUniform(t, name+": "+p.Name, data, bound)
			} else if !fixed {
				t.Errorf("%s: %s is %v", name, p.Name, data)
			}
			if same := slices.Equal(data, other[p.Name].Data); same != (bound == 0) {
				t.Errorf("%s: %s with another seed: same values %v", name, p.Name, same)
			}
		}
	}
}

// checkUniform compares the range and the moments of values with the uniform distribution within bound. The
// tolerances are four standard deviations.
func checkUniform(t *testing.T, name string, v []float32, bound float64) {
	t.Helper()
	sum, squares, largest := 0.0, 0.0, 0.0
	for _, x := range v {
		u := float64(x) / bound
		sum += u
		squares += u * u
		largest = max(largest, math.Abs(u))
	}
	n := float64(len(v))
	if largest > 1+1e-6 || largest < 1-8/n {
		t.Errorf("%s: the largest value is %v of its bound", name, largest)
	}
	if m := sum / n; math.Abs(m) > 4*math.Sqrt(1/(3*n)) {
		t.Errorf("%s: mean %v of the bound", name, m)
	}
	if s := squares / n; math.Abs(s-1./3) > 4*math.Sqrt(4/(45*n)) {
		t.Errorf("%s: mean square %v of the bound, want 1/3", name, s)
	}
}

// TestInitIndependence checks that a tensor's values depend on its name and the seed alone: not on the order or the
// number of the others.
func TestInitIndependence(t *testing.T) {
	input, one := nets.Input{Height: 4, Width: 4, Channels: 1}, []float32{1}
	build := func(names ...string) nets.Weights {
		a, err := nets.NewArch("net", input, 1, one, one, func(p *nets.Pass, x *graph.Node) *graph.Node {
			for _, name := range names {
				p.Conv(name, x, 5, 3, 1, 1)
			}
			return nets.GlobalMean(x)
		})
		if err != nil {
			t.Fatal(err)
		}
		return a.Init(1)
	}
	ab, ba, b := build("a", "b"), build("b", "c", "a"), build("b")
	for name, w := range map[string]nets.Weights{"a.weight": ba, "b.weight": b} {
		if !slices.Equal(ab[name].Data, w[name].Data) {
			t.Errorf("%s depends on other tensors", name)
		}
	}
	if slices.Equal(ab["a.weight"].Data, ab["b.weight"].Data) {
		t.Error("two tensors have the same values")
	}
	// The deep and the shallow net of a family begin alike.
	deep, shallow := lookup(t, "wrn16_1_cifar10").Init(1), lookup(t, "wrn10_1_cifar10").Init(1)
	for name, w := range shallow {
		if !slices.Equal(w.Data, deep[name].Data) {
			t.Errorf("%s differs between depths", name)
		}
	}
}
