package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPairedT(t *testing.T) {
	x, y := []float64{31, 28, 35, 30, 27}, []float64{33, 31, 34, 34, 30}
	got := pairedT(x, y)
	// Differences -2, -3, 1, -4, -3: mean -2.2, standard deviation 1.9235; t = -2.5575 with 4 degrees of freedom, whose
	// distribution has a closed form.
	require.InDelta(t, studentOf4(-2.2/(math.Sqrt(3.7)/math.Sqrt(5))), got.P, 1e-9)
	half := 2.7764451051977987 * math.Sqrt(3.7) / math.Sqrt(5) // the 97.5 % quantile from tables
	require.InDelta(t, -2.2-half, got.Low, 1e-6)
	require.InDelta(t, -2.2+half, got.High, 1e-6)
	require.Equal(t, got.P, pairedT(y, x).P)

	same := pairedT(x, x)
	require.Equal(t, []float64{0, 0, 1}, []float64{same.Low, same.High, same.P})
	require.Zero(t, pairedT([]float64{2, 3}, []float64{1, 2}).P, "the same difference each time")
	for _, none := range []interval{pairedT(nil, nil), pairedT([]float64{1}, []float64{2}), pairedT([]float64{1, math.NaN()}, []float64{1, 2}),
		pairedT([]float64{1, math.Inf(1)}, []float64{1, 2})} {
		require.True(t, math.IsNaN(none.P) && math.IsNaN(none.Low) && math.IsNaN(none.High))
	}
}

// studentOf4 is the two-sided p-value of Student's t with 4 degrees of freedom.
func studentOf4(t float64) float64 {
	t = math.Abs(t)
	r := t / math.Sqrt(4+t*t)
	return 1 - r*(1+2/(4+t*t))
}

func TestCorrected(t *testing.T) {
	family := []comparison{{overSeeds: interval{P: .01}, overImages: interval{P: .5}}, {overSeeds: interval{P: .04}, overImages: interval{P: .01}},
		{overSeeds: interval{P: math.NaN()}, overImages: interval{P: .02}}}
	got := corrected(family)
	require.Equal(t, []float64{.02, .04}, []float64{got[0].overSeeds.Holm, got[1].overSeeds.Holm})
	require.True(t, math.IsNaN(got[2].overSeeds.Holm))
	require.InDeltaSlice(t, []float64{.5, .03, .04}, []float64{got[0].overImages.Holm, got[1].overImages.Holm, got[2].overImages.Holm}, 1e-15)
}
