package confidence

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// oracle is what testdata/oracle.py computed.
type oracle struct {
	Logits      [][]float64
	Labels      []int
	Classes     int
	Scores      map[string][]float64
	Temperature struct{ Value, NLL float64 }
	Passes      [][][]float64
	Predicted   []int `json:"mean_prediction"`
	Features    struct {
		Train  [][]float64
		Labels []int
		Test   [][]float64
	}
	Logistic struct {
		X    [][]float64
		Y    []bool
		Fits []struct {
			Penalty float64
			Weights []float64
		}
		LeaveOneOut float64 `json:"leave_one_out"`
	}
}

func readOracle(t *testing.T) *oracle {
	t.Helper()
	data, err := os.ReadFile("testdata/oracle.json")
	require.NoError(t, err)
	o := &oracle{}
	require.NoError(t, json.Unmarshal(data, o))
	return o
}

func flat(rows [][]float64) []float32 {
	var v []float32
	for _, r := range rows {
		for _, x := range r {
			v = append(v, float32(x))
		}
	}
	return v
}

// run returns the logits and labels as a run.
func (o *oracle) run() *misd.Run {
	r := &misd.Run{Label: o.Labels, Classes: o.Classes, Logits: flat(o.Logits)}
	for i := range o.Logits {
		r.Pred = append(r.Pred, argmax(r.Logits[i*o.Classes:(i+1)*o.Classes]))
	}
	return r
}

func (o *oracle) check(t *testing.T, name string, got []float64, tolerance float64) {
	t.Helper()
	want := o.Scores[name]
	require.Len(t, got, len(want), name)
	for i, w := range want {
		if d := math.Abs(got[i] - w); !(d <= tolerance*math.Max(1, math.Abs(w))) {
			t.Errorf("%s of image %d is %.9g, want %.9g", name, i, got[i], w)
			return
		}
	}
}

func learn(t *testing.T, l Learner, run *misd.Run) Direct {
	t.Helper()
	f, _, err := l.Learn(run)
	require.NoError(t, err)
	return f.(Direct)
}

func TestScoresAgainstNumpy(t *testing.T) {
	o := readOracle(t)
	run := o.run()
	for name, s := range map[string]Direct{
		"Energy T=1": Energy{}, "Energy T=2.5": Energy{Temperature: 2.5},
		"GEN": GEN{}, "GEN gamma=.5 top=3": GEN{Gamma: 0.5, Top: 3},
		"MLS_pnorm p=1": NormalizedMaxLogit{P: 1}, "MLS_pnorm p=2": NormalizedMaxLogit{}, "MLS_pnorm p=3.5": NormalizedMaxLogit{P: 3.5},
		"SML": learn(t, StandardizedMaxLogit{}, run), "RelU": learn(t, RelU{}, run),
		"RelU T=2 lambda=.3": learn(t, RelU{Temperature: 2, Lambda: 0.3}, run), "RelU default": RelU{},
	} {
		o.check(t, name, s.Values(run.Logits, o.Classes, nil), 1e-12)
	}
}

func TestTemperatureScaling(t *testing.T) {
	o := readOracle(t)
	f, nll, err := Calibrated{}.Learn(o.run())
	require.NoError(t, err)
	require.InEpsilon(t, o.Temperature.Value, f.(Calibrated).Temperature, 1e-6)
	require.InEpsilon(t, o.Temperature.NLL, nll, 1e-12)
	o.check(t, "TS_MSR", f.(Calibrated).Values(flat(o.Logits), o.Classes, nil), 1e-6)
}

// The three measures of several passes.
func TestMeasures(t *testing.T) {
	o := readOracle(t)
	var passes [][]float32
	for _, p := range o.Passes {
		passes = append(passes, flat(p))
	}
	for name, m := range map[string]Measure{
		"mean probability": MeanProbability, "mutual information": MutualInformation, "variation ratio": VariationRatio,
	} {
		o.check(t, name, m.values(flat(o.Logits), o.Classes, passes), 1e-12)
	}
}

// table is a data set with one row of pixels an image.
type table struct {
	rows    [][]float64
	labels  []int
	classes int
}

func (s table) Len() int { return len(s.rows) }
func (s table) Shape() dataset.Shape {
	return dataset.Shape{Height: 1, Width: len(s.rows[0]), Channels: 1}
}
func (s table) Classes() []string { return make([]string, s.classes) }
func (s table) Read(i int, dst []float32) (int, error) {
	copy(dst, flat(s.rows[i:i+1]))
	return s.labels[i], nil
}

// head returns a network that is nothing but a linear layer without bias, so that its features are the pixels.
func head(t *testing.T, in, classes int, weight []float32) *nets.Classifier {
	t.Helper()
	a, err := nets.NewArch("head", nets.Input{Height: 1, Width: in, Channels: 1}, classes, []float32{0}, []float32{1},
		func(p *nets.Pass, x *graph.Node) *graph.Node {
			return p.Linear("output", graph.Reshape(x, -1, in), classes)
		})
	require.NoError(t, err)
	c, err := nets.NewClassifier(backendtest.Go(t), a, nets.Weights{
		"output.weight": {Shape: []int{classes, in}, Data: weight}, "output.bias": nets.NewTensor(classes),
	})
	require.NoError(t, err)
	return c
}

