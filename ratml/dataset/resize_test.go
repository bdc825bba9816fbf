package dataset

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed testdata/resize.json
var resizeJSON []byte

// pillow is what testdata/resize.py writes.
type pillow struct {
	From          [3]int // height, width, channels
	Resize, Crop  int
	Interpolation string
	Size          [2]int // height, width
	SHA256        string
	Pixels        []byte // of small images
}

func pillowImages(t testing.TB) (g struct{ Resized, Preprocessed []pillow }) {
	t.Helper()
	require.NoError(t, json.Unmarshal(resizeJSON, &g))
	require.NotEmpty(t, g.Resized)
	require.NotEmpty(t, g.Preprocessed)
	return g
}

func (p pillow) shape() Shape { return Shape{p.From[0], p.From[1], p.From[2]} }

func (p pillow) method(t testing.TB) Interpolation {
	t.Helper()
	for _, m := range []Interpolation{Bilinear, Bicubic} {
		if m.String() == p.Interpolation {
			return m
		}
	}
	t.Fatalf("unknown interpolation %q", p.Interpolation)
	return 0
}

func (p pillow) equal(t testing.TB, got []uint8) {
	t.Helper()
	if p.Pixels != nil {
		require.Equal(t, p.Pixels, got, "%+v", p)
	}
	sum := sha256.Sum256(got)
	require.Equal(t, p.SHA256, hex.EncodeToString(sum[:]), "%+v", p)
}

// blocks is image of testdata/resize.py.
func blocks(s Shape) []uint8 {
	v := make([]uint8, s.Size())
	for i := range v {
		n := uint64(i)
		pixel := i / s.Channels
		switch (pixel%s.Width/7 + 2*(pixel/s.Width/5)) % 4 {
		case 0:
		case 1:
			v[i] = 255
		default:
			v[i] = uint8(uint32(2654435761*n+n*n%65521) >> 24)
		}
	}
	return v
}

func TestResizeAgainstPillow(t *testing.T) {
	for _, p := range pillowImages(t).Resized {
		got, err := Resize(blocks(p.shape()), p.shape(), p.Size[0], p.Size[1], p.method(t))
		require.NoError(t, err)
		p.equal(t, got)
	}
}

func TestPreprocessAgainstTorchvision(t *testing.T) {
	for _, p := range pillowImages(t).Preprocessed {
		pre := Preprocess{p.Resize, p.Crop, p.method(t)}
		image := blocks(p.shape())
		got, shape, err := pre.Apply(image, p.shape())
		require.NoError(t, err)
		require.Equal(t, Shape{p.Size[0], p.Size[1], 3}, shape, "%v of %v", pre, p.shape())
		p.equal(t, got)
		require.Equal(t, blocks(p.shape()), image, "the image was changed")
		got[0]++ // and shares no memory with the result
		require.Equal(t, blocks(p.shape()), image)
	}
}

func TestResizeErrors(t *testing.T) {
	s := Shape{4, 5, 3}
	for name, f := range map[string]func() error{
		"a value short":    func() error { _, err := Resize(make([]uint8, 59), s, 2, 2, Bilinear); return err },
		"an empty image":   func() error { _, err := Resize(nil, Shape{0, 5, 3}, 2, 2, Bilinear); return err },
		"no height":        func() error { _, err := Resize(make([]uint8, 60), s, 0, 2, Bilinear); return err },
		"negative width":   func() error { _, err := Resize(make([]uint8, 60), s, 2, -1, Bilinear); return err },
		"no interpolation": func() error { _, err := Resize(make([]uint8, 60), s, 2, 2, 7); return err },
		"negative resize":  func() error { _, _, err := Preprocess{Resize: -1}.Apply(make([]uint8, 60), s); return err },
		"negative crop":    func() error { _, _, err := Preprocess{Crop: -1}.Apply(make([]uint8, 60), s); return err },
		"values missing":   func() error { _, _, err := Preprocess{}.Apply(nil, s); return err },
	} {
		require.ErrorContains(t, f(), "dataset: ", name)
	}
}

func TestPreprocessString(t *testing.T) {
	for want, p := range map[string]Preprocess{
		"none":                        {},
		"crop 32":                     {Crop: 32},
		"resize 256 bicubic":          {Resize: 256, Interpolation: Bicubic},
		"resize 232 bilinear, crop 9": {Resize: 232, Crop: 9},
	} {
		require.Equal(t, want, p.String())
	}
	require.Equal(t, "Interpolation(9)", Interpolation(9).String())
}

func BenchmarkPreprocess(b *testing.B) {
	s := Shape{375, 500, 3}
	image := blocks(s)
	for _, m := range []Interpolation{Bilinear, Bicubic} {
		b.Run(m.String(), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := (Preprocess{256, 224, m}).Apply(image, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
