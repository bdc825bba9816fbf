package dataset

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// numbers reads tinyImages back: the number of each image.
func numbers(t *testing.T, s Set) []int {
	t.Helper()
	pixels, labels := readAll(t, s)
	out := make([]int, s.Len())
	for i := range out {
		out[i] = int(pixels[4*i]*255 + 0.5)
		if labels[i] != out[i]%2 {
			t.Errorf("image %d has label %d", out[i], labels[i])
		}
	}
	return out
}

func TestSplit(t *testing.T) {
	set := tinyImages(t, 50)
	sets, err := Split(set, 3, 10, 0, 25)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for k, size := range []int{10, 0, 25} {
		n := numbers(t, sets[k])
		if len(n) != size {
			t.Errorf("set %d has %d images, want %d", k, len(n), size)
		}
		for i, number := range n {
			if seen[number] {
				t.Errorf("image %d is in two places", number)
			}
			seen[number] = true
			if got := Origin(sets[k], i); got != number {
				t.Errorf("Origin(set %d, %d) = %d, want %d", k, i, got, number)
			}
		}
		if size > 1 && slices.IsSorted(n) {
			t.Errorf("set %d is not dealt out at random: %v", k, n)
		}
	}
	again, _ := Split(set, 3, 10, 0, 25)
	if !slices.Equal(numbers(t, sets[2]), numbers(t, again[2])) {
		t.Error("one seed gave two splits")
	}
	other, _ := Split(set, 4, 10, 0, 25)
	if slices.Equal(numbers(t, sets[2]), numbers(t, other[2])) {
		t.Error("two seeds gave one split")
	}
	// Later sizes must not matter to earlier sets, so that a validation set stays when the training set grows.
	shorter, _ := Split(set, 3, 10)
	if !slices.Equal(numbers(t, sets[0]), numbers(t, shorter[0])) {
		t.Error("the first set depends on the sizes of the others")
	}
}

// The split of a seed is fixed for good: numbers in papers depend on it.
func TestSplitPinned(t *testing.T) {
	sets, err := Split(tinyImages(t, 10), 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := numbers(t, sets[0]), []int{8, 0, 9, 6, 4, 1, 3, 7, 5, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSplitFaults(t *testing.T) {
	set := tinyImages(t, 10)
	for _, sizes := range [][]int{{11}, {5, 6}, {-1}, {3, -2}, {int(^uint(0) >> 1), 2}} {
		if _, err := Split(set, 1, sizes...); err == nil || !strings.Contains(err.Error(), "cannot split 10 images") {
			t.Errorf("sizes %v: error %v", sizes, err)
		}
	}
}

func TestTake(t *testing.T) {
	set := tinyImages(t, 5)
	for n, want := range map[int][]int{3: {0, 1, 2}, 0: {}, -4: {}, 5: {0, 1, 2, 3, 4}, 9: {0, 1, 2, 3, 4}} {
		if got := numbers(t, Take(set, n)); !slices.Equal(got, want) {
			t.Errorf("Take(%d) = %v, want %v", n, got, want)
		}
	}
	if taken := Take(set, 2); taken.Shape() != set.Shape() || !slices.Equal(taken.Classes(), set.Classes()) {
		t.Errorf("shape %v, classes %q", taken.Shape(), taken.Classes())
	}
}

func TestSelect(t *testing.T) {
	set := tinyImages(t, 6)
	index := []int{5, 2, 2, 4}
	selected, err := Select(set, index)
	if err != nil {
		t.Fatal(err)
	}
	index[0] = 0 // the caller's
	if got, want := numbers(t, selected), []int{5, 2, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	noisy, err := WithLabelNoise(selected, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	twice := Take(noisy, 2)
	for i, want := range map[int]int{0: 5, 1: 2, 2: 2, -1: -1} { // 2 is outside, and comes back as it is
		if got := Origin(twice, i); got != want {
			t.Errorf("Origin(%d) = %d, want %d", i, got, want)
		}
	}
	for _, bad := range [][]int{{6}, {0, -1}} {
		if _, err := Select(set, bad); err == nil || !strings.Contains(err.Error(), "of 6") {
			t.Errorf("Select(%v): error %v", bad, err)
		}
	}
}

// opaque is a Set of which this package knows nothing.
type opaque struct {
	Set
	fail int // image that cannot be read, if not 0
}

var errUnreadable = errors.New("unreadable")

func (s opaque) Read(i int, dst []float32) (int, error) {
	if s.fail != 0 && i == s.fail {
		return 0, errUnreadable
	}
	return s.Set.Read(i, dst)
}

func TestLabels(t *testing.T) {
	set := tinyImages(t, 4)
	reversed, err := Select(set, []int{3, 2, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	noisy, err := WithLabelNoise(set, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  Set
		want []int
	}{
		{"images", set, []int{0, 1, 0, 1}},
		{"subset", reversed, []int{1, 0, 1, 0}},
		{"noisy", noisy, []int{1, 0, 1, 0}},
		{"opaque", opaque{Set: set}, []int{0, 1, 0, 1}},
		{"subset of opaque", Take(opaque{Set: set}, 2), []int{0, 1}},
		{"empty", Take(set, 0), []int{}},
	} {
		if got, err := Labels(c.set); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if _, err := Labels(opaque{Set: set, fail: 2}); !errors.Is(err, errUnreadable) || !strings.Contains(err.Error(), "image 2") {
		t.Errorf("error %v", err)
	}
}
