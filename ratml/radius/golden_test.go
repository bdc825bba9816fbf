package radius_test

import (
	"context"
	"math"
	"sort"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/weights"
)

// goldenNet returns the WRN-10-1 behind the golden scores.
func goldenNet(tb testing.TB, be *backend.Backend) *nets.Classifier {
	tb.Helper()
	w, err := weights.Load(golden.Dir() + "/weights_rat.safetensors")
	if err != nil {
		tb.Fatal(err)
	}
	a, err := nets.Lookup("wrn10_1_cifar10")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := nets.NewClassifier(be, a, w)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

type estimator interface {
	Build(*radius.Probe) []*graph.Node
	Values(logits []float32, classes int, built [][]float32) []float64
}

// probe runs the shared pass of e on images and returns logits and built outputs.
func probe(tb testing.TB, c *nets.Classifier, images []float32, build func(*radius.Probe) []*graph.Node) (logits []float32, built [][]float32) {
	tb.Helper()
	p, err := c.Compile("probe", func(net nets.Network, in []*graph.Node) []*graph.Node {
		p := radius.NewProbe(net, in[0])
		return append([]*graph.Node{p.Logits}, build(p)...)
	})
	if err != nil {
		tb.Fatal(err)
	}
	defer p.Free()
	out, err := p.RunFloats(c.Arch.Images(images))
	if err != nil {
		tb.Fatal(err)
	}
	return out[0], out[1:]
}

// within returns the share of values whose relative difference from want is at most rel, and the largest.
func within(got, want []float64, rel float64) (share, worst float64) {
	good := 0
	for i := range got {
		d := math.Abs(got[i]-want[i]) / math.Abs(want[i])
		if got[i] == want[i] {
			d = 0
		}
		worst = max(worst, d)
		if d <= rel {
			good++
		}
	}
	return float64(good) / float64(len(got)), worst
}

func TestGoldenClosedForms(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	images := golden.Images(f, "images")
	tests := []struct {
		array string
		e     estimator
		rel   float64
	}{
		{"s64_RR_fast", radius.Fast{Protocol: radius.Official}, 1e-4},
		{"s64_RR_fast_T2", radius.Fast{Protocol: radius.Official, Temperature: 2}, 1e-4},
		{"s_RR_fast_T0.2", radius.Fast{Protocol: radius.Official, Temperature: 0.2}, 1e-4},
		{"s64_RR_exp", radius.Margin{Protocol: radius.Official}, 1e-4},
		{"s64_RR_soft", radius.SoftMargin{Protocol: radius.Official}, 1e-4},
		{"s64_RR_soft_T2", radius.SoftMargin{Protocol: radius.Official, Temperature: 2}, 1e-4},
		// At temperature 1 both protocols mean the same where nothing saturates.
		{"s64_RR_fast", radius.Fast{}, 1e-4},
		{"s64_RR_exp", radius.Margin{}, 1e-4},
		{"s64_RR_soft", radius.SoftMargin{}, 1e-4},
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := goldenNet(t, be)
		for _, test := range tests {
			logits, built := probe(t, c, images, test.e.Build)
			share, worst := within(test.e.Values(logits, 10, built), f.Float64(test.array), test.rel)
			t.Logf("%-18s %+v: worst relative difference %.2g", test.array, test.e, worst)
			if share < 1 {
				t.Errorf("%s: only %.3f of the images within %g, worst %.3g", test.array, share, test.rel, worst)
			}
		}
	})
}

// search runs b over images in batches of n.
func search(tb testing.TB, c *nets.Classifier, images []float32, b radius.BoundarySearch, n, slots int) []radius.Result {
	tb.Helper()
	size := 3072
	found := make([]radius.Result, len(images)/size)
	s, err := b.Search(c, slots, func(i int, r radius.Result) { found[i] = r })
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Free()
	for i := 0; i < len(found); i += n {
		batch := images[i*size : (i+n)*size]
		logits, built := probe(tb, c, batch, b.Build)
		for _, start := range b.Starts(i, batch, logits, 10, built) {
			s.Add(start)
		}
		if err := s.Run(context.Background(), false); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.Run(context.Background(), true); err != nil {
		tb.Fatal(err)
	}
	return found
}

func TestGoldenBoundarySearch(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	images := golden.Images(f, "images")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := goldenNet(t, be)
		for array, b := range map[string]radius.BoundarySearch{
			"s_RR_fgsm":    {Protocol: radius.Official},
			"s_RR_fgsm_T2": {Protocol: radius.Official, Temperature: 2},
			"s64_RR_fgsm":  {},
		} {
			var got []float64
			evals := 0
			for _, r := range search(t, c, images, b, 64, 16) {
				got = append(got, r.Radius)
				evals += r.Evaluations
			}
			share, worst := within(got, f.Float64(array), 1e-3)
			t.Logf("%s %+v: %.3f within 1e-3, worst %.2g; %.2f evaluations", array, b, share, worst, float64(evals)/64)
			if share < 0.99 {
				t.Errorf("%s", array)
			}
		}
	})
}

func TestSearchCost(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	images, _ := golden.TestBatch(t)
	c := goldenNet(t, backendtest.XLA(t))
	r := search(t, c, images, radius.BoundarySearch{}, 200, 100)
	want := f.Float64("full_RR_fgsm")
	var evals, bad []int
	sum, never := 0, 0
	for i := range r {
		evals = append(evals, r[i].Evaluations)
		sum += r[i].Evaluations
		if r[i].Unflipped {
			never++
		} else if math.Abs(r[i].Radius-want[i])/want[i] > 2e-3 {
			bad = append(bad, i)
		}
	}
	sort.Ints(evals)
	t.Logf("mean %.3f median %d p90 %d p99 %d max %d; never %d; off by more than 0.2%%: %d", float64(sum)/1000, evals[500], evals[900], evals[990], evals[999], never, len(bad))
}