// The members of the ensemble each pick their own logits out of an image that holds those of all.
func TestEnsemble(t *testing.T) {
	o := readOracle(t)
	set := table{labels: o.Labels, classes: o.Classes, rows: make([][]float64, len(o.Labels))}
	e := &Ensemble{}
	for m, p := range o.Passes {
		w := make([]float32, o.Classes*o.Classes*len(o.Passes))
		for c := range o.Classes {
			w[c*o.Classes*len(o.Passes)+m*o.Classes+c] = 1
		}
		e.Members = append(e.Members, head(t, o.Classes*len(o.Passes), o.Classes, w))
		for i, z := range p {
			set.rows[i] = append(set.rows[i], z...)
		}
	}
	run, err := e.Run(context.Background(), Scorer{BatchSize: 7}, set, MSR{}, Energy{}, NE{})
	require.NoError(t, err)
	require.NoError(t, run.Validate())
	require.Equal(t, o.Predicted, run.Pred)
	require.Equal(t, o.Labels, run.Label)
	o.check(t, "ensemble MSR", run.Score("MSR").Values, 1e-6)
	o.check(t, "ensemble Energy", run.Score("Energy").Values, 1e-6)
	o.check(t, "ensemble NE", run.Score("NE").Values, 1e-6)
	o.check(t, "mutual information", run.Score("ENS_MI").Values, 1e-6)
	o.check(t, "variation ratio", run.Score("ENS_VR").Values, 1e-12)
	require.Equal(t, 4.0, run.Score("ENS_MI").Cost)

	_, err = (&Ensemble{}).Run(context.Background(), Scorer{}, set)
	require.ErrorContains(t, err, "no networks")
	e.Members[1] = head(t, 3, 2, make([]float32, 6))
	_, err = e.Run(context.Background(), Scorer{}, set)
	require.ErrorContains(t, err, "do not make an ensemble")
}

// Snapshots are read from files of weights.
func TestOpenEnsemble(t *testing.T) {
	a, err := nets.Lookup("smallcnn_mnist")
	require.NoError(t, err)
	var paths []string
	for seed := range uint64(2) {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		require.NoError(t, weights.Save(path, a.Init(seed), nil))
		paths = append(paths, path)
	}
	e, err := OpenEnsemble(backendtest.Go(t), "smallcnn_mnist", paths...)
	require.NoError(t, err)
	require.Len(t, e.Members, 2)
	require.NotEqual(t, fingerprint(e.Members[0]), fingerprint(e.Members[1]))
	_, err = OpenEnsemble(backendtest.Go(t), "smallcnn_mnist", "missing.safetensors")
	require.ErrorContains(t, err, "missing.safetensors")
	_, err = OpenEnsemble(backendtest.Go(t), "smallcnn_mnist")
	require.ErrorContains(t, err, "no networks")
}

// Statistics collected by a run over the training set, stored and read again, and the scores that need them.
func TestFeatureScores(t *testing.T) {
	o := readOracle(t)
	f := o.Features
	c := head(t, 5, 3, []float32{1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0})
	training := table{f.Train, f.Labels, 3}
	test := table{f.Test, make([]int, len(f.Test)), 3}
	collected, err := CollectStatistics(context.Background(), c, training, 0)
	require.NoError(t, err)
	require.Equal(t, 60, collected.Images)
	path := filepath.Join(t.TempDir(), "features.safetensors")
	require.NoError(t, collected.Save(path))
	loaded, err := LoadStatistics(path)
	require.NoError(t, err)
	for _, s := range []*Statistics{collected, loaded} {
		run, err := Scorer{BatchSize: 16}.run(context.Background(), c, test,
			[]Function{Mahalanobis{Statistics: s}, Neighbours{Statistics: s, K: 1}, Neighbours{Statistics: s, K: 5}})
		require.NoError(t, err)
		o.check(t, "Mahalanobis", run.Scores[0].Values, 2e-6)
		o.check(t, "kNN k=1", run.Scores[1].Values, 1e-6)
		o.check(t, "kNN k=5", run.Scores[2].Values, 1e-6)
	}

	few, err := CollectStatistics(context.Background(), c, training, 20)
	require.NoError(t, err)
	require.Len(t, few.Sample, 20)
	require.Len(t, Neighbours{Statistics: few}.Candidates(), 4, "k of 1, 5, 10, 20")

	_, err = Score(context.Background(), c, test, Mahalanobis{})
	require.ErrorContains(t, err, "Mahalanobis: it needs statistics of the training set")
	other := head(t, 5, 3, make([]float32, 15))
	_, err = Score(context.Background(), other, test, Neighbours{Statistics: collected})
	require.ErrorContains(t, err, "kNN: the statistics were computed with other weights")
	_, err = CollectStatistics(context.Background(), c, table{f.Train[:1], f.Labels[:1], 3}, 0)
	require.ErrorContains(t, err, "no image of class 1")
	require.NoError(t, weights.Save(path, c.Weights(), nil))
	_, err = LoadStatistics(path)
	require.ErrorContains(t, err, "holds no statistics")
}

func TestLogisticRegression(t *testing.T) {
	o := readOracle(t)
	for _, fit := range o.Logistic.Fits {
		w, err := logistic(o.Logistic.X, o.Logistic.Y, fit.Penalty)
		require.NoError(t, err)
		for i, v := range fit.Weights {
			require.InDelta(t, v, w[i], 1e-5, "penalty %g, weight %d", fit.Penalty, i)
		}
	}
	loss, err := crossFit(o.Logistic.X, o.Logistic.Y, 0.1, len(o.Logistic.X), 1)
	require.NoError(t, err)
	require.InDelta(t, o.Logistic.LeaveOneOut, loss, 1e-6)
}
