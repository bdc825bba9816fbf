package misd_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
)

// tieOrderOfTorch lists images of equal RR_fgsm that torch.argsort, which is not stable, put in another order than that
// of the data, so that the second is removed first. RR-BS brackets are coarse: its 1,000 radii have 905 values, and 15
// groups of equal radius hold both right and wrong predictions. The official AURC reads the risk after the first member
// of each, and of the 2^15 values it can take for these scores, the one below is the only one that equals the stored
// value. The other scores either have no such groups or are in the order of the data where it matters.
var tieOrderOfTorch = [][2]int{
	{760, 995}, {462, 869}, {418, 821}, {147, 326}, {202, 632}, {287, 615}, {538, 710}, {31, 675}, {758, 987},
}

// TestOfficialMetrics computes the three metrics of the official code from the scores it stored.
func TestOfficialMetrics(t *testing.T) {
	file := golden.Open(t, "scores_rat.npz")
	var names []string
	for _, key := range file.Keys() {
		name, ok := strings.CutPrefix(strings.TrimSuffix(key, ".npy"), "full_")
		if ok && file.Has("metrics_"+name) {
			names = append(names, name)
		}
	}
	if len(names) != 26 {
		t.Fatalf("%d scores with metrics: %v", len(names), names)
	}
	correct := flags(file.Float64("full_is_correct"))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			correct := correct
			if name == "RR_fgsm" {
				correct = swapped(correct, tieOrderOfTorch)
			}
			checkOfficial(t, file.Float64("full_"+name), correct, file.Float64("metrics_"+name))
		})
	}
	for _, name := range []string{"RR_pgd", "RR_deepfool"} {
		t.Run(name, func(t *testing.T) {
			checkOfficial(t, file.Float64("first192_"+name), correct[:192], file.Float64("metrics_first192_"+name))
		})
	}
	for _, name := range []string{"RR_fgsm", "RR_fast", "MSR"} {
		t.Run("first192_"+name, func(t *testing.T) {
			checkOfficial(t, file.Float64("full_" + name)[:192], correct[:192], file.Float64("metrics_first192_"+name))
		})
	}
}

func checkOfficial(t *testing.T, confidence []float64, correct []bool, want []float64) {
	t.Helper()
	c, err := misd.NewCurve(confidence, correct)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d predictions, %d distinct confidences", c.Len(), c.Groups())
	for i, got := range []float64{c.AURCRAT(), c.AUROC(), c.FPR95ErrorRAT()} {
		if metric := []string{"aurc_rat", "auroc", "fpr95_error_rat"}[i]; !(math.Abs(got-want[i]) <= 1e-9) {
			t.Errorf("%s = %.12f, want %.12f", metric, got, want[i])
		}
	}
}

func flags(values []float64) []bool {
	out := make([]bool, len(values))
	for i, v := range values {
		out[i] = v != 0
	}
	return out
}

// swapped returns a copy of flags with the pairs of images exchanged.
func swapped(flags []bool, pairs [][2]int) []bool {
	out := slices.Clone(flags)
	for _, p := range pairs {
		out[p[0]], out[p[1]] = out[p[1]], out[p[0]]
	}
	return out
}
