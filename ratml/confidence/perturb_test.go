package confidence_test

import (
	"context"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
)

// differentiable returns every score of logits, some with parameters far from their defaults.
func differentiable(t *testing.T) []confidence.Differentiable {
	t.Helper()
	f := golden.Open(t, "scores_rat.npz")
	run := &misd.Run{Classes: 10, Logits: golden.Read[float32](f, "full_logits")}
	for _, y := range golden.Read[int64](f, "full_labels") {
		run.Label = append(run.Label, int(y))
	}
	for i := range run.Label {
		best := 0
		for c, v := range run.Logits[i*10 : (i+1)*10] {
			if v > run.Logits[i*10+best] {
				best = c
			}
		}
		run.Pred = append(run.Pred, best)
	}
	list := []confidence.Differentiable{
		confidence.ODIN{Temperature: 2}, confidence.DOCTOR{Temperature: 3}, confidence.SoftLogitDiff{Temperature: 2},
		confidence.LinearMix{Lambda: 10}, confidence.Thresholded{Threshold: 0.3}, confidence.TunedLogitDiff{Lambda: 1.3},
		confidence.GEN{Gamma: 0.5, Top: 3}, confidence.Energy{Temperature: 2}, confidence.NormalizedMaxLogit{P: 3},
	}
	for _, l := range []confidence.Learner{confidence.RelU{}, confidence.StandardizedMaxLogit{}, confidence.Calibrated{}} {
		learned, _, err := l.Learn(run)
		require.NoError(t, err)
		list = append(list, learned.(confidence.Differentiable))
	}
	for _, f := range append(confidence.All(radius.Sound), confidence.More()...) {
		if d, ok := f.(confidence.Differentiable); ok {
			list = append(list, d)
		}
	}
	return list
}

// The graph form of every score of logits is its host form, and the gradient of one is that of the other.
func TestGraphFormsEqualHostForms(t *testing.T) {
	const n, classes = 48, 10
	logits := golden.Read[float32](golden.Open(t, "scores_rat.npz"), "full_logits")[:n*classes]
	wide := make([][]float64, n)
	for i := range wide {
		for _, v := range logits[i*classes : (i+1)*classes] {
			wide[i] = append(wide[i], float64(v))
		}
	}
	for _, s := range differentiable(t) {
		exec, err := graph.NewExec(backendtest.Go(t).Backend, func(z *graph.Node) []*graph.Node {
			v := s.Graph(z)
			return []*graph.Node{v, graph.Gradient(graph.ReduceAllSum(v), z)[0]}
		})
		require.NoError(t, err)
		out, err := exec.Call(wide)
		require.NoError(t, err)
		got, slope := out[0].Value().([]float64), out[1].Value().([][]float64)
		want := s.Values(logits, classes, nil)
		for i := range want {
			require.InDelta(t, want[i], got[i], 1e-9*math.Max(1, math.Abs(want[i])), "%#v, image %d", s, i)
			c := i % classes
			const h = 1.0 / 256 // exact in float32 beside these logits
			at := func(d float32) float64 {
				z := append([]float32(nil), logits[i*classes:(i+1)*classes]...)
				z[c] += d
				return s.Values(z, classes, nil)[0]
			}
			require.InDelta(t, (at(h)-at(-h))/(2*h), slope[i][c], 5e-3*math.Max(1, math.Abs(slope[i][c])), "%#v, gradient of image %d by logit %d", s, i, c)
		}
		exec.Finalize()
	}
}

// The official perturbation against arrays that the official code computed.
func TestGoldenPerturbation(t *testing.T) {
	f := golden.Open(t, "scores_rat.npz")
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		n := 1000
		if be.Kind() == backend.KindGo {
			n = 64
		}
		var fs []confidence.Function
		for name, s := range map[string]confidence.Differentiable{
			"MSR": confidence.MSR{}, "ODIN_T2": confidence.ODIN{Temperature: 2}, "ODIN_T1000": confidence.ODIN{Temperature: 1000}, "ratio": confidence.Ratio{},
		} {
			p := confidence.Perturb(0.001, radius.Official, s)[0]
			fs = append(fs, renamed{p.(confidence.Direct), name + "_pert0.001"})
		}
		run := score(t, confidence.Scorer{BatchSize: 100, Protocol: radius.Official}, goldenNet(t, be), goldenSet(t, n), fs...)
		for _, s := range run.Scores {
			require.Equal(t, 4.0, s.Cost)
			bad := 0
			for i, w := range f.Float64("full_" + s.Name)[:n] {
				if math.Abs(s.Values[i]-w) > 2e-4*math.Max(1, math.Abs(w)) {
					bad++
				}
			}
			t.Logf("%s: %d of %d off", s.Name, bad, n)
			if bad > n/100 {
				t.Errorf("%s: %d of %d images differ by more than 2e-4", s.Name, bad, n)
			}
			if n == 1000 {
				c, err := misd.NewCurve(s.Values, run.Correct())
				require.NoError(t, err)
				require.InDelta(t, f.Float64("metrics_" + s.Name)[0], c.AURCRAT(), 3e-4, s.Name)
			}
		}
	})
}

