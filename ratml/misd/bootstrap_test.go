package misd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestResampleEqualsCopies checks that weighting ranks gives what ranking a list with copies gives, for every metric.
func TestResampleEqualsCopies(t *testing.T) {
	var reuse judged
	overSamples(t, func(t *testing.T, rng *rand.Rand, s sample) {
		n := len(s.correct)
		probs, labels := make([]float64, 3*n), make([]int, n)
		for i := range n {
			a, b := rng.Float64(), rng.Float64()
			probs[3*i], probs[3*i+1], probs[3*i+2] = a, (1-a)*b, (1-a)*(1-b)
			labels[i] = rng.IntN(3)
		}
		counts := make([]int32, n)
		draw(counts, [2]uint64{rng.Uint64(), rng.Uint64()})

		var copies sample
		var copiedProbs []float64
		var copiedLabels []int
		for i, k := range counts {
			for range k {
				copies.confidence = append(copies.confidence, s.confidence[i])
				copies.correct = append(copies.correct, s.correct[i])
				copiedProbs = append(copiedProbs, probs[3*i:3*i+3]...)
				copiedLabels = append(copiedLabels, labels[i])
			}
		}
		want := judged{copies.curve(t), calibrated(t, copiedProbs, copiedLabels)}
		reuse = judged{s.curve(t), calibrated(t, probs, labels)}.resample(reuse, counts)
		for _, m := range applicable(want) {
			if a, b := m.estimate(reuse).Value, m.estimate(want).Value; a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
				t.Errorf("%s: %v on the resample, %v on the copies", m.Name, a, b)
			}
		}
		if !slices.Equal(reuse.curve.thresholds, want.curve.thresholds) || !slices.Equal(reuse.curve.wrong, want.curve.wrong) {
			t.Error("thresholds or ranks differ")
		}
	})
}

