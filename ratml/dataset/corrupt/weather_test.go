package corrupt

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where no drop falls nothing may happen, above all no division by the brightest of them.
func TestSpatterWithoutDrops(t *testing.T) {
	f := newFrame(8, 8, 3)
	for i := range f.v {
		f.v[i] = 0.25
	}
	drops{strength: 0.5}.waterOn(f, newFrame(8, 8, 1))
	for _, v := range f.v {
		require.Equal(t, 0.25, v)
	}
}

// The textures have the colours of the photographs and are the same in every process.
func TestIceTextures(t *testing.T) {
	for i, texture := range iceTextures() {
		style := iceStyles[i]
		for k := range 3 {
			mean, square, n := 0.0, 0.0, float64(iceSide*iceSide)
			for j := k; j < len(texture.pixels); j += 3 {
				mean += float64(texture.pixels[j]) / n
			}
			for j := k; j < len(texture.pixels); j += 3 {
				d := float64(texture.pixels[j]) - mean
				square += d * d / n
			}
			require.InDelta(t, style.mean[k], mean, 1, "texture %d, channel %d", i, k)
			require.InDelta(t, style.deviation[k], math.Sqrt(square), 1.5, "texture %d, channel %d", i, k)
		}
		red := texture.pixels[3*(100*iceSide+100)]
		require.InDelta(t, [...]float64{109, 179, 181, 126, 146}[i], float64(red), 1, "texture %d at (100,100)", i)
	}
}
