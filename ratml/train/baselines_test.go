package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// recording is what the official codes of baselines did with a small network, written by testdata/baselines.py.
type recording struct {
	LR, Momentum, Decay float64
	Images, Outliers    []float32
	Labels              []int32
	Start               map[int]map[string][]float32 // weights by number of outputs
	Batches             [][]int                      // images of each step
	Epochs              int
	Rates               []float64 `json:"fmfp_rates"`
	Cases               map[string]recordedCase
}

// recordedCase is a training, with an entry of each list a step.
type recordedCase struct {
	Clean, Worst, Ranking, Total []float64 // losses
	Alphas, Mix                  []float64
	Partners                     [][]int32
	Counts                       [][]uint32 // right answers by image, after each epoch
	History                      []recordedPairs
	End                          map[string][]float32 // weights after the last step
}

// recordedPairs is what CRL's history says of a batch, before it is told which images were right.
type recordedPairs struct {
	Index          []int
	Right          []bool
	Target, Margin []float64
}

const recordedPixels = 16 // of an image

func recorded(t testing.TB) (r recording) {
	text, err := os.ReadFile("testdata/baselines.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &r))
	require.Len(t, r.Batches, 12)
	return r
}

// net returns the recorded network, with so many extra outputs, and its weights at the start.
func (r recording) net(t testing.TB, extra int) (*nets.Arch, nets.Weights) {
	return r.netOf(t, extra, nets.ReLU)
}

func (r recording) netOf(t testing.TB, extra int, activation func(*Node) *Node) (*nets.Arch, nets.Weights) {
	a, err := nets.NewArch("recorded", nets.Input{Height: 4, Width: 4, Channels: 1}, 10, []float32{0.5}, []float32{0.25},
		func(p *nets.Pass, x *Node) *Node {
			x = activation(p.ConvBatchNorm("conv1", "bn1", x, 4, 3, 1, 1))
			return p.Linear("fc", nets.GlobalMean(x), 10)
		})
	require.NoError(t, err)
	a, err = a.WithExtraOutputs(extra)
	require.NoError(t, err)
	w := nets.Weights{}
	for _, p := range a.Params {
		w[p.Name] = &nets.Tensor{Shape: p.Shape, Data: r.Start[10+extra][p.Name]}
	}
	require.NoError(t, a.Check(w))
	return a, w
}

// batch returns the images of a step.
func (r recording) batch(step int) *dataset.Batch {
	b := &dataset.Batch{Index: r.Batches[step], N: len(r.Batches[step])}
	for _, i := range b.Index {
		b.Labels = append(b.Labels, r.Labels[i])
	}
	b.Images = r.pick(r.Images, step)
	return b
}

// pick returns those of some images that belong to a step.
func (r recording) pick(images []float32, step int) (list []float32) {
	for _, i := range r.Batches[step] {
		list = append(list, images[i*recordedPixels:][:recordedPixels]...)
	}
	return list
}

// mixing returns what Mixup's feed would have given for a step.
func (c recordedCase) mixing(step int) []any { return []any{float32(c.Mix[step]), c.Partners[step]} }

// replay makes the recorded steps with an objective and compares the weights at the end, running statistics too if
// they are meant to be the same.
func (r recording) replay(t *testing.T, be *backend.Backend, o Objective, extra int, want recordedCase, statistics bool,
	feed func(step int, b *dataset.Batch) []any, see func(step int, b *dataset.Batch, o outcome)) {
	t.Helper()
	a, w := r.net(t, extra)
	trial := newTrial(t, be, a, w, Config{Objective: o, Optimizer: SGD{Momentum: r.Momentum}, WeightDecay: r.Decay})
	for i := range r.Batches {
		b := r.batch(i)
		see(i, b, trial.advance(t, pace{r.LR, i + 1, 1}, b.Images, b.Labels, feed(i, b)...))
	}
	end := trial.weights(t)
	for _, p := range a.Params {
		if p.Trainable() || statistics {
			requireNear(t, want.End[p.Name], end[p.Name].Data, p.Name)
		}
	}
}

func requireNear(t *testing.T, want, got []float32, name string) {
	t.Helper()
	require.Len(t, got, len(want), name)
	for i := range want {
		require.InDelta(t, want[i], got[i], 2e-5*max(1, math.Abs(float64(want[i]))), "%s[%d]", name, i)
	}
}

// toyGradient returns the gradient that a step follows at weights w, by parameter, and the total loss there.
func (r recording) toyGradient(t *testing.T, be *backend.Backend, a *nets.Arch, w nets.Weights, o Objective, feed ...any) (map[string][]float64, float64) {
	b, gradient := r.batch(0), map[string][]float64{}
	trial := newTrial(t, be, a, w, Config{Objective: o})
	got := trial.advance(t, pace{1, 1, 1}, b.Images, b.Labels, feed...)
	end := trial.weights(t)
	for _, p := range a.Params {
		if p.Trainable() {
			for i, v := range end[p.Name].Data {
				gradient[p.Name] = append(gradient[p.Name], float64(w[p.Name].Data[i])-float64(v))
			}
		}
	}
	return gradient, got.total
}

// requireSlopes compares a gradient with the slopes of the total loss of an objective at weights w, for a few weights
// of each tensor.
func (r recording) requireSlopes(t *testing.T, be *backend.Backend, a *nets.Arch, w nets.Weights, o Objective, gradient map[string][]float64, feed ...any) {
	t.Helper()
	const h = 2e-3
	for _, p := range a.Params {
		for i := 0; p.Trainable() && i < len(w[p.Name].Data); i += 7 {
			loss := func(by float32) float64 {
				moved := w.Clone()
				moved[p.Name].Data[i] += by
				_, total := r.toyGradient(t, be, a, moved, o, feed...)
				return total
			}
			slope := (loss(h) - loss(-h)) / (2 * h)
			require.InDelta(t, slope, gradient[p.Name][i], 2e-3*max(1, math.Abs(slope)), "%s[%d]", p.Name, i)
		}
	}
}

// TestBaselineGradients compares the gradients that steps follow with finite differences of their losses, on a smooth
// network.
func TestBaselineGradients(t *testing.T) {
	r, be := recorded(t), backendtest.Go(t)
	mixing := []any{float32(0.3), []int32{2, 0, 3, 1}}
	outliers := []any{float32(0.3), imagesTensor(r.pick(r.Outliers, 0))}
	more := []any{[]float32{0.5, -0.25, 0, -1}}
	for _, c := range []struct {
		name      string
		objective Objective
		feed      []any
	}{
		{"CRL, softmax", CRL{Weight: 3}, more},
		{"CRL, margin", CRL{Weight: 3, Target: RankMargin}, more},
		{"CRL, entropy", CRL{Weight: 3, Target: RankEntropy}, more},
		{"LogitNorm", LogitNorm{Temperature: 0.5}, nil},
		{"RegMixup", RegMixup{Weight: 2}, mixing},
		{"RegMixup, mean", RegMixup{Mean: true}, mixing},
		{"OpenMix", OpenMix{Weight: 2}, outliers},
	} {
		t.Run(c.name, func(t *testing.T) {
			extra := 0
			if _, ok := c.objective.(OpenMix); ok {
				extra = 1
			}
			a, w := r.netOf(t, extra, Tanh)
			gradient, _ := r.toyGradient(t, be, a, w, c.objective, c.feed...)
			r.requireSlopes(t, be, a, w, c.objective, gradient, c.feed...)
		})
	}
}

// TestBaselinesLearn trains on the images of stripes, with noise for outliers.
func TestBaselinesLearn(t *testing.T) {
	for _, o := range []Objective{
		CRL{}, CRL{Target: RankEntropy, Proportion: true}, SAM{}, SAM{Objective: CRL{}, Adaptive: true},
		LogitNorm{}, RegMixup{}, OpenMix{Outliers: specks(64)},
	} {
		t.Run(fmt.Sprintf("%T", o), func(t *testing.T) {
			clf := tiny(t, backendtest.Go(t))
			if _, ok := o.(OpenMix); ok {
				a, err := clf.Arch.WithExtraOutputs(1)
				require.NoError(t, err)
				clf, err = nets.NewClassifier(clf.Backend, a, a.Init(1))
				require.NoError(t, err)
			}
			hist, err := Fit(t.Context(), clf, stripes{256, 1}, Config{
				Objective: o, Epochs: 6, BatchSize: 32, WarmupEpochs: 1, Validation: stripes{100, 2},
			})
			require.NoError(t, err)
			first, last := hist.Epochs[0], hist.Epochs[5]
			require.Less(t, last.Loss, 0.8*first.Loss)
			require.Greater(t, last.TrainAccuracy, 0.6)
			require.Greater(t, last.ValAccuracy, 0.6)
		})
	}
}

// specks is a number of images of noise in the shape of stripes.
type specks int

func (s specks) Len() int           { return int(s) }
func (specks) Shape() dataset.Shape { return stripes{}.Shape() }
func (specks) Classes() []string    { return []string{"noise"} }

func (s specks) Read(i int, dst []float32) (int, error) {
	for p := range dst {
		dst[p] = float32((i*i+p*(i+3)*7919)%101) / 100
	}
	return 0, nil
}

func TestBaselineChecks(t *testing.T) {
	some := specks(3)
	for _, o := range []Objective{
		CRL{}, CRL{Weight: 0.5, Target: RankEntropy}, SAM{}, SAM{Objective: CRL{}, Rho: 1}, LogitNorm{}, LogitNorm{1},
		RegMixup{}, RegMixup{Alpha: 10, Weight: 2}, OpenMix{Outliers: some}, OpenMix{Outliers: some, Alpha: 1, Weight: 0.5},
	} {
		require.NoError(t, o.(interface{ Check() error }).Check(), "%+v", o)
	}
	for _, c := range []struct {
		objective Objective
		part      string
	}{
		{CRL{Weight: -1}, "CRL: Weight is -1"},
		{CRL{Weight: math.NaN()}, "CRL: Weight is NaN"},
		{CRL{Target: 3}, "CRL: unknown Target 3"},
		{CRL{Target: -1}, "CRL: unknown Target -1"},
		{SAM{Rho: -0.1}, "SAM: Rho is -0.1"},
		{SAM{Rho: math.Inf(1)}, "SAM: Rho is +Inf"},
		{SAM{Objective: CRL{Weight: -1}}, "SAM: CRL: Weight"},
		{LogitNorm{-0.04}, "LogitNorm: Temperature is -0.04"},
		{RegMixup{Alpha: -1}, "RegMixup: Alpha is -1"},
		{RegMixup{Weight: math.Inf(1)}, "RegMixup: Weight is +Inf"},
		{OpenMix{}, "OpenMix: no Outliers"},
		{OpenMix{Outliers: specks(0)}, "OpenMix: no Outliers"},
		{OpenMix{Outliers: some, Alpha: math.NaN()}, "OpenMix: Alpha is NaN"},
		{OpenMix{Outliers: some, Weight: -1}, "OpenMix: Weight is -1"},
	} {
		clf := tiny(t, backendtest.Go(t))
		before := clf.Weights()
		_, err := Fit(t.Context(), clf, stripes{8, 1}, Config{Objective: c.objective, Epochs: 1})
		require.ErrorContains(t, err, c.part)
		require.NotContains(t, err.Error(), "\n")
		require.Equal(t, before, clf.Weights())
	}
}

// imagesTensor makes recorded images a tensor [n, 4, 4, 1].
func imagesTensor(images []float32) [][][][]float32 {
	var list [][][][]float32
	for image := range slices.Chunk(images, recordedPixels) {
		var rows [][][]float32
		for row := range slices.Chunk(image, 4) {
			rows = append(rows, [][]float32{{row[0]}, {row[1]}, {row[2]}, {row[3]}})
		}
		list = append(list, rows)
	}
	return list
}
