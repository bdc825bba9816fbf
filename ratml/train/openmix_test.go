package train

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
)

// TestOpenMixOfficial replays a training by the official code.
func TestOpenMixOfficial(t *testing.T) {
	r := recorded(t)
	want := r.Cases["OpenMix"]
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		r.replay(t, be, OpenMix{Weight: 0.5}, 1, want, true,
			func(step int, _ *dataset.Batch) []any {
				return []any{float32(want.Mix[step]), imagesTensor(r.pick(r.Outliers, step))}
			},
			func(step int, _ *dataset.Batch, got outcome) { require.InDelta(t, want.Clean[step], got.clean, 1e-4) })
	})
}

// TestOpenMixFeed checks which outliers come, how they are changed, and the mixing weights.
func TestOpenMixFeed(t *testing.T) {
	set := stripes{10, 1}
	dark := func(rng *rand.Rand, s dataset.Shape, image []float32) {
		require.Equal(t, set.Shape(), s)
		for i := range image {
			image[i] /= 2
		}
	}
	feed, err := OpenMix{Outliers: specks(7), Augment: dark}.Feed(set)
	require.NoError(t, err)
	next := func(step uint64, n int) (float32, [][]float32) {
		values, err := feed.Next(rand.New(rand.NewPCG(1, step)), &dataset.Batch{N: n})
		require.NoError(t, err)
		require.Len(t, values, 2)
		images := values[1].(*tensors.Tensor)
		require.Equal(t, []int{n, 8, 8, 1}, images.Shape().Dimensions)
		return values[0].(float32), slices.Collect(slices.Chunk(tensors.MustCopyFlatData[float32](images), 64))
	}
	var all [][]float32
	for i := range 7 {
		image := make([]float32, 64)
		_, err := specks(7).Read(i, image)
		require.NoError(t, err)
		dark(nil, set.Shape(), image)
		all = append(all, image)
	}
	_, got := next(0, 7)
	require.ElementsMatch(t, all, got, "each outlier once")
	require.NotEqual(t, all, got)

	mean, square := 0.0, 0.0
	const steps = 2000
	for step := range uint64(steps) {
		a, _ := next(step, 1)
		mean, square = mean+float64(a)/steps, square+float64(a)*float64(a)/steps
	}
	require.InDelta(t, 0.5, mean, 0.01)
	require.InDelta(t, 1.0/84, square-mean*mean, 0.001) // variance of Beta(10, 10)
	require.Equal(t, recorded(t).Cases["OpenMix"].Alphas[0], feed.(outliers).alpha)

	a, images := next(5, 3)
	b, again := next(5, 3)
	require.Equal(t, a, b)
	require.Equal(t, images, again)
}

func TestOpenMixFeedErrors(t *testing.T) {
	mnist := dataset.Shape{Height: 28, Width: 28, Channels: 1}
	_, err := OpenMix{Outliers: resized{mnist}}.Feed(stripes{10, 1})
	require.ErrorContains(t, err, "outliers are images of 28x28x1, training images of 8x8x1")

	feed, err := OpenMix{Outliers: resized{stripes{}.Shape()}}.Feed(stripes{10, 1})
	require.NoError(t, err)
	_, err = feed.Next(rand.New(rand.NewPCG(1, 1)), &dataset.Batch{N: 1})
	require.ErrorIs(t, err, errTorn)
	require.ErrorContains(t, err, "OpenMix: outlier 0")
}

// TestOpenMixOutput checks that a network without an output for outliers is an error.
func TestOpenMixOutput(t *testing.T) {
	_, err := Fit(t.Context(), tiny(t, backendtest.Go(t)), stripes{8, 1}, Config{Objective: OpenMix{Outliers: specks(3)}, Epochs: 1})
	require.ErrorContains(t, err, "OpenMix: the network has no output for outliers")
}

// resized is one image of any shape that cannot be read.
type resized struct{ shape dataset.Shape }

var errTorn = errors.New("torn")

func (resized) Len() int                         { return 1 }
func (r resized) Shape() dataset.Shape           { return r.shape }
func (resized) Classes() []string                { return []string{"any"} }
func (resized) Read(int, []float32) (int, error) { return 0, errTorn }

func TestDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	counts := make([]int, 5)
	for range 5000 {
		list := draw(rng, 3, 5)
		require.Len(t, list, 3)
		for _, k := range list {
			counts[k]++
		}
		slices.Sort(list)
		require.Len(t, slices.Compact(list), 3, "no number twice")
	}
	for k, n := range counts {
		require.InDelta(t, 3000, n, 150, "%d", k)
	}
	list := draw(rng, 7, 3)
	for i := 0; i < 6; i += 3 {
		require.ElementsMatch(t, []int{0, 1, 2}, list[i:i+3])
	}
	require.Len(t, list, 7)
}
