package confidence_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
)

// renamed is a function under another name, so that one run can hold it with several temperatures.
type renamed struct {
	confidence.Direct
	name string
}

func (r renamed) Name() string { return r.name }

// goldenLogitScores are the scores that need nothing but logits, under the names of their golden arrays.
func goldenLogitScores() []confidence.Function {
	return []confidence.Function{
		confidence.MSR{}, renamed{confidence.ODIN{Temperature: 1000}, "ODIN_T1000"}, renamed{confidence.ODIN{Temperature: 2}, "ODIN_T2"},
		confidence.NE{}, confidence.HPS{}, confidence.DOCTOR{}, renamed{confidence.DOCTOR{Temperature: 2}, "DOCTOR_T2"},
		confidence.TFDOCTOR{}, confidence.MLS{}, confidence.Ratio{}, confidence.LogitDiff{}, confidence.SoftLogitDiff{},
		confidence.LinearMix{}, confidence.Thresholded{}, confidence.TunedLogitDiff{},
	}
}

// goldenScores are all scores whose golden arrays are of all 1,000 images.
func goldenScores() []confidence.Function {
	o := radius.Official
	return append(goldenLogitScores(),
		radius.Fast{Protocol: o}, renamed{radius.Fast{Protocol: o, Temperature: 2}, "RR_fast_T2"},
		renamed{radius.Fast{Protocol: o, Temperature: 0.2}, "RR_fast_T0.2"}, radius.Margin{Protocol: o},
		radius.SoftMargin{Protocol: o}, renamed{radius.SoftMargin{Protocol: o, Temperature: 2}, "RR_soft_T2"},
		radius.BoundarySearch{Protocol: o})
}

// Scores of the golden float32 logits of 64 images, against the official code in float64. Where the score is a
// difference of probabilities near 0 or 1, the logits' rounding leaves an absolute error.
func TestGoldenLogitScores(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	for _, test := range []struct {
		logits   []float32
		abs, rel float64
	}{
		{golden.Read[float32](f, "logits"), 2e-6, 1e-5},
		{narrow(golden.Read[float64](f, "logits_f64")), 1e-6, 1e-6},
	} {
		for _, s := range goldenLogitScores() {
			got := s.(confidence.Direct).Values(test.logits, 10, nil)
			for i, want := range f.Float64("s64_" + s.Name()) {
				if d := math.Abs(got[i] - want); !(d <= test.abs || d <= test.rel*math.Abs(want)) {
					t.Errorf("%s of image %d is %.8g, want %.8g", s.Name(), i, got[i], want)
					break
				}
			}
		}
	}
}

func narrow(v []float64) []float32 {
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return w
}

// tolerance is how far the scores of a run may be from the official ones: both are float32, as are the networks behind
// them. Exceptions may lie farther off, as a share of the images.
type tolerance struct{ abs, rel, exceptions float64 }

func toleranceOf(name string) tolerance {
	switch name {
	case "MSR", "ODIN_T2", "ODIN_T1000", "HPS", "linear_mix", "thr", "NE":
		return tolerance{1e-5, 0, 0} // probabilities and their differences
	case "RR_fast_T0.2":
		return tolerance{0, 1e-4, 0.05} // rounding decides, see package radius
	case "RR_fast", "RR_fast_T2", "RR_exp", "RR_soft", "RR_soft_T2":
		return tolerance{0, 1e-4, 0.01}
	case "RR_fgsm":
		return tolerance{0, 1e-3, 0.01}
	}
	return tolerance{2e-5, 2e-5, 0} // logits and their functions
}

// TestGoldenRun scores the golden images by every score at once and compares with the official scores and metrics: all
// 1,000 images on XLA, 64 on the Go backend.
func TestGoldenRun(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		n := 1000
		if be.Kind() == backend.KindGo {
			n = 64
		}
		s := confidence.Scorer{BatchSize: 100, Protocol: radius.Official}
		run, err := s.Run(context.Background(), goldenNet(t, be), goldenSet(t, n), goldenScores()...)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Validate(); err != nil {
			t.Fatal(err)
		}
		checkPredictions(t, f, run)
		for _, sc := range run.Scores {
			checkScore(t, sc, f.Float64("full_" + sc.Name)[:n])
			if n == 1000 {
				checkMetrics(t, run, sc, f.Float64("metrics_"+sc.Name))
			}
		}
		if c := run.Score("RR_fgsm"); c.Cost != 3+24 {
			t.Errorf("the official search costs %v forward equivalents, want 27", c.Cost)
		}
	})
}

// checkPredictions compares logits, predictions and labels.
func checkPredictions(t *testing.T, f *golden.File, run *misd.Run) {
	t.Helper()
	labels, correct, logits := f.Float64("full_labels"), f.Float64("full_is_correct"), f.Float64("full_logits")
	worst := 0.0
	for i, z := range run.Logits {
		worst = math.Max(worst, math.Abs(float64(z)-logits[i]))
	}
	if worst > 2e-5 {
		t.Errorf("logits differ by %.2g", worst)
	}
	for i, ok := range run.Correct() {
		if run.Label[i] != int(labels[i]) || ok != (correct[i] == 1) {
			t.Fatalf("image %d: label %d, correct %v; want %v, %v", i, run.Label[i], ok, labels[i], correct[i] == 1)
		}
	}
}

func checkScore(t *testing.T, s misd.Score, want []float64) {
	t.Helper()
	tol := toleranceOf(s.Name)
	bad, worst := 0, 0.0
	for i, w := range want {
		d := math.Abs(s.Values[i] - w)
		worst = math.Max(worst, d/math.Max(math.Abs(w), 1e-9))
		if !(d <= tol.abs+tol.rel*math.Abs(w)) {
			bad++
		}
	}
	t.Logf("%-13s worst relative difference %.2g; %d beyond %+v", s.Name, worst, bad, tol)
	if float64(bad) > tol.exceptions*float64(len(want)) {
		t.Errorf("%s: %d of %d images differ by more than %+v", s.Name, bad, len(want), tol)
	}
}

// checkMetrics compares the metrics of our scores with those that the official code computed from its own. The official
// AURC and FPR95 depend on the order of equal and nearly equal scores, so that rounding moves them.
func checkMetrics(t *testing.T, run *misd.Run, s misd.Score, want []float64) {
	t.Helper()
	c, err := misd.NewCurve(s.Values, run.Correct())
	if err != nil {
		t.Fatal(err)
	}
	var off string
	for i, got := range []float64{c.AURCRAT(), c.AUROC(), c.FPR95ErrorRAT()} {
		d := got - want[i]
		off += fmt.Sprintf(" %.1g", d)
		if limit := []float64{1e-4, 5e-5, 2e-3}[i]; !(math.Abs(d) <= limit) {
			t.Errorf("%s: %s is %.6f, want %.6f", s.Name, []string{"aurc_rat", "auroc", "fpr95_error_rat"}[i], got, want[i])
		}
	}
	t.Logf("%-13s aurc_rat, auroc, fpr95_error_rat differ by%s", s.Name, off)
}
