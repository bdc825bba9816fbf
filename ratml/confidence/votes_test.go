package confidence

import (
	"context"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

func TestViews(t *testing.T) {
	in := nets.Input{Height: 2, Width: 3, Channels: 2}
	image := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} // pixels (1,2) (3,4) (5,6) / (7,8) (9,10) (11,12)
	for _, test := range []struct {
		view view
		want []float32
	}{
		{view{}, image},
		{view{flip: true}, []float32{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}},
		{view{dx: 1, dy: 1}, []float32{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}},
		{view{dx: -1, dy: 1}, []float32{0, 0, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0}},
		{view{dx: 1, dy: -1, flip: true}, []float32{0, 0, 11, 12, 9, 10, 0, 0, 0, 0, 0, 0}},
		{view{dx: 3}, make([]float32, 12)},
	} {
		got := make([]float32, 24)
		test.view.apply(got, append(append([]float32{}, image...), image...), in)
		require.Equal(t, append(append([]float32{}, test.want...), test.want...), got, "%+v", test.view)
	}
	require.Equal(t, 4, views{shift: 1}.Passes())
	require.Equal(t, 9, views{shift: 1, flip: true}.Passes())
	require.Equal(t, 1, views{flip: true}.Passes())
	require.Equal(t, 5.0, TestTime{}.Cost())
	require.Equal(t, 1.0, TestTime{Shift: -1}.Cost())
}

// smallNet returns an untrained network for MNIST with dropout, and some images.
func smallNet(t *testing.T, n int) (*nets.Classifier, dataset.Set) {
	t.Helper()
	c, err := nets.New(backendtest.Go(t), "smallcnn_dropout50_mnist", 4)
	require.NoError(t, err)
	d, err := dataset.Open("synthetic", dataset.Config{Synthetic: dataset.SyntheticConfig{
		Shape: dataset.Shape{Height: 28, Width: 28, Channels: 1}, Classes: 10, TrainSize: 1, TestSize: n}})
	require.NoError(t, err)
	return c, d.Test
}

// probabilitiesOf returns the softmax of a network's logits, by a program of its own.
func probabilitiesOf(t *testing.T, c *nets.Classifier, f nets.PassesFunc, in ...any) []float64 {
	t.Helper()
	p, err := c.CompilePasses("test", f)
	require.NoError(t, err)
	defer p.Free()
	out, err := p.RunFloats(in...)
	require.NoError(t, err)
	return probabilities(out[0])
}

// The score of one image is the mean over copies that are made and passed by hand here.
func TestTestTimeAugmentation(t *testing.T) {
	c, set := smallNet(t, 5)
	run, err := Scorer{BatchSize: 2}.run(context.Background(), c, set, []Function{TestTime{Shift: 3, Flip: true}})
	require.NoError(t, err)
	image := make([]float32, 28*28)
	_, err = set.Read(3, image)
	require.NoError(t, err)
	want := 0.0
	for _, d := range [][2]int{{0, 0}, {3, 3}, {3, -3}, {-3, 3}, {-3, -3}} {
		for _, flip := range []bool{false, true} {
			seen := make([]float32, len(image))
			for y := range 28 {
				for x := range 28 {
					u, v := x-d[0], y-d[1]
					if flip {
						u = 27 - u
					}
					if u >= 0 && u < 28 && v >= 0 && v < 28 {
						seen[y*28+x] = image[v*28+u]
					}
				}
			}
			p := probabilitiesOf(t, c, func(net *nets.Passes, in []*graph.Node) []*graph.Node { return []*graph.Node{net.Logits(in[0])} }, c.Arch.Images(seen))
			want += p[run.Pred[3]] / 10
		}
	}
	require.InDelta(t, want, run.Scores[0].Values[3], 1e-6)
}

// The score of one image is the mean over passes by hand, with the seeds of the score; it depends neither on the batch
// size nor on padding, and on the seed.
func TestMCDropout(t *testing.T) {
	c, set := smallNet(t, 5)
	fs := []Function{MCDropout{Passes: 6, Seed: 2}, MCDropout{Passes: 6, Seed: 2, Measure: MutualInformation}, MCDropout{Passes: 6, Measure: VariationRatio}}
	a, err := Scorer{BatchSize: 2}.run(context.Background(), c, set, fs)
	require.NoError(t, err)
	b, err := Scorer{BatchSize: 5}.run(context.Background(), c, set, fs)
	require.NoError(t, err)
	for k := range fs {
		require.InDeltaSlice(t, a.Scores[k].Values, b.Scores[k].Values, 1e-6)
		require.Equal(t, 7.0, a.Scores[k].Cost)
	}
	image := make([]float32, 28*28)
	_, err = set.Read(3, image)
	require.NoError(t, err)
	mean, single := 0.0, 0.0
	average := make([]float64, 10)
	for i := range 6 {
		p := probabilitiesOf(t, c, func(net *nets.Passes, in []*graph.Node) []*graph.Node {
			return []*graph.Node{net.Dropout(in[0], in[1])}
		},
			c.Arch.Images(image), uint32(2*1_000_003+i))
		mean += p[a.Pred[3]] / 6
		for k, v := range p {
			average[k] += v / 6
			single += v * math.Log(v) / 6
		}
	}
	information := -single
	for _, v := range average {
		information += v * math.Log(v)
	}
	require.InDelta(t, mean, a.Scores[0].Values[3], 1e-6)
	require.InDelta(t, information, a.Scores[1].Values[3], 1e-6)
	other, err := Scorer{}.run(context.Background(), c, set, []Function{MCDropout{Passes: 6, Seed: 3}})
	require.NoError(t, err)
	require.NotEqual(t, a.Scores[0].Values, other.Scores[0].Values)

	plain, err := nets.New(backendtest.Go(t), "smallcnn_mnist", 4)
	require.NoError(t, err)
	_, err = Score(context.Background(), plain, set, MCDropout{})
	require.ErrorContains(t, err, "score MCD: smallcnn_mnist has no dropout")
}

func TestRanks(t *testing.T) {
	r, err := newRanks([]float64{3, 1, 2, 2, 5})
	require.NoError(t, err)
	require.Equal(t, []float64{0.1, 0.4, 0.7, 0.9}, []float64{r.at(1), r.at(2), r.at(3), r.at(5)})
	require.InDelta(t, 0.8, r.at(4), 1e-12)
	order := []float64{math.Inf(-1), -1e6, -5, 0.9, 1, 1.5, 2, 2.1, 4.9, 5, 5.1, 7, 1e9, math.Inf(1)}
	for i := 1; i < len(order); i++ {
		require.Greater(t, r.at(order[i]), r.at(order[i-1]), "%g and %g", order[i-1], order[i])
	}
	require.Less(t, r.at(math.Inf(1)), 0.91)
	r, err = newRanks([]float64{7, 7})
	require.NoError(t, err)
	require.Equal(t, 0.5, r.at(7))
	require.Less(t, r.at(6), r.at(7))
	for _, bad := range [][]float64{nil, {1, math.NaN()}, {math.Inf(1)}} {
		_, err = newRanks(bad)
		require.Error(t, err)
	}
	many := make([]float64, 5000)
	for i := range many {
		many[i] = math.Exp(float64(i) / 100)
	}
	r, err = newRanks(many)
	require.NoError(t, err)
	require.LessOrEqual(t, len(r.Knots), mostKnots)
	for i, v := range many {
		require.InDelta(t, (float64(i)+0.5)/5000, r.at(v), 1.0/mostKnots)
	}
}
