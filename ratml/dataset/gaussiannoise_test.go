package dataset

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithGaussianNoise(t *testing.T) {
	const side = 64
	pixels := make([]uint8, 2*side*side)
	for i := range pixels {
		pixels[i] = 128
	}
	clean, err := NewImages(Shape{side, side, 1}, []string{"a", "b"}, pixels, []int{1, 0})
	require.NoError(t, err)
	read := func(s Set, i int) []float32 {
		dst := make([]float32, side*side)
		label, err := s.Read(i, dst)
		require.NoError(t, err)
		require.Equal(t, 1-i, label)
		return dst
	}
	noisy, err := WithGaussianNoise(clean, .08, 7)
	require.NoError(t, err)
	first := read(noisy, 0)
	require.Equal(t, first, read(noisy, 0))
	require.NotEqual(t, first, read(noisy, 1), "every image has noise of its own")
	var sum, squares float64
	for _, v := range first {
		d := float64(v) - 128./255 + .5/255 // half a level is lost to rounding down
		sum, squares = sum+d, squares+d*d
		require.InDelta(t, math.Round(255*float64(v)), 255*float64(v), 1e-4, "8 bits")
	}
	n := float64(len(first))
	require.InDelta(t, 0, sum/n, 4*.08/math.Sqrt(n))
	require.InDelta(t, .08, math.Sqrt(squares/n), 4*.08/math.Sqrt(2*n))

	other, err := WithGaussianNoise(clean, .08, 8)
	require.NoError(t, err)
	require.NotEqual(t, first, read(other, 0))
	none, err := WithGaussianNoise(clean, 0, 7)
	require.NoError(t, err)
	require.Equal(t, read(clean, 0), read(none, 0))
	strong, err := WithGaussianNoise(clean, 10, 7)
	require.NoError(t, err)
	for _, v := range read(strong, 1) {
		require.True(t, v >= 0 && v <= 1)
	}
	require.Equal(t, 1, Origin(Take(noisy, 2), 1))
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err := WithGaussianNoise(clean, bad, 0)
		require.Error(t, err)
	}
}
