package dataset

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStored(t *testing.T) {
	dir := t.TempDir()
	folder{"a/x.png": plain(t, 30, 20, 7), "b/y.png": plain(t, 10, 15, 9)}.write(t, dir)
	data, err := Open("folder:"+dir, Config{Preprocess: Preprocess{Resize: 8, Crop: 8}})
	require.NoError(t, err)
	second, err := Select(data.Test, []int{1})
	require.NoError(t, err)
	noisy, err := WithLabelNoise(second, 1, 1)
	require.NoError(t, err)
	for _, s := range []Set{second, noisy} {
		pixels, shape, err := Stored(s, 0)
		require.NoError(t, err)
		require.Equal(t, Shape{10, 15, 3}, shape)
		require.Equal(t, uint8(9), pixels[0])
	}
	labels, err := Labels(noisy)
	require.NoError(t, err)
	require.Equal(t, []int{0}, labels)
	both, err := WithLabelNoise(data.Test, 1, 1)
	require.NoError(t, err)
	random, ok, err := CropStored(both, Range{}, Range{})
	require.NoError(t, err)
	require.True(t, ok)
	for b, err := range (Loader{Set: random, BatchSize: 2}).Epoch(t.Context(), 0) {
		require.NoError(t, err)
		require.Equal(t, []float32{7. / 255, 9. / 255}, []float32{b.Images[0], b.Images[8*8*3]})
		require.Equal(t, []int32{1, 0}, b.Labels)
	}
	pixels, shape, err := Stored(unknownKind{tinyImages(t, 3)}, 2)
	require.NoError(t, err)
	want, _, err := Stored(tinyImages(t, 3), 2)
	require.NoError(t, err)
	require.Equal(t, want, pixels)
	require.Len(t, pixels, shape.Size())
	_, _, err = Stored(second, 1)
	require.ErrorContains(t, err, "image 1 is outside [0,1)")
}

// unknownKind hides what a set is made of.
type unknownKind struct{ Set }

// A set that is not of this package is asked for labels by Label, if it has that, and else read.
func TestLabeler(t *testing.T) {
	s := tinyImages(t, 5)
	want, err := Labels(s)
	require.NoError(t, err)
	got, err := Labels(unknownKind{s})
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = Labels(sevens{s})
	require.NoError(t, err)
	require.Equal(t, []int{7, 7, 7, 7, 7}, got)
}

type sevens struct{ Set }

func (sevens) Label(int) int { return 7 }

func TestPreprocessLeaves(t *testing.T) {
	for _, c := range []struct {
		p    Preprocess
		s    Shape
		want bool
	}{
		{Preprocess{}, Shape{3, 4, 1}, true}, {Preprocess{Resize: 32, Crop: 32}, Shape{32, 32, 3}, true},
		{Preprocess{Resize: 32, Crop: 32}, Shape{32, 33, 3}, false}, {Preprocess{Resize: 256, Crop: 224}, Shape{224, 224, 3}, false},
	} {
		require.Equal(t, c.want, c.p.leaves(c.s), "%+v", c)
	}
	// Small images stay as they are where a network takes their size.
	dir := t.TempDir()
	cifarFolder().write(t, dir)
	data, err := Open("cifar10", Config{Dir: dir, Preprocess: Preprocess{Resize: 32, Crop: 32}})
	require.NoError(t, err)
	require.IsType(t, &Images{}, data.Test)
}
