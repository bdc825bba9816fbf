package main

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
)

// grey has n images of one brightness, each labelled by its number.
type grey struct {
	n          int
	brightness float32
}

func (g grey) Len() int             { return g.n }
func (g grey) Shape() dataset.Shape { return dataset.Shape{Height: 40, Width: 50, Channels: 1} }
func (g grey) Classes() []string    { return make([]string, g.n) }
func (g grey) Read(i int, dst []float32) (int, error) {
	if i < 0 || i >= g.n {
		return 0, fmt.Errorf("image %d", i)
	}
	for j := range dst {
		dst[j] = g.brightness
	}
	return i, nil
}

func TestNoisy(t *testing.T) {
	set, err := withNoise(grey{3, .5}, 7)
	require.NoError(t, err)
	require.Equal(t, 15, set.Len())
	var all [][]float64
	for i := range set.Len() {
		pixels, again := make([]float32, 2000), make([]float32, 2000)
		label, err := set.Read(i, pixels)
		require.NoError(t, err)
		require.Equal(t, i%3, label)
		_, err = set.Read(i, again)
		require.NoError(t, err)
		require.Equal(t, pixels, again)
		values := make([]float64, len(pixels))
		for j, v := range pixels {
			values[j] = float64(v)
		}
		for k, other := range all {
			require.InDelta(t, 0, stat.Correlation(values, other, nil), .12, "images %d and %d have the same noise", k, i)
		}
		all = append(all, values)
		mean, deviation := stat.MeanStdDev(values, nil)
		want := []float64{.04, .06, .08, .09, .10}[i/3]
		require.InDelta(t, want, deviation, .06*want, "severity %d", i/3+1) // 4 standard errors
		require.InDelta(t, .5-.5/255, mean, 4*want/math.Sqrt(2000))
	}
	pixels := make([]float32, 2000)
	for _, i := range []int{-1, 15} {
		_, err := set.Read(i, pixels)
		require.Error(t, err)
	}
	_, err = withNoise(grey{}, 7)
	require.Error(t, err)
}

func TestSeverities(t *testing.T) {
	run := &misd.Run{Classes: 10, Label: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, Pred: make([]int, 10)}
	parts, err := severities(run)
	require.NoError(t, err)
	require.Len(t, parts, 5)
	require.Equal(t, []int{4, 5}, parts[2].Label)
	run.Label, run.Pred = run.Label[:9], run.Pred[:9]
	_, err = severities(run)
	require.Error(t, err)
	_, err = severities(&misd.Run{})
	require.Error(t, err)
}

// The images without noise are those with noise, or it is an error.
func TestClean(t *testing.T) {
	s := &subject{
		run:   &misd.Run{Classes: 2, Label: []int{0, 1, 1}, Pred: []int{0, 0, 1}, Scores: []misd.Score{{Name: "A", Values: []float64{1, 2, 3}}, {Name: "B", Values: []float64{1, 2, 3}}}},
		noisy: []*misd.Run{{Classes: 2, Label: []int{0, 1}, Pred: []int{0, 0}, Scores: []misd.Score{{Name: "B", Values: []float64{1, 2}}}}},
	}
	clean, err := s.clean()
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, clean.Label)
	require.Len(t, clean.Scores, 1)
	require.Equal(t, "B", clean.Scores[0].Name)
	s.noisy[0].Label = []int{1, 1}
	_, err = s.clean()
	require.Error(t, err)
}
