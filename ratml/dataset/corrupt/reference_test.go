package corrupt

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
)

// splitMix yields the random numbers of testdata/reference.py.
type splitMix struct{ state uint64 }

func (s *splitMix) Float64() float64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

func (s *splitMix) NormFloat64() float64 {
	r := math.Sqrt(-2 * math.Log(1-s.Float64()))
	return r * math.Cos(2*math.Pi*s.Float64())
}

func (s *splitMix) IntN(n int) int { return int(math.Floor(s.Float64() * float64(n))) }

// readPNG returns the pixels of a file, red, green, blue.
func readPNG(t testing.TB, name string) (h, w int, pixels []uint8) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer file.Close()
	img, err := png.Decode(file)
	require.NoError(t, err)
	b := img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			pixels = append(pixels, c.R, c.G, c.B)
		}
	}
	return b.Dy(), b.Dx(), pixels
}

// writeFrost writes the pictures of reference.py that stand for photographs of frost.
func writeFrost(t testing.TB) string {
	dir := t.TempDir()
	for k, name := range frostFiles {
		img := image.NewRGBA(image.Rect(0, 0, 500, 400))
		for y := range 400 {
			for x := range 500 {
				v := func(c int) uint8 { return uint8(x*(3+k) + y*7*(c+1) + x*y/50) }
				img.SetRGBA(x, y, color.RGBA{v(2), v(1), v(0), 255})
			}
		}
		file, err := os.Create(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NoError(t, png.Encode(file, img)) // whatever the name says: files are told by their first bytes
		require.NoError(t, file.Close())
	}
	return dir
}

// TestAgainstOriginal compares with the original code on the same random numbers: how far single values may be off, the
// share of values that may be off by more than one grey level, and the mean difference.
func TestAgainstOriginal(t *testing.T) {
	type tolerance struct {
		most        int
		share, mean float64
	}
	exact, encoder := tolerance{1, 0, 0.1}, tolerance{40, 0.45, 2}
	frostDir := writeFrost(t)
	for _, set := range []struct {
		name       string
		parameters Parameters
		step       int
	}{{"cifar", CIFAR, 1}, {"imagenet", ImageNet, 9}} {
		h, w, clean := readPNG(t, set.name+"_clean.png")
		shape := dataset.Shape{Height: h, Width: w, Channels: 3}
		_, sheetWidth, sheet := readPNG(t, set.name+".png")
		side := (h - set.step/2 + set.step - 1) / set.step
		for column, name := range Names() {
			t.Run(set.name+"/"+name, func(t *testing.T) {
				for severity := 1; severity <= Severities; severity++ {
					c, err := Config{Name: name, Severity: severity, Parameters: set.parameters, FrostDir: frostDir}.New(shape)
					require.NoError(t, err)
					f := newFrame(h, w, 3)
					f.fromBytes(clean)
					c.effect(f, &splitMix{uint64(100*column + severity)})
					got := make([]uint8, len(clean))
					f.toBytes(got)

					most, off, total := 0, 0, 0
					for i := range side * side * 3 {
						y, x, k := i/3/side, i/3%side, i%3
						want := sheet[(((severity-1)*side+y)*sheetWidth+column*side+x)*3+k]
						have := got[((set.step/2+y*set.step)*w+set.step/2+x*set.step)*3+k]
						d := abs(int(want) - int(have))
						most, total = max(most, d), total+d
						if d > 1 {
							off++
						}
					}
					values := float64(side * side * 3)
					share, mean := float64(off)/values, float64(total)/values
					if os.Getenv("CORRUPT_PRINT") != "" {
						fmt.Printf("%-9s %-18s %d: most %3d, over 1: %.4f, mean %.4f\n", set.name, name, severity, most, share, mean)
					}
					limit := exact
					if name == "jpeg_compression" {
						limit = encoder
					}
					require.LessOrEqual(t, most, limit.most, "severity %d", severity)
					require.LessOrEqual(t, share, limit.share, "severity %d", severity)
					require.LessOrEqual(t, mean, limit.mean, "severity %d", severity)
				}
			})
		}
	}
}
