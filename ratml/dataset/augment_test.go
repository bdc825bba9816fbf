package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// shifted is the definition of shift, without its economies.
func shifted(s Shape, image []float32, down, right int) []float32 {
	out := make([]float32, len(image))
	for y := range s.Height {
		for x := range s.Width {
			fromY, fromX := y-down, x-right
			if fromY < 0 || fromY >= s.Height || fromX < 0 || fromX >= s.Width {
				continue
			}
			for c := range s.Channels {
				out[(y*s.Width+x)*s.Channels+c] = image[(fromY*s.Width+fromX)*s.Channels+c]
			}
		}
	}
	return out
}

func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i+1) / float32(n)
	}
	return out
}

func TestShift(t *testing.T) {
	for _, s := range []Shape{{4, 5, 1}, {5, 3, 3}, {1, 1, 2}} {
		for down := -7; down <= 7; down++ {
			for right := -7; right <= 7; right++ {
				image := ramp(s.Size())
				want := shifted(s, image, down, right)
				shift(s, image, down, right)
				if !slices.Equal(image, want) {
					t.Fatalf("%v by (%d,%d): %v, want %v", s, down, right, image, want)
				}
			}
		}
	}
}

func TestRandomCrop(t *testing.T) {
	s := Shape{6, 5, 2}
	original := ramp(s.Size())
	seen := map[[2]int]bool{}
	for seed := range uint64(400) {
		image := slices.Clone(original)
		RandomCrop(1)(stream(seed), s, image)
		found := false
		for down := -1; down <= 1; down++ {
			for right := -1; right <= 1; right++ {
				if slices.Equal(image, shifted(s, original, down, right)) {
					found, seen[[2]int{down, right}] = true, true
				}
			}
		}
		if !found {
			t.Fatalf("seed %d: no shift by at most one pixel gives %v", seed, image)
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d of 9 positions in 400 crops", len(seen))
	}
	for _, pad := range []int{0, -3} {
		image := slices.Clone(original)
		RandomCrop(pad)(stream(1), s, image)
		if !slices.Equal(image, original) {
			t.Errorf("a pad of %d changed the image", pad)
		}
	}
}

func TestRandomCropReflect(t *testing.T) {
	s := Shape{4, 5, 2}
	original := ramp(s.Size())
	for _, pad := range []int{-1, 0, 2, 9} {
		seen := map[string]bool{}
		for seed := range uint64(2000) {
			image, black := slices.Clone(original), slices.Clone(original)
			RandomCropReflect(pad)(stream(seed), s, image)
			RandomCrop(pad)(stream(seed), s, black)
			seen[fmt.Sprint(image)] = true
			for i, v := range black {
				require.Contains(t, original, image[i])
				if v != 0 {
					require.Equal(t, v, image[i], "not moved as RandomCrop does")
				}
			}
		}
		if pad == 2 {
			require.Equal(t, 25, len(seen), "positions")
		}
	}
	for i, want := range []int{0, 1, 2, 3, 2, 1, 0, 1} {
		require.Equal(t, want, bounce(i, 4))
		require.Equal(t, want, bounce(-i, 4))
	}
	require.Zero(t, bounce(-5, 1))
}

func TestRandomFlip(t *testing.T) {
	s := Shape{2, 3, 2}
	original := []float32{1, 2, 3, 4, 5, 6 /**/, 7, 8, 9, 10, 11, 12}
	mirrored := []float32{5, 6, 3, 4, 1, 2 /**/, 11, 12, 9, 10, 7, 8}
	flips := 0
	for seed := range uint64(1000) {
		image := slices.Clone(original)
		RandomFlip()(stream(seed), s, image)
		switch {
		case slices.Equal(image, mirrored):
			flips++
		case !slices.Equal(image, original):
			t.Fatalf("%v is neither the image nor its mirror image", image)
		}
	}
	if flips < 450 || flips > 550 {
		t.Errorf("%d flips of 1000", flips)
	}
}

func TestChain(t *testing.T) {
	add := func(x float32) Transform {
		return func(_ *rand.Rand, _ Shape, image []float32) { image[0] += x }
	}
	double := func(_ *rand.Rand, _ Shape, image []float32) { image[0] *= 2 }
	image := []float32{1}
	Chain(add(1), double, add(3))(nil, Shape{1, 1, 1}, image)
	if image[0] != 7 {
		t.Errorf("%v, want (1+1)*2+3", image[0])
	}
}
