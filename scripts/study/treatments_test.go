package main

import (
	"io"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

func TestTable(t *testing.T) {
	var names []string
	for _, tr := range treatments(1) {
		require.NotContains(t, names, tr.name)
		names = append(names, tr.name)
	}
	for _, tr := range treatments(.5) {
		for _, name := range tr.against {
			require.Contains(t, names, name)
		}
		o := tr.objective(.02)
		mixup := train.Mixup{}
		if tr.mixes {
			mixup.Alpha = .5
		}
		switch o := o.(type) {
		case train.RAT:
			require.True(t, tr.moves)
			require.Equal(t, .02, o.StepSize, tr.name)
			require.Equal(t, mixup, o.Mixup, tr.name)
			require.Equal(t, slices.Contains([]string{"at", "at_mixup", "reversed_at", "reversed_at_mixup"}, tr.name), o.NoFlex, tr.name)
			require.Equal(t, slices.Contains([]string{"reversed_at", "reversed_at_mixup", "reversed_rat", "reversed_rat_mixup"}, tr.name), o.Reverse, tr.name)
			require.Equal(t, tr.name == "rat_mean", o.Lambda == .5 && o.OriginalLambda == .5, tr.name)
		case train.Plain:
			require.Equal(t, mixup, o.Mixup, tr.name)
		case twice:
			require.Equal(t, "plain_x2", tr.name)
		default:
			t.Errorf("%s is a %T", tr.name, o)
		}
	}
	require.Equal(t, []string{"plain", "plain_mixup", "at", "at_mixup", "reversed_at", "reversed_at_mixup", "rat", "rat_mixup", "reversed_rat",
		"reversed_rat_mixup", "plain_x2", "rat_mean"}, names)
}

// With steps too small to move anything RAT is what its controls say: plain_x2, and its mean of losses is plain training
// but for running statistics.
func TestControls(t *testing.T) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	require.NoError(t, err)
	data, err := dataset.Open("mnist", dataset.Config{Dir: images})
	require.NoError(t, err)
	fit := func(name string) nets.Weights {
		for _, tr := range treatments(1) {
			if tr.name != name {
				continue
			}
			clf, err := nets.New(be, "smallcnn_mnist", 3)
			require.NoError(t, err)
			_, err = train.Fit(t.Context(), clf, dataset.Take(data.Train, 128), train.Config{
				Objective: tr.objective(1e-30), Epochs: 1, BatchSize: 32, Seed: 3, LearningRate: .01,
			})
			require.NoError(t, err)
			return clf.Weights()
		}
		t.Fatal(name)
		return nil
	}
	plain, twice, rat, mean := fit("plain"), fit("plain_x2"), fit("rat"), fit("rat_mean")
	for name, w := range rat {
		require.Less(t, distance(w, twice[name]), 2e-4, name)
	}
	require.Greater(t, distance(twice["fc.weight"], plain["fc.weight"]), 5e-3)
	require.Less(t, distance(mean["fc.weight"], plain["fc.weight"]), 2e-4)
	require.Less(t, distance(mean["conv1.weight"], plain["conv1.weight"]), 2e-4)
}

// distance is the relative L2 distance.
func distance(a, b *nets.Tensor) float64 {
	var d, n float64
	for i := range a.Data {
		d += math.Pow(float64(a.Data[i]-b.Data[i]), 2)
		n += math.Pow(float64(b.Data[i]), 2)
	}
	return math.Sqrt(d / max(n, 1e-30))
}

func TestChoice(t *testing.T) {
	o := options{Datasets: []string{"mnist"}, DataDir: images, TrainSize: 100, ValSize: 50, TestSize: 60, Seeds: 2, Epochs: 1, BatchSize: 10, LearningRate: .1,
		MixupAlpha: 1, Augment: "auto", StepSizes: []float64{.01, .02, .03}, ChooseBy: "MSR", Backend: "go", List: true, Out: filepath.Join(t.TempDir(), "x")}
	s, err := newStudy(o, io.Discard)
	require.NoError(t, err)
	src := s.sources[0]
	put := func(step float64, seed uint64, validation, test float64, diverged string) {
		for _, c := range s.sweep(src) {
			if c.step == step && c.seed == seed {
				dir, _, err := s.find(c)
				require.Error(t, err)
				s.known[dir] = &result{Diverged: diverged, Validation: map[string]metrics{"MSR": {"aurc": misd.Float(validation)}},
					Test: map[string]metrics{"MSR": {"aurc": misd.Float(test)}}}
			}
		}
	}
	put(.01, 1, .5, .1, "")
	put(.01, 2, .5, .1, "")
	put(.02, 1, .6, .9, "")
	put(.02, 2, .3, .9, "") // the lowest mean, by validation images
	put(.03, 1, .1, .2, "")
	_, err = s.step(src)
	var early notChosenError
	require.ErrorAs(t, err, &early)
	require.Equal(t, "rat_0.03, seed 2 on mnist", early.missing.String())
	put(.03, 2, 0, 0, "step 3")
	step, err := s.step(src)
	require.NoError(t, err)
	require.Equal(t, .02, step)
	s.StepSize = .5
	step, err = s.step(src)
	require.NoError(t, err)
	require.Equal(t, .5, step)
}

func TestDescribe(t *testing.T) {
	type inner struct{ A, B float64 }
	type before struct {
		Step float64
		Mix  inner
	}
	a, err := describe(before{Step: .1, Mix: inner{A: 1}})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"main.before","settings":{"Step":0.1,"Mix":{"A":1}}}`, string(a))
	b, err := describe(train.RAT{StepSize: .1})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"train.RAT","settings":{"StepSize":0.1}}`, string(b), "what is not set is left out")
	c, err := describe(train.Plain{})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"train.Plain","settings":null}`, string(c))
}

func TestVersions(t *testing.T) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	require.NoError(t, err)
	s := &study{be: be}
	require.Equal(t, runtime.Version(), s.versions()["go"])
	require.Contains(t, s.versions()["backend"], "go ")
}