func calibrated(t testing.TB, probs []float64, labels []int) *Calibration {
	t.Helper()
	c, err := NewCalibration(probs, labels, 3)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDrawIsUniform(t *testing.T) {
	const n, draws = 10, 10000
	var first, total [n]float64
	counts := make([]int32, n)
	for i := range draws {
		draw(counts, [2]uint64{uint64(i), 7})
		sum := int32(0)
		for j, k := range counts {
			total[j] += float64(k)
			first[j] += float64(k * k)
			sum += k
		}
		if sum != n {
			t.Fatalf("%d draws, want %d", sum, n)
		}
	}
	for j := range n {
		mean, square := total[j]/draws, first[j]/draws
		// Multinomial: mean 1, mean square 1 + (1-1/n); five standard errors.
		if math.Abs(mean-1) > 0.05 || math.Abs(square-1.9) > 0.15 {
			t.Errorf("prediction %d: mean count %g, mean square %g, want 1 and 1.9", j, mean, square)
		}
	}
}

func TestBootstrapDoesNotDependOnWorkers(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	c := randomSample(rng, 300, 40).curve(t)
	b := Bootstrap{Resamples: 64, Seed: 11}
	var want string
	for _, workers := range []int{1, 2, 7, 0} {
		b.Workers = workers
		e, err := b.Evaluate(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := mustJSON(t, e)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d workers change the result", workers)
		}
	}
	b.Seed++
	if e, _ := b.Evaluate(t.Context(), c, nil); mustJSON(t, e) == want {
		t.Error("the seed does not change the result")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestIntervalOfErrorRate compares the bootstrap with the binomial distribution that it must reproduce.
func TestIntervalOfErrorRate(t *testing.T) {
	const n, p = 4000, 0.25
	s := sample{make([]float64, n), make([]bool, n)}
	for i := range s.correct {
		s.correct[i] = i%4 != 0
	}
	for _, level := range []float64{0.5, 0.95} {
		e, err := Bootstrap{Resamples: 4000, Seed: 3, Level: level}.Evaluate(t.Context(), s.curve(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		half := map[float64]float64{0.5: 0.6745, 0.95: 1.96}[level] * math.Sqrt(p*(1-p)/n)
		aurc := e["aurc"] // all confidences tie: the error rate
		if math.Abs(aurc.Lower-(p-half)) > 0.1*half || math.Abs(aurc.Upper-(p+half)) > 0.1*half {
			t.Errorf("level %g: [%g, %g], want about [%g, %g]", level, aurc.Lower, aurc.Upper, p-half, p+half)
		}
		if aurc.Resamples != 4000 {
			t.Errorf("%d resamples", aurc.Resamples)
		}
	}
}

func TestEvaluateHasEveryMetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	s := randomSample(rng, 100, 30)
	probs, labels := make([]float64, 300), make([]int, 100)
	for i := range labels {
		probs[3*i], probs[3*i+1], probs[3*i+2] = 0.5, 0.3, 0.2
		labels[i] = i % 3
	}
	e, err := Bootstrap{Resamples: 50}.Evaluate(t.Context(), s.curve(t), calibrated(t, probs, labels))
	if err != nil {
		t.Fatal(err)
	}
	if len(e) != len(Metrics()) {
		t.Errorf("%d estimates of %d metrics", len(e), len(Metrics()))
	}
	for _, m := range Metrics() {
		v, ok := e[m.Name]
		if !ok || math.IsNaN(v.Value) || !v.HasInterval() || v.Lower > v.Upper || v.Resamples != 50 {
			t.Errorf("%s: %+v", m.Name, v)
		}
	}
	var back Evaluation
	if err := json.Unmarshal([]byte(mustJSON(t, e)), &back); err != nil {
		t.Fatal(err)
	}
	for name := range e {
		if back[name] != e[name] {
			t.Errorf("%s: %+v came back from JSON as %+v", name, e[name], back[name])
		}
	}
}

// TestRareClass has one error, so that about 37 % of the resamples have none and no AUROC.
func TestRareClass(t *testing.T) {
	s := sample{make([]float64, 50), make([]bool, 50)}
	for i := range s.correct {
		s.confidence[i], s.correct[i] = float64(i), i != 5
	}
	e, err := Bootstrap{Seed: 1}.Evaluate(t.Context(), s.curve(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := e["auroc"].Resamples; n < 550 || n > 720 || !e["auroc"].HasInterval() {
		t.Errorf("auroc rests on %d resamples, want about 636: %+v", n, e["auroc"])
	}
	if n := e["aurc"].Resamples; n != 1000 {
		t.Errorf("aurc rests on %d resamples", n)
	}
}

func TestDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	good := randomSample(rng, 500, 1<<20)
	bad := sample{make([]float64, 500), good.correct}
	for i := range bad.confidence {
		bad.confidence[i] = rng.Float64()
	}
	b := Bootstrap{Resamples: 300, Seed: 9}
	x, y := good.curve(t), bad.curve(t)
	d, err := b.Difference(t.Context(), x, y)
	if err != nil {
		t.Fatal(err)
	}
	ex, ey := evaluate(t, x), evaluate(t, y)
	for name, v := range d {
		close12(t, name, v.Value, ex[name].Value-ey[name].Value)
	}
	if v := d["aurc"]; !(v.Lower < v.Value && v.Value < v.Upper && v.Upper < 0) {
		t.Errorf("aurc of a good and a random score differ by %+v", v)
	}
	same, err := b.Difference(t.Context(), x, x)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range same {
		if v.Value != 0 || v.Lower != 0 || v.Upper != 0 {
			t.Errorf("%s of a score and itself differ by %+v", name, v)
		}
	}
}

func TestBootstrapErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	c, short := randomSample(rng, 20, 5).curve(t), randomSample(rng, 19, 5).curve(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Bootstrap{}).Evaluate(cancelled, c, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	empty := &Calibration{}
	for want, err := range map[string]error{
		"neither a curve nor a calibration":             second(Bootstrap{}.Evaluate(t.Context(), nil, nil)),
		"curve of 20 predictions, calibration of 0":     second(Bootstrap{}.Evaluate(t.Context(), c, empty)),
		"level 1 is outside (0,1)":                      second(Bootstrap{Level: 1}.Evaluate(t.Context(), c, nil)),
		"level NaN is outside (0,1)":                    second(Bootstrap{Level: nan}.Evaluate(t.Context(), c, nil)),
		"difference of curves of 20 and 19 predictions": second(Bootstrap{}.Difference(t.Context(), c, short)),
		"difference of a curve that is nil":             second(Bootstrap{}.Difference(t.Context(), c, nil)),
		"difference of curves of 19 and 20 predictions": second(Bootstrap{}.Difference(t.Context(), short, c)),
		"level -0.5 is outside (0,1)":                   second(Bootstrap{Level: -0.5}.Difference(t.Context(), c, c)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func second(_ Evaluation, err error) error { return err }

func TestQuantile(t *testing.T) {
	for _, c := range []struct{ p, want float64 }{{0, 1}, {0.25, 2}, {0.3, 2.2}, {0.5, 3}, {0.9, 8.2}, {1, 11}} {
		if got := quantile([]float64{1, 2, 3, 4, 11}, c.p); math.Abs(got-c.want) > tolerance {
			t.Errorf("quantile %g = %g, want %g", c.p, got, c.want)
		}
	}
	inf := math.Inf(1)
	if got := quantile([]float64{1, 2, inf, inf}, 0.9); got != inf {
		t.Errorf("quantile among infinities = %g", got)
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %g", got)
	}
}

func BenchmarkBootstrap(b *testing.B) {
	for _, levels := range []int{1 << 40, 500} {
		rng := rand.New(rand.NewPCG(1, 1))
		c := randomSample(rng, 10000, levels).curve(b)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("n=10000/groups=%d/workers=%d", c.Groups(), workers), func(b *testing.B) {
				for b.Loop() {
					if _, err := (Bootstrap{Workers: workers}).Evaluate(b.Context(), c, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	s := randomSample(rand.New(rand.NewPCG(1, 1)), 10000, 1<<40)
	for b.Loop() {
		c := s.curve(b)
		for _, m := range applicable(judged{curve: c}) {
			m.estimate(judged{curve: c})
		}
	}
}