// The official step lowers a positive score and, because it takes the logarithm, raises a negative one; the sound step
// raises both.
func TestDirectionOfPerturbation(t *testing.T) {
	be := backendtest.Go(t)
	c, set := goldenNet(t, be), goldenSet(t, 24)
	scores := []confidence.Differentiable{
		confidence.MSR{}, confidence.ODIN{Temperature: 2}, confidence.MLS{}, confidence.Ratio{}, confidence.Energy{}, // positive
		confidence.NE{}, confidence.HPS{}, confidence.DOCTOR{}, confidence.GEN{}, confidence.RelU{}, // negative
	}
	s := confidence.Scorer{BatchSize: 24}
	for _, p := range []radius.Protocol{radius.Sound, radius.Official} {
		var clean, changed []confidence.Function
		for _, f := range scores {
			clean = append(clean, f)
			changed = append(changed, confidence.Perturbed{Score: f, Level: 1e-3, Protocol: p})
		}
		before, after := score(t, s, c, set, clean...), score(t, s, c, set, changed...)
		require.Equal(t, before.Pred, after.Pred, "predictions are those of the unchanged images")
		for k := range scores {
			rises := 0
			for i, v := range after.Scores[k].Values {
				if v > before.Scores[k].Values[i] {
					rises++
				}
			}
			up := p == radius.Sound || k >= 5
			if up && rises < 20 || !up && rises > 4 {
				t.Errorf("%v: %s rises at %d of 24 images", p, scores[k].Name(), rises)
			}
		}
	}
}

// Searching level and lambda together finds what trying every pair finds. The official protocol keeps the level
// of the best pair and the lambda that is best without perturbation.
func TestFitPerturbation(t *testing.T) {
	be := backendtest.Go(t)
	c, set := small(t, be, nil), shapes(t, 75)
	for _, p := range []radius.Protocol{radius.Sound, radius.Official} {
		s := confidence.Scorer{BatchSize: 32, Protocol: p}
		aurc := func(f confidence.Function) float64 {
			run := score(t, s, c, set, f)
			curve, err := misd.NewCurve(run.Scores[0].Values, run.Correct())
			require.NoError(t, err)
			if p == radius.Official {
				return curve.AURCRAT()
			}
			return curve.AURC()
		}
		var want confidence.Perturbed
		lowest, clean, cleanLowest := math.Inf(1), confidence.TunedLogitDiff{}, math.Inf(1)
		for _, level := range confidence.Levels {
			for _, lambda := range []float64{0.5, 0.75, 0.9, 1.1, 1.3, 2} {
				tuned := confidence.TunedLogitDiff{Lambda: lambda}
				f := confidence.Perturbed{Score: tuned, Level: level, Protocol: p}
				v := aurc(f)
				if v < lowest {
					want, lowest = f, v
				}
				if level == 0 && v < cleanLowest {
					clean, cleanLowest = tuned, v
				}
			}
		}
		if p == radius.Official {
			require.NotEqual(t, want.Score, clean, "the test shows nothing")
			want.Score = clean
		}
		fits, err := s.Fits(context.Background(), c, set, confidence.Perturb(confidence.Searched, p, confidence.TunedLogitDiff{}, radius.Fast{Protocol: p}, confidence.MSR{})...)
		require.NoError(t, err)
		require.Equal(t, want, fits[0].Function)
		require.InDelta(t, lowest, fits[0].Value, 1e-12)
		require.Equal(t, 72, fits[0].Candidates)
		require.IsType(t, radius.Fast{}, fits[1].Function, "radii are not perturbed")
		require.Equal(t, 12, fits[2].Candidates)
		_, err = confidence.Score(context.Background(), c, set, confidence.Perturbed{Score: confidence.MSR{}, Level: confidence.Searched})
		require.ErrorContains(t, err, "fit it first")
	}
}

// A given level is kept, and the temperature fitted at it.
func TestFitAtGivenLevel(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 40)
	p := confidence.Perturbed{Score: confidence.RelU{}, Level: 0.0006}
	fits, err := confidence.Scorer{}.Fits(context.Background(), c, set, p)
	require.NoError(t, err)
	got := fits[0].Function.(confidence.Perturbed)
	require.Equal(t, 0.0006, got.Level)
	require.Len(t, got.Score.(confidence.RelU).Weights, 3)
	require.Equal(t, len(radius.Temperatures), fits[0].Candidates)
}
