package dataset

import (
	"strings"
	"testing"
)

func TestNewImages(t *testing.T) {
	shape, classes := Shape{1, 2, 1}, []string{"a", "b"}
	for _, c := range []struct {
		name   string
		shape  Shape
		pixels []uint8
		labels []int
		want   string // in the error; "" for none
	}{
		{"good", shape, []uint8{0, 255, 51, 102}, []int{0, 1}, ""},
		{"empty", shape, nil, nil, ""},
		{"too few pixels", shape, []uint8{0, 1, 2}, []int{0, 1}, "3 pixel values for 2 labels"},
		{"too many pixels", shape, []uint8{0, 1, 2, 3, 4, 5}, []int{0, 1}, "6 pixel values for 2 labels"},
		{"a pixel too many", shape, []uint8{0, 1, 2, 3, 4}, []int{0, 1}, "5 pixel values for 2 labels, want 2 values (1x2x1) for each"},
		{"label too large", shape, []uint8{0, 1, 2, 3}, []int{0, 2}, "image 1: label 2 is outside [0,2)"},
		{"label negative", shape, []uint8{0, 1}, []int{-1}, "image 0: label -1"},
		{"no width", Shape{1, 0, 1}, nil, nil, "1x0x1"},
		{"negative", Shape{-1, -1, 1}, []uint8{1}, []int{0}, "-1x-1x1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			images, err := NewImages(c.shape, classes, c.pixels, c.labels)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("error %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			pixels, labels := readAll(t, images)
			for i, p := range pixels {
				if p != float32(c.pixels[i])/255 {
					t.Errorf("value %d is %v, want %d/255", i, p, c.pixels[i])
				}
			}
			for i, label := range labels {
				if label != c.labels[i] {
					t.Errorf("label %d is %d, want %d", i, label, c.labels[i])
				}
			}
		})
	}
}
