package radius

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
)

const goldenSize = 3072 // values of a golden image

// apart returns the share of values that differ from want by more than rel relative to it, and the largest difference.
func apart(got, want []float64, rel float64) (share, worst float64) {
	n := 0
	for i, w := range want {
		d := math.Abs(got[i]-w) / math.Abs(w)
		if got[i] == w {
			d = 0
		}
		worst = math.Max(worst, d)
		if !(d <= rel) {
			n++
		}
	}
	return float64(n) / float64(len(want)), worst
}

// gradient builds a gradient's signs.
type gradient func(p *Probe) *graph.Node

func (g gradient) Build(p *Probe) []*graph.Node { return []*graph.Node{graph.Sign(g(p))} }

// TestGoldenClosedForms compares with what the official code computed on 64 images in float64, or, at temperature 0.2,
// in float32: there the official formula (see Fast) subtracts nearly equal numbers, and float32 decides the last digits
// of ours too.
func TestGoldenClosedForms(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	images := golden.Images(f, "images")
	tests := []struct {
		array  string
		e      direct
		others float64 // the share of images that may lie farther off than 1e-4
	}{
		{"s64_RR_fast", Fast{Protocol: Official}, 0},
		{"s64_RR_fast_T2", Fast{Protocol: Official, Temperature: 2}, 0},
		{"s_RR_fast_T0.2", Fast{Protocol: Official, Temperature: 0.2}, 0.05},
		{"s64_RR_exp", Margin{Protocol: Official}, 0},
		{"s64_RR_soft", SoftMargin{Protocol: Official}, 0},
		{"s64_RR_soft_T2", SoftMargin{Protocol: Official, Temperature: 2}, 0},
		// At temperature 1 both protocols mean the same where nothing saturates.
		{"s64_RR_fast", Fast{}, 0},
		{"s64_RR_exp", Margin{}, 0},
		{"s64_RR_soft", SoftMargin{}, 0},
	}
	signs := channelsLast(golden.Read[int8](f, "sign_f64"))
	gradients := map[string]gradient{
		"soft margin":     func(p *Probe) *graph.Node { return p.SoftMargin(1) },
		"log max softmax": func(p *Probe) *graph.Node { return p.logMaxSoftmax(1) },
		"cross-entropy":   func(p *Probe) *graph.Node { return p.crossEntropy(1) },
	}
	names := []string{"soft margin", "log max softmax", "cross-entropy"}
	var bs []builder
	for _, test := range tests {
		bs = append(bs, test.e)
	}
	for _, name := range names {
		bs = append(bs, gradients[name])
	}
	bs = append(bs, BoundarySearch{})
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		logits, built := probe(t, goldenNet(t, be), images, bs...)
		for i, test := range tests {
			share, worst := apart(test.e.Values(logits, 10, built[i]), f.Float64(test.array), 1e-4)
			t.Logf("%-14s %+v: worst relative difference %.2g", test.array, test.e, worst)
			if share > test.others {
				t.Errorf("%s: %.3f of the images differ by more than 1e-4, the worst by %.3g", test.array, share, worst)
			}
		}
		for i, name := range names {
			wrongSigns(t, name, built[len(tests)+i][0], signs, 1)
		}
		wrongSigns(t, "direction of RR-BS", built[len(bs)-1][0], signs, -1)
	})
}

// wrongSigns fails the test where got is not factor times want everywhere.
func wrongSigns(t *testing.T, what string, got []float32, want []int8, factor float32) {
	t.Helper()
	wrong := 0
	for i, s := range want {
		if got[i] != factor*float32(s) {
			wrong++
		}
	}
	if len(got) != 196608 || len(want) != len(got) || wrong > 0 {
		t.Errorf("%s: %d of %d signs are wrong", what, wrong, len(got))
	}
}

// channelsLast turns [n, 3, 32, 32] into [n, 32, 32, 3].
func channelsLast(v []int8) []int8 {
	out := make([]int8, len(v))
	for i, x := range v {
		n, c, p := i/goldenSize, i/1024%3, i%1024
		out[n*goldenSize+p*3+c] = x
	}
	return out
}

// TestGoldenBoundarySearch compares the official search with the official radii, and the sound one with what a forward
// pass of its own says at the ends of the brackets.
func TestGoldenBoundarySearch(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	all := golden.Images(f, "images")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, images := goldenNet(t, be), all
		if be.Kind() == backend.KindGo {
			images = all[:16*goldenSize]
		}
		n := len(images) / goldenSize
		results := search(t, c, images, n/2, BoundarySearch{},
			BoundarySearch{Protocol: Official}, BoundarySearch{Protocol: Official, Temperature: 2})
		for array, results := range map[string][]Result{
			"s_RR_fgsm": results[1], "s64_RR_fgsm": results[1], "s_RR_fgsm_T2": results[2],
		} {
			share, worst := apart(radii(results), f.Float64(array)[:n], 1e-3)
			t.Logf("%s: worst relative difference %.2g", array, worst)
			if share > 0.01 {
				t.Errorf("%s: %.3f of the images differ by more than 1e-3, the worst by %.3g", array, share, worst)
			}
		}
		for i, r := range results[1] {
			if lo, hi := officialBracket(r.Radius); r.Evaluations != 24 || math.Abs(r.Lower-lo) > 1e-8 || math.Abs(r.Upper-hi) > 1e-8 {
				t.Errorf("image %d: official search gives %+v, want 24 evaluations and the bracket %g to %g", i, r, lo, hi)
			}
		}
		checkBrackets(t, c, images, results[0], 1e-3)
	})
}

