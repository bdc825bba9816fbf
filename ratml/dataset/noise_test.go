package dataset

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestWithLabelNoise(t *testing.T) {
	images, err := NewImages(Shape{1, 1, 1}, []string{"a", "b", "c", "d"}, pattern(1000, 1), make([]int, 1000))
	if err != nil {
		t.Fatal(err)
	}
	for fraction, want := range map[float64]int{0: 0, 0.055: 55, 0.0004: 0, 0.0006: 1, 1: 1000} {
		noisy, err := WithLabelNoise(images, fraction, 5)
		if err != nil {
			t.Fatal(err)
		}
		pixels, labels := readAll(t, noisy)
		count := make([]int, 4)
		for _, label := range labels {
			count[label]++
		}
		if wrong := 1000 - count[0]; wrong != want {
			t.Errorf("fraction %v: %d wrong labels, want %d", fraction, wrong, want)
		}
		if fraction == 1 && slices.Min(count[1:]) < 280 {
			t.Errorf("wrong labels %v, want about as many of each class", count[1:])
		}
		if plain, _ := readAll(t, images); !slices.Equal(pixels, plain) {
			t.Errorf("fraction %v: the images have changed", fraction)
		}
		if again, _ := Labels(noisy); !slices.Equal(again, labels) {
			t.Errorf("fraction %v: Labels and Read disagree", fraction)
		}
	}
	if original, _ := Labels(images); slices.Max(original) != 0 {
		t.Error("the labels of the set itself have changed")
	}
}

func TestWithLabelNoiseSeed(t *testing.T) {
	set := Take(mnist(t).Test, 1000)
	labels := func(seed uint64) []int {
		noisy, err := WithLabelNoise(set, 0.3, seed)
		if err != nil {
			t.Fatal(err)
		}
		labels, err := Labels(noisy)
		if err != nil {
			t.Fatal(err)
		}
		return labels
	}
	if !slices.Equal(labels(1), labels(1)) {
		t.Error("one seed gave two sets of labels")
	}
	if slices.Equal(labels(1), labels(2)) {
		t.Error("two seeds gave one set of labels")
	}
}

// The wrong labels of a seed are fixed for good.
func TestWithLabelNoisePinned(t *testing.T) {
	images, err := NewImages(Shape{1, 1, 1}, []string{"a", "b", "c"}, make([]uint8, 10), make([]int, 10))
	if err != nil {
		t.Fatal(err)
	}
	noisy, err := WithLabelNoise(images, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Labels(noisy)
	if want := []int{2, 0, 2, 0, 2, 0, 0, 1, 0, 2}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestWithLabelNoiseFaults(t *testing.T) {
	set := tinyImages(t, 3)
	for _, fraction := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if _, err := WithLabelNoise(set, fraction, 1); err == nil || !strings.Contains(err.Error(), "want a fraction in [0,1]") {
			t.Errorf("fraction %v: error %v", fraction, err)
		}
	}
	single, err := NewImages(Shape{1, 1, 1}, []string{"only"}, []uint8{1}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WithLabelNoise(single, 0.5, 1); err == nil || !strings.Contains(err.Error(), "at least 2 classes") {
		t.Errorf("error %v", err)
	}
	if _, err := WithLabelNoise(single, 0, 1); err != nil {
		t.Errorf("no noise in one class: %v", err)
	}
	if _, err := WithLabelNoise(opaque{Set: set, fail: 1}, 0.5, 1); !errors.Is(err, errUnreadable) {
		t.Errorf("error %v", err)
	}
	noisy, err := WithLabelNoise(set, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	noisy.(*noisyLabels).Set = opaque{Set: set, fail: 1}
	if _, err := noisy.Read(1, make([]float32, 4)); !errors.Is(err, errUnreadable) {
		t.Errorf("error %v", err)
	}
}
