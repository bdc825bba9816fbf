package trace_test

import (
	"context"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/radius"
	"github.com/ratml/rat/ratml/trace"
	"github.com/ratml/rat/ratml/train"
)

// subject is an untrained net, which is wrong of most images, with its scores.
func subject(t *testing.T, be *backend.Backend) (*nets.Classifier, dataset.Set, *misd.Run) {
	data, err := dataset.Open("mnist", dataset.Config{})
	require.NoError(t, err)
	clf, err := nets.New(be, "smallcnn_mnist", 3)
	require.NoError(t, err)
	set := dataset.Take(data.Test, 24)
	run, err := confidence.Score(context.Background(), clf, set, confidence.MSR{}, radius.Fast{}, radius.BoundarySearch{})
	require.NoError(t, err)
	return clf, set, run
}

func TestRays(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf, set, run := subject(t, be)
		rays, err := trace.Rays(clf, set, run, 5, 2)
		require.NoError(t, err)
		require.Len(t, rays, 2)
		for k, i := range []int{5, 2} {
			r := rays[k]
			require.Equal(t, run.Label[i] == run.Pred[i], r.Right)
			require.Equal(t, run.Score("RR_fgsm").Values[i], r.Radius)
			require.Equal(t, run.Score("RR_fast").Values[i], r.Fast)
			require.False(t, r.Unflipped)
			require.Zero(t, r.Distance[0])
			for j, d := range r.Distance { // the prediction changes within the bracket
				switch {
				case d < r.Lower:
					require.Positive(t, r.Margin[j], "at %v, before %v", d, r.Lower)
				case d > r.Upper && d < 1.1*r.Upper:
					require.Negative(t, r.Margin[j], "at %v, after %v", d, r.Upper)
				}
			}
		}

		frames, err := trace.Along(clf, set, 5, 0, rays[0].Lower, rays[0].Upper)
		require.NoError(t, err)
		require.Equal(t, run.Pred[5], frames[0].Pred)
		require.Equal(t, run.Pred[5], frames[1].Pred)
		require.NotEqual(t, run.Pred[5], frames[2].Pred)
		require.InDelta(t, run.Score("MSR").Values[5], frames[0].Probability, 1e-5)
		img, _, err := trace.Image(set, 5)
		require.NoError(t, err)
		require.Equal(t, img, frames[0].Image)
		require.NotEqual(t, img, frames[2].Image)
	})
}

func TestMoves(t *testing.T) {
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		clf, set, run := subject(t, be)
		index := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}
		moves, err := trace.Moves(clf, set, train.RAT{StepSize: .01}, index...)
		require.NoError(t, err)
		seen := map[bool]int{}
		for i, m := range moves {
			require.Equal(t, i, m.Index)
			require.Equal(t, run.Label[i], m.Label)
			require.Equal(t, run.Pred[i], m.Pred)
			require.Equal(t, m.Label == m.Pred, m.Right)
			require.InDelta(t, .01, m.Size, 1e-6)
			seen[m.Right]++
			if m.Right {
				require.Greater(t, m.After, m.Loss, "a right image goes away from its class")
			} else {
				require.Less(t, m.After, m.Loss, "a wrong image goes towards its class")
			}
			_, _, b, _ := m.Change.At(14, 14).RGBA()
			require.Contains(t, []uint32{0, 0x8080, 0xffff}, b)
		}
		require.NotZero(t, seen[true])
		require.NotZero(t, seen[false])

		all, err := trace.Moves(clf, set, train.RAT{StepSize: .01, NoFlex: true}, index...)
		require.NoError(t, err)
		for _, m := range all {
			require.Greater(t, m.After, m.Loss)
		}
		_, err = trace.Moves(clf, set, train.Plain{}, 0)
		require.ErrorContains(t, err, "train.Plain moves no images")
		_, err = trace.Moves(clf, set, train.RAT{Mixup: train.Mixup{Alpha: 1}}, 0)
		require.ErrorContains(t, err, "values from the host")
	})
}

func TestTiles(t *testing.T) {
	set, err := dataset.NewImages(dataset.Shape{Height: 1, Width: 2, Channels: 1}, []string{"ant", "bee"}, []uint8{0, 255, 51, 51}, []int{0, 1})
	require.NoError(t, err)
	run := &misd.Run{Label: []int{0, 1}, Pred: []int{1, 1}, Classes: 2, Scores: []misd.Score{
		{Name: "RR_fast", Values: []float64{.1, .2}}, {Name: "RR_fgsm", Values: []float64{.3, .4}}}}
	tiles, err := trace.Tiles(set, run, 1, 0)
	require.NoError(t, err)
	require.Equal(t, "bee", tiles[0].Label)
	require.Equal(t, "ant", tiles[1].Label)
	require.Equal(t, "bee", tiles[1].Pred)
	require.Equal(t, 1, tiles[0].Index)
	require.Equal(t, .4, tiles[0].Radius)
	require.True(t, tiles[0].Confidence != tiles[0].Confidence, "the run has no MSR")
	require.Equal(t, color.NRGBA{51, 51, 51, 255}, tiles[0].Image.At(0, 0))

	run.Label[0] = 1
	_, err = trace.Tiles(set, run, 0)
	require.ErrorContains(t, err, "image 0 has label 0 in the set and 1 in the run")
	_, err = trace.Tiles(set, run, 2)
	require.ErrorContains(t, err, "image 2 of a run of 2")
	_, _, err = trace.Image(set, 2)
	require.Error(t, err)
}
