package dataset

import (
	"slices"
	"strings"
	"testing"
)

func TestOpenNames(t *testing.T) {
	if names := Names(); names[0] != "mnist" || !slices.Contains(names, "cifar100") || len(names) != len(Catalog()) {
		t.Errorf("Names() = %q", names)
	}
	_, err := Open("imagenet21k", Config{})
	if err == nil {
		t.Fatal("no error for an unknown name")
	}
	for _, want := range append(Names(), `"imagenet21k"`) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
}

func TestOpenSetsName(t *testing.T) {
	data, err := Open("synthetic", Config{})
	if err != nil {
		t.Fatal(err)
	}
	if data.Name != "synthetic" || data.Source != "generated" {
		t.Errorf("name %q, source %q", data.Name, data.Source)
	}
	if train, err := data.Training(); err != nil || train != data.Train {
		t.Errorf("Training() = %v, %v, want the training set", train, err)
	}
}

func TestTrainingOfNothing(t *testing.T) {
	if set, err := (&Data{Name: "own"}).Training(); err == nil || set != nil || !strings.Contains(err.Error(), "own") {
		t.Errorf("Training() = %v, %v, want an error that names the set", set, err)
	}
}

func TestShape(t *testing.T) {
	s := Shape{2, 3, 4}
	if s.Size() != 24 || s.String() != "2x3x4" {
		t.Errorf("size %d, string %s", s.Size(), s)
	}
}

func TestReadChecksArguments(t *testing.T) {
	images := tinyImages(t, 3)
	noisy, err := WithLabelNoise(images, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]Set{"images": images, "subset": Take(images, 3), "noisy": noisy} {
		for _, c := range []struct {
			i, size int
			want    string
		}{
			{-1, 4, "image -1 is outside [0,3)"},
			{3, 4, "image 3 is outside [0,3)"},
			{0, 3, "dst has 3 elements, want 4 for images of 2x2x1"},
			{0, 5, "dst has 5 elements, want 4 for images of 2x2x1"},
		} {
			if _, err := set.Read(c.i, make([]float32, c.size)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: Read(%d, %d elements): error %v, want %q", name, c.i, c.size, err, c.want)
			}
		}
		if label, err := set.Read(2, make([]float32, 4)); err != nil || label < 0 || label > 1 {
			t.Errorf("%s: Read(2) = %d, %v", name, label, err)
		}
	}
}

// tinyImages returns n images of 2x2 pixels, whose pixels are all i/255 in image i, of two classes in turn.
func tinyImages(t testing.TB, n int) *Images {
	t.Helper()
	var pixels []uint8
	var labels []int
	for i := range n {
		pixels = append(pixels, slices.Repeat([]uint8{uint8(i)}, 4)...)
		labels = append(labels, i%2)
	}
	images, err := NewImages(Shape{2, 2, 1}, []string{"even", "odd"}, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return images
}
