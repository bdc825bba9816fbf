package dataset

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRandomResizedCrop sees that the whole range is used, that boxes are inside, and that what is cut out fills the
// image.
func TestRandomResizedCrop(t *testing.T) {
	s := Shape{32, 32, 3}
	rng := stream(1)
	least, most := 1.0, 0.0
	for range 20_000 {
		b := cropBox(rng, s, croppedArea, croppedRatio)
		require.True(t, b.top >= 0 && b.left >= 0 && b.top+b.height <= 32 && b.left+b.width <= 32, "%+v", b)
		area, ratio := float64(b.height*b.width)/1024, float64(b.width)/float64(b.height)
		require.True(t, area > .07 && ratio > .68 && ratio < 1.47, "%+v: area %g, ratio %g", b, area, ratio)
		least, most = min(least, area), max(most, area)
	}
	require.True(t, least < .09 && most > .98, "areas from %g to %g", least, most)

	crop, err := RandomResizedCrop(Range{}, Range{})
	require.NoError(t, err)
	for seed := range uint64(200) {
		image := ramp(s.Size()) // grows from pixel to pixel, and stays so under crops
		crop(stream(seed), s, image)
		for i := s.Channels; i < len(image); i++ {
			x := i / s.Channels % s.Width
			require.True(t, x == 0 || image[i] >= image[i-s.Channels], "seed %d: element %d", seed, i)
			require.True(t, image[i] >= 0 && image[i] <= 1)
		}
		white := slices.Repeat([]float32{1}, s.Size())
		crop(stream(seed), s, white)
		require.Equal(t, slices.Repeat([]float32{1}, s.Size()), white)
	}
	whole, err := RandomResizedCrop(Range{1, 1}, Range{1, 1})
	require.NoError(t, err)
	image := ramp(s.Size())
	whole(stream(1), s, image)
	require.InDeltaSlice(t, ramp(s.Size()), image, 1e-7)
}

// TestCropOfNarrowImages has images in which no drawn size fits: what is cut out is as large as the ratios let it be,
// in the middle. Expected values follow torchvision's RandomResizedCrop.get_params.
func TestCropOfNarrowImages(t *testing.T) {
	for _, c := range []struct {
		s    Shape
		want box
	}{
		{Shape{8, 40, 1}, box{0, 14, 8, 11}},
		{Shape{40, 8, 1}, box{14, 0, 11, 8}},
		{Shape{1, 50, 3}, box{0, 24, 1, 1}},
	} {
		require.Equal(t, c.want, cropBox(stream(1), c.s, Range{1, 1}, croppedRatio), "%v", c.s)
	}
}
