package radius

import (
	"context"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/nets"
)

// searcher is an estimator that searches.
type searcher interface {
	Estimator
	Starts(base int, images, logits []float32, classes int, built [][]float32) []Start
}

// attack runs several searches over all images at once; results are by search, then image.
func attack(tb testing.TB, c *nets.Classifier, images []float32, slots int, ss ...searcher) [][]Result {
	tb.Helper()
	var builders []builder
	for _, s := range ss {
		builders = append(builders, s)
	}
	logits, built := probe(tb, c, images, builders...)
	found := newSearch(tb, c, slots)
	results := make([][]Result, len(ss))
	for k, s := range ss {
		results[k] = make([]Result, len(logits)/c.Arch.Classes)
		starts := s.Starts(0, images, logits, c.Arch.Classes, built[k])
		for i := range starts {
			index := starts[i].Index
			starts[i].Done = func(r Result) { results[k][index] = r }
		}
		add(tb, found, starts)
	}
	if err := found.Run(context.Background(), true); err != nil {
		tb.Fatal(err)
	}
	return results
}

// within returns the share of values that differ from want by at most rel relative to it.
func within(got, want []float64, rel float64) float64 {
	share, _ := apart(got, want, rel)
	return 1 - share
}

// TestGoldenAttacks compares the official protocol with what the official code found.
func TestGoldenAttacks(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	all, _ := golden.TestBatch(t)
	tests := []struct {
		array string
		s     searcher
		most  int // images
		rel   float64
		share float64 // of the images that must be that near
	}{
		{"s_RR_fgsm", AttackSearch{Protocol: Official}, 32, 1e-3, 0.99},
		{"s_RR_fgsm_targeted", AttackSearch{Protocol: Official, Targets: 1}, 32, 1e-3, 0.99},
		{"first192_RR_pgd", AttackSearch{Protocol: Official, Attack: PGD()}, 16, 1e-3, 0.9},
		{"first192_RR_deepfool", DeepFool{Protocol: Official}, 32, 1e-3, 0.95},
	}
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		c := goldenNet(t, be)
		for _, test := range tests {
			n := test.most
			if be.Kind() == backend.KindGo {
				n = 4
			}
			got := attack(t, c, all[:n*goldenSize], min(n, 64), test.s)[0]
			want := f.Float64(test.array)[:n]
			share := within(radii(got), want, test.rel)
			_, worst := apart(radii(got), want, 0)
			t.Logf("%s: %.4f of %d within %g, worst %.2g", test.array, share, n, test.rel, worst)
			if share < test.share {
				t.Errorf("%s: %.3f of the images are within %g of the official radius, want %g", test.array, share, test.rel, test.share)
			}
		}
	})
}