// checkBrackets evaluates the ends of sound brackets by a forward pass that has nothing to do with the search.
func checkBrackets(t *testing.T, c *nets.Classifier, images []float32, results []Result, tolerance float64) {
	t.Helper()
	logits, built := probe(t, c, images, BoundarySearch{})
	direction := built[0][0]
	size := len(images) / len(results)
	at := func(i int, distance float64) []float32 {
		x := slices.Clone(images[i*size : (i+1)*size])
		for j := range x {
			x[j] = min(1, max(0, x[j]+float32(distance)*direction[i*size+j]))
		}
		return x
	}
	var lower, upper []float32
	for i, r := range results {
		lower, upper = append(lower, at(i, r.Lower)...), append(upper, at(i, r.Upper)...)
	}
	p, err := c.Compile("logits", func(net nets.Network, in []*graph.Node) []*graph.Node {
		return []*graph.Node{net(in[0])}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Free()
	var z [2][]float32
	for k, x := range []*tensors.Tensor{c.Arch.Images(lower), c.Arch.Images(upper)} {
		out, err := p.RunFloats(x)
		if err != nil {
			t.Fatal(err)
		}
		z[k] = out[0]
	}
	classes := c.Arch.Classes
	for i, r := range results {
		row := func(z []float32) int { return argmax(z[i*classes : (i+1)*classes]) }
		if row(z[0]) != row(logits) || (row(z[1]) == row(logits)) != r.Unflipped {
			t.Errorf("image %d: predictions %d, %d, %d at the image and at the ends of %+v", i, row(logits), row(z[0]), row(z[1]), r)
		}
		if !r.Unflipped && r.Upper-r.Lower > math.Max(tolerance*r.Radius, smallestStep) {
			t.Errorf("image %d: bracket %+v is wider than %g", i, r, tolerance)
		}
	}
}

// officialBracket returns the ends of the bracket behind an official radius: the prediction flips first at double a
// distance that it does not flip at, and what is left of the 24 evaluations halves the bracket between the two.
func officialBracket(radius float64) (lo, hi float64) {
	unflipped, doublings := 1e-6, 1
	for 2*unflipped < radius {
		unflipped *= 2
		doublings++
	}
	half := math.Ldexp(unflipped, doublings-24-1)
	return radius - half, radius + half
}

// TestGoldenCost runs the sound search over all 1,000 golden images, on the Go backend over a few, and compares its
// brackets with the official ones, which know the radius to between 0.002 and 2 percent.
func TestGoldenCost(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	all, _ := golden.TestBatch(t)
	want := f.Float64("full_RR_fgsm")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c, n := goldenNet(t, be), len(want)
		if be.Kind() == backend.KindGo {
			n = 100
		}
		results := search(t, c, all[:n*goldenSize], min(n, 250), BoundarySearch{})[0]
		var evaluations, elsewhere, fine, off, never int
		var counts []int
		for i, r := range results {
			evaluations += r.Evaluations
			counts = append(counts, r.Evaluations)
			if r.Unflipped || want[i] > 1 {
				never++
				continue
			}
			lo, hi := officialBracket(want[i])
			if r.Lower > hi || r.Upper < lo {
				elsewhere++
			}
			if hi-lo < 2e-3*want[i] {
				fine++
				if math.Abs(r.Radius-want[i]) > 2e-3*want[i] {
					off++
				}
			}
		}
		slices.Sort(counts)
		mean := float64(evaluations) / float64(n)
		t.Logf("%s: %.3f evaluations an image, median %d, 90 %% at most %d, all at most %d; %d never flipped",
			be.Kind(), mean, counts[n/2], counts[n*9/10], counts[n-1], never)
		t.Logf("%d of %d brackets do not meet the official one; of %d with a fine official one, %d radii differ by more than 0.2 %%",
			elsewhere, n-never, fine, off)
		if mean > 4.6 {
			t.Errorf("%.3f evaluations an image, want at most 4.6", mean)
		}
		if 100*elsewhere > n || 100*off > fine || fine < n/4 || 50*never > n {
			t.Error("the search differs from the official one on more than 1 % of the images")
		}
	})
}
