package dataset

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// erased returns the box of the pixels that are the fill, and checks that all else is the original.
func erased(t *testing.T, s Shape, original, image, fill []float32) box {
	t.Helper()
	b := box{s.Height, s.Width, 0, 0}
	bottom, right, n := 0, 0, 0
	for i := range s.Height * s.Width {
		pixel := image[i*s.Channels:][:s.Channels]
		if slices.Equal(pixel, original[i*s.Channels:][:s.Channels]) {
			continue
		}
		require.Equal(t, fill, pixel)
		y, x := i/s.Width, i%s.Width
		b.top, b.left, bottom, right = min(b.top, y), min(b.left, x), max(bottom, y+1), max(right, x+1)
		n++
	}
	b.height, b.width = max(0, bottom-b.top), max(0, right-b.left)
	require.Equal(t, n, b.height*b.width, "erased pixels are no rectangle")
	return b
}

func TestRandomErasing(t *testing.T) {
	s := Shape{32, 24, 2}
	for _, c := range []struct {
		p           float64
		area, ratio Range
		fill, want  []float32
	}{
		{.5, Range{}, Range{}, nil, []float32{0, 0}},
		{1, Range{}, Range{}, []float32{.3}, []float32{.3, .3}},
		{0, Range{}, Range{}, nil, nil},
		{1, Range{.1, .2}, Range{.5, 1}, []float32{.3, .7}, []float32{.3, .7}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			erase, err := RandomErasing(c.p, c.area, c.ratio, c.fill...)
			require.NoError(t, err)
			const n = 2000
			changed := 0
			area, ratio := c.area.or(erasedArea), c.ratio.or(erasedRatio)
			for seed := range uint64(n) {
				original := ramp(s.Size())
				image := slices.Clone(original)
				erase(stream(seed), s, image)
				b := erased(t, s, original, image, c.want)
				if b.height == 0 {
					continue
				}
				changed++
				// Sides are rounded to whole pixels: by half a pixel at most.
				h, w := float64(b.height), float64(b.width)
				require.True(t, (h+.5)*(w+.5)/768 >= area.Min && (h-.5)*(w-.5)/768 <= area.Max, "%+v", b)
				require.True(t, (h+.5)/(w-.5) >= ratio.Min && (h-.5)/(w+.5) <= ratio.Max, "%+v", b)
			}
			require.InDelta(t, c.p, float64(changed)/n, .04)
		})
	}
}

func TestRangeErrors(t *testing.T) {
	nan := math.NaN()
	for _, r := range []Range{{0, .5}, {-1, .5}, {.5, .4}, {.5, 1.1}, {nan, 1}, {.5, nan}, {.5, math.Inf(1)}} {
		_, err := RandomResizedCrop(r, Range{})
		require.Error(t, err, "crop of areas %v", r)
		_, err = RandomErasing(1, r, Range{})
		require.Error(t, err, "erasing areas %v", r)
		if r.Max == 1.1 {
			continue // a ratio
		}
		_, err = RandomResizedCrop(Range{}, r)
		require.Error(t, err, "crop of ratios %v", r)
		_, err = RandomErasing(1, Range{}, r)
		require.Error(t, err, "erasing ratios %v", r)
	}
	for _, p := range []float64{-.1, 1.1, nan} {
		_, err := RandomErasing(p, Range{}, Range{})
		require.Error(t, err)
	}
	_, err := RandomErasing(1, Range{}, Range{}, 2)
	require.Error(t, err)
}

// TestCutout sees that squares are as large as stated, cut off at the edges, and everywhere.
func TestCutout(t *testing.T) {
	s := Shape{9, 7, 3}
	original := ramp(s.Size())
	for _, size := range []int{4, 5} {
		seen := map[box]int{}
		for seed := range uint64(6300) {
			image := slices.Clone(original)
			Cutout(size, .5)(stream(seed), s, image)
			seen[erased(t, s, original, image, []float32{.5, .5, .5})]++
		}
		require.Len(t, seen, 9*7, "boxes of size %d", size)
		for y := range 9 {
			for x := range 7 {
				top, left := max(0, y-2), max(0, x-2)
				b := box{top, left, min(9, y+2) - top, min(7, x+2) - left}
				require.InDelta(t, 100, seen[b], 50, "size %d: %+v", size, b)
			}
		}
	}
	for _, size := range []int{-3, 0, 1} {
		image := slices.Clone(original)
		Cutout(size)(stream(1), s, image)
		require.Equal(t, original, image)
	}
	image := slices.Clone(original)
	Cutout(100)(stream(1), s, image)
	require.Equal(t, make([]float32, s.Size()), image)
}
