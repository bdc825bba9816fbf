package confidence_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/radius"
)

func aurcOf(t *testing.T, run *misd.Run, name string) float64 {
	t.Helper()
	c, err := misd.NewCurve(run.Score(name).Values, run.Correct())
	require.NoError(t, err)
	return c.AURC()
}

// On the golden net, a cascade fitted on half of the images keeps on the other half within 1 % of the radius's AURC at a
// third of its cost, in the mean over forty divisions into halves (of one division the difference of the two is rather
// 4 %, either way).
func TestGoldenCascade(t *testing.T) {
	c, set := goldenNet(t, backendtest.XLA(t)), goldenSet(t, 1000)
	run := score(t, confidence.Scorer{BatchSize: 64}, c, set, radius.BoundarySearch{}, confidence.LogitDiff{})
	const splits = 40
	var aurcs, costs, cheaps float64 // relative to the radius
	for seed := range uint64(splits) {
		rows := rand.New(rand.NewPCG(seed, 0)).Perm(1000)
		validation, err := run.Subset(rows[:500])
		require.NoError(t, err)
		test, err := run.Subset(rows[500:])
		require.NoError(t, err)
		learned, _, err := (&confidence.Cascade{}).Learn(validation)
		require.NoError(t, err)
		applyCascade(test, learned.(*confidence.Cascade))
		own := aurcOf(t, test, "RR_fgsm")
		aurcs += aurcOf(t, test, "Cascade") / own / splits
		cheaps += aurcOf(t, test, "logiDiff") / own / splits
		costs += test.Score("Cascade").Cost / test.Score("RR_fgsm").Cost / splits
	}
	t.Logf("AURC over the radius's: cascade %.4f, cheap score alone %.4f; cost over the radius's: %.3f", aurcs, cheaps, costs)
	require.Less(t, aurcs, 1.01)
	require.Less(t, costs, 1.0/3+0.01)
}

// applyCascade adds the column of a cascade to a run that has those of its scores.
func applyCascade(run *misd.Run, s *confidence.Cascade) {
	values, open := s.Settle(run.Logits, run.Classes, nil)
	searched := 0.0
	for i, o := range open {
		if o {
			values[i] = s.Place(radius.Result{Radius: run.Score("RR_fgsm").Values[i]})
			searched += 1 / float64(len(open))
		}
	}
	run.Scores = append(run.Scores, misd.Score{Name: "Cascade", Values: values, Cost: 1 + searched*run.Score("RR_fgsm").Cost})
}

// A run of a cascade finds what applying it to the columns of a run of its scores gives, and one order: images below
// the band rank below those in it, and those above it; outside by the cheap score, inside by the radius.
func TestCascadeRun(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 120)
	s := confidence.Scorer{BatchSize: 32}
	fits, err := s.Fits(context.Background(), c, set, &confidence.Cascade{Budget: 0.5})
	require.NoError(t, err)
	cascade := fits[0].Function.(*confidence.Cascade)
	run := score(t, s, c, set, radius.BoundarySearch{}, confidence.LogitDiff{})
	applyCascade(run, cascade)
	alone := score(t, s, c, set, cascade).Scores[0]
	require.InDeltaSlice(t, run.Score("Cascade").Values, alone.Values, 1e-3)
	require.InDelta(t, run.Score("Cascade").Cost, alone.Cost, 0.5)
	require.LessOrEqual(t, run.Score("Cascade").Cost, 0.5*run.Score("RR_fgsm").Cost+1e-9)

	v, z, r := run.Score("Cascade").Values, run.Score("logiDiff").Values, run.Score("RR_fgsm").Values
	zone := func(i int) int {
		switch {
		case z[i] < cascade.Band[0]:
			return 0
		case z[i] > cascade.Band[1]:
			return 2
		}
		return 1
	}
	seen := [3]int{}
	for i := range v {
		seen[zone(i)]++
		for j := range v {
			outside := zone(i) == zone(j) && zone(i) != 1 && z[i] < z[j] && v[i] > v[j]
			inside := zone(i) == 1 && zone(j) == 1 && r[i] < r[j] && v[i] > v[j]
			if zone(i) < zone(j) && v[i] >= v[j] || outside || inside {
				t.Fatalf("images %d and %d: cheap %g, %g, radius %g, %g, cascade %g, %g", i, j, z[i], z[j], r[i], r[j], v[i], v[j])
			}
		}
	}
	require.NotZero(t, seen[1])
}

func TestCascadeCurve(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 80)
	s := confidence.Scorer{BatchSize: 16}
	run := score(t, s, c, set, confidence.LogitDiff{}, radius.BoundarySearch{})
	curve, err := (&confidence.Cascade{}).Curve(run)
	require.NoError(t, err)
	first, last := curve[0], curve[len(curve)-1]
	require.Zero(t, first.Share)
	require.InDelta(t, aurcOf(t, run, "logiDiff"), first.AURC, 1e-12, "nothing searched: the cheap score")
	require.Equal(t, 1.0, first.Cost)
	require.Equal(t, 1.0, last.Share)
	require.InDelta(t, aurcOf(t, run, "RR_fgsm"), last.AURC, 1e-12, "all searched: the radius")
	for i := 1; i < len(curve); i++ {
		require.GreaterOrEqual(t, curve[i].Cost, curve[i-1].Cost)
	}
	const budget = 0.6
	_, expected, err := (&confidence.Cascade{Budget: budget}).Learn(run)
	require.NoError(t, err)
	least := math.Inf(1)
	for _, p := range curve {
		if p.Relative <= budget {
			least = math.Min(least, p.Expected)
		}
	}
	require.LessOrEqual(t, expected, least)
	require.Less(t, expected, first.Expected)
	_, err = (&confidence.Cascade{}).Curve(score(t, s, c, set, confidence.MSR{}))
	require.ErrorContains(t, err, "the run lacks score logiDiff or RR_fgsm")
	_, err = s.Fits(context.Background(), c, set, &confidence.Cascade{Budget: 0.01})
	require.ErrorContains(t, err, "budget of 0.01")
	_, err = confidence.Score(context.Background(), c, set, &confidence.Cascade{})
	require.ErrorContains(t, err, "Cascade has no band yet; fit it first")
}

// The cascade's columns do not depend on the batch size, on padding or on what else is in the run.
func TestCascadeBatches(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		// The ends of the band are scores of images that it was fitted to, which rounding takes in or out.
		parts, err := dataset.Split(shapes(t, 82), 1, 41, 41)
		require.NoError(t, err)
		c, set := small(t, be, nil), parts[1]
		fits, err := confidence.Scorer{}.Fits(context.Background(), c, parts[0], &confidence.Cascade{Budget: 0.8})
		require.NoError(t, err)
		want := score(t, confidence.Scorer{BatchSize: 41}, c, set, fits[0].Function).Scores[0]
		for _, size := range []int{1, 7, 64} {
			run := score(t, confidence.Scorer{BatchSize: size}, c, set, radius.BoundarySearch{}, fits[0].Function)
			got := run.Score("Cascade")
			require.InDeltaSlice(t, want.Values, got.Values, 2e-3)
			require.InDelta(t, want.Cost, got.Cost, 0.3)
		}
	})
}

// A stack ranks at least about as well as its best part, weighs a useless part little, and computes its parts once even
// if they are asked for as well. Labels are drawn from the softmax, so that the network is calibrated.
func TestStack(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	var set rows
	for range 1500 {
		z := [3]float32{float32(2 * rng.NormFloat64()), float32(2 * rng.NormFloat64()), float32(2 * rng.NormFloat64())}
		set.logits = append(set.logits, z)
		u, label := rng.Float64(), 0
		for ; label < 2; label++ {
			if u -= math.Exp(float64(z[label])) / (math.Exp(float64(z[0])) + math.Exp(float64(z[1])) + math.Exp(float64(z[2]))); u < 0 {
				break
			}
		}
		set.labels = append(set.labels, label)
	}
	c := identity(t)
	s := confidence.Scorer{BatchSize: 500}
	stack := &confidence.Stack{Functions: []confidence.Function{confidence.MSR{}, confidence.MLS{}, radius.Margin{}, noise{}}}
	fits, err := s.Fits(context.Background(), c, dataset.Take(set, 1000), stack)
	require.NoError(t, err)
	require.Nil(t, stack.Weights, "the function that was given stays as it is")
	got := fits[0].Function.(*confidence.Stack)
	require.Len(t, got.Weights, 4)
	require.Equal(t, got.LogLoss, fits[0].Value)
	t.Log(got)
	require.Less(t, math.Abs(got.Weights[3]), 0.3*slices.Max(got.Weights))
	require.Contains(t, got.String(), "MSR")

	rest, err := dataset.Select(set, sequence(1000, 1500))
	require.NoError(t, err)
	run := score(t, s, c, rest, got, confidence.MSR{})
	require.Len(t, run.Scores, 2, "parts that were not asked for are left out")
	parts := score(t, s, c, rest, confidence.MSR{}, confidence.MLS{}, radius.Margin{})
	require.Equal(t, parts.Score("MSR").Values, run.Score("MSR").Values)
	for _, p := range parts.Scores {
		require.Less(t, aurcOf(t, run, "Stack"), 1.02*aurcOf(t, parts, p.Name), p.Name)
	}
	require.Equal(t, 3.0, run.Score("Stack").Cost)

	_, err = confidence.Score(context.Background(), c, set, stack)
	require.ErrorContains(t, err, "Stack has no weights yet; fit it first")
	_, err = s.Fits(context.Background(), c, set, &confidence.Stack{})
	require.ErrorContains(t, err, "no scores to stack")
	_, err = s.Fits(context.Background(), c, set, &confidence.Stack{Functions: []confidence.Function{confidence.ODIN{}, confidence.ODIN{Temperature: 2}}})
	require.ErrorContains(t, err, "ODIN is listed twice")
	_, err = s.Fits(context.Background(), c, dataset.Take(set, 3), stack)
	require.ErrorContains(t, err, "3 validation images in 5 folds")
}

func sequence(from, to int) []int {
	var v []int
	for i := from; i < to; i++ {
		v = append(v, i)
	}
	return v
}

// A stack of a search and of a cascade: parts of parts.
func TestStackOfSearches(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 60)
	s := confidence.Scorer{BatchSize: 32}
	cascade, err := s.Fit(context.Background(), c, set, &confidence.Cascade{Budget: 0.7})
	require.NoError(t, err)
	stack, err := s.Fit(context.Background(), c, set, &confidence.Stack{Functions: []confidence.Function{cascade[0], radius.BoundarySearch{}}})
	require.NoError(t, err)
	outer, err := s.Fit(context.Background(), c, set, &confidence.Stack{Functions: []confidence.Function{stack[0], confidence.MSR{}}})
	require.NoError(t, err)
	run := score(t, s, c, set, outer[0])
	inner := score(t, s, c, set, stack[0], confidence.MSR{})
	want := outer[0].(*confidence.Stack).Combine([][]float64{inner.Score("Stack").Values, inner.Score("MSR").Values})
	require.InDeltaSlice(t, want, run.Scores[0].Values, 1e-9)
	require.Greater(t, run.Scores[0].Cost, 4.0, "searches of parts count")
}

// noise is a score that knows nothing.
type noise struct{ confidence.MSR }

func (noise) Name() string { return "noise" }
func (noise) Values(logits []float32, classes int, _ [][]float32) []float64 {
	v := make([]float64, len(logits)/classes)
	for i := range v {
		v[i] = math.Mod(math.Abs(float64(logits[i*classes]))*1e4, 1)
	}
	return v
}

// Whatever is fitted can be stored and gives the same scores when read again.
func TestSaveAndLoadFits(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 80)
	st, err := confidence.CollectStatistics(context.Background(), c, set, 0)
	require.NoError(t, err)
	s := confidence.Scorer{Dataset: "shapes"}
	fits, err := s.Fits(context.Background(), c, set,
		confidence.MSR{}, confidence.ODIN{}, confidence.RelU{}, confidence.Calibrated{}, confidence.StandardizedMaxLogit{},
		confidence.GEN{}, confidence.Neighbours{Statistics: st}, radius.Fast{}, confidence.TestTime{Shift: 2},
		confidence.Perturbed{Score: confidence.DOCTOR{}, Level: confidence.Searched},
		&confidence.Cascade{Cheap: confidence.MLS{}}, &confidence.Stack{Functions: []confidence.Function{confidence.MLS{}, noise{}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "fits.json")
	require.NoError(t, confidence.SaveFits(path, fits))
	prototypes := []confidence.Function{confidence.Neighbours{Statistics: st}, &confidence.Stack{Functions: []confidence.Function{noise{}}}}
	loaded, err := confidence.LoadFits(path, prototypes...)
	require.NoError(t, err)
	var before, after []confidence.Function
	for i, f := range fits {
		g := loaded[i]
		require.Equal(t, f.Objective, g.Objective)
		require.Equal(t, f.Candidates, g.Candidates)
		require.True(t, f.Value == g.Value || math.IsNaN(f.Value) && math.IsNaN(g.Value))
		if f.Objective != "" {
			require.Equal(t, "shapes", g.Data)
			require.Equal(t, 80, g.Images)
		}
		before, after = append(before, f.Function), append(after, g.Function)
	}
	want, got := score(t, s, c, set, before...), score(t, s, c, set, after...)
	for i := range want.Scores {
		require.Equal(t, want.Scores[i], got.Scores[i])
	}
	_, err = confidence.LoadFits(path)
	require.ErrorContains(t, err, `unknown score "noise"; give its prototype`)
	_, err = confidence.LoadFits(path + ".none")
	require.ErrorContains(t, err, "fits.json.none")
	require.ErrorContains(t, confidence.SaveFits(filepath.Join(path, "x"), fits), "fits.json")
}

func FuzzDecode(f *testing.F) {
	for _, fn := range []confidence.Function{
		confidence.MSR{}, confidence.RelU{Weights: [][]float64{{0, 1}, {1, 0}}}, &confidence.Cascade{},
		&confidence.Stack{Functions: []confidence.Function{confidence.MSR{}}}, confidence.Perturbed{Score: confidence.MSR{}, Level: 1e-3},
	} {
		data, err := confidence.Encode(fn)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"score":"ODIN","parameters":{"Temprature":2}}`))
	f.Add([]byte(`{"score":"kNN","perturbed":{"level":1,"protocol":"sound"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		fn, err := confidence.Decode(data)
		if err != nil {
			return
		}
		again, err := confidence.Encode(fn)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if _, err := confidence.Decode(again); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}

// The labels of the images that are scored change nothing but the labels.
func TestScoresDoNotSeeLabels(t *testing.T) {
	c, set := small(t, backendtest.Go(t), nil), shapes(t, 30)
	s := confidence.Scorer{BatchSize: 16}
	fs, err := s.Fit(context.Background(), c, set, append(append(confidence.All(radius.Sound), confidence.More()...),
		&confidence.Cascade{}, &confidence.Stack{Functions: []confidence.Function{confidence.MSR{}, radius.Margin{}}})...)
	require.NoError(t, err)
	a, b := score(t, s, c, set, fs...), score(t, s, c, relabelled{set}, fs...)
	require.NotEqual(t, a.Label, b.Label)
	require.Equal(t, a.Scores, b.Scores)
}

type relabelled struct{ dataset.Set }

func (s relabelled) Read(i int, dst []float32) (int, error) {
	label, err := s.Set.Read(i, dst)
	return (label + 1) % 3, err
}
