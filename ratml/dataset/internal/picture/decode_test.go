package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// files are what testdata/pictures.py wrote, by name, each with what Pillow reads from it.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.*.png")
	require.NoError(t, err)
	require.Greater(t, len(names), 20)
	all := map[string][]byte{}
	for _, n := range names {
		name := strings.TrimSuffix(filepath.Base(n), ".png")
		all[name], err = os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
	}
	return all
}

// pillow returns the pixels that Pillow read, and the shape.
func pillow(t *testing.T, name string) (pixels []uint8, height, width int) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".png"))
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	b := img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			pixels = append(pixels, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	return pixels, b.Dy(), b.Dx()
}

func TestDecodeAgainstPillow(t *testing.T) {
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(data)
			require.NoError(t, err)
			want, height, width := pillow(t, name)
			require.Equal(t, [2]int{height, width}, [2]int{got.Height, got.Width})
			require.Len(t, got.Pixels, len(want))
			worst, sum := 0, 0
			for i, v := range want {
				d := int(v) - int(got.Pixels[i])
				worst, sum = max(worst, d, -d), sum+max(d, -d)
			}
			mean := float64(sum) / float64(len(want))
			t.Logf("largest difference %d, mean %.4f", worst, mean)
			most := 0
			if strings.HasSuffix(name, ".jpg") {
				most = 3
			}
			require.LessOrEqual(t, worst, most)
			require.Less(t, mean, 0.25)
		})
	}
}

// A part of a picture is the same as in the whole.
func TestRGBPart(t *testing.T) {
	for name, data := range files(t) {
		p, err := Parse(data)
		require.NoError(t, err)
		whole, err := p.RGB(0, 0, p.Height, p.Width)
		require.NoError(t, err)
		for top := 0; top < p.Height; top += 3 {
			for left := range p.Width {
				height, width := min(5, p.Height-top), min(1+top%11, p.Width-left)
				part, err := p.RGB(top, left, height, width)
				require.NoError(t, err)
				for y := range height {
					require.Equal(t, whole[3*((top+y)*p.Width+left):][:3*width], part[3*y*width:][:3*width], "%s: %dx%d at %d, %d", name, height, width, top, left)
				}
			}
		}
		for _, bad := range [][4]int{{-1, 0, 1, 1}, {0, 0, p.Height + 1, 1}, {0, 1, 1, p.Width}, {0, 0, 0, 1}} {
			_, err := p.RGB(bad[0], bad[1], bad[2], bad[3])
			require.Error(t, err)
		}
	}
}

// Whatever is cut off or changed, there is an error or an image of the size stated, and never a panic.
func TestDecodeDamaged(t *testing.T) {
	for name, data := range files(t) {
		whole, err := Decode(data)
		require.NoError(t, err)
		for n := 0; n < len(data)-16; n += 97 {
			img, err := Decode(data[:n])
			if strings.HasSuffix(name, ".webp") && err == nil { // its last bytes may be of no use
				require.Equal(t, whole.Height, img.Height)
				continue
			}
			require.Error(t, err, "%s cut to %d of %d bytes", name, n, len(data))
		}
		for at := 0; at < len(data); at += 13 {
			bad := bytes.Clone(data)
			bad[at] ^= 0xff
			if img, err := Decode(bad); err == nil {
				require.Len(t, img.Pixels, 3*img.Height*img.Width, "%s with byte %d flipped", name, at)
			}
		}
	}
}

// A header that promises more pixels than the file can hold is refused before they are allocated.
func TestDecodeHuge(t *testing.T) {
	data := bytes.Clone(files(t)["rgb.png"])
	binary.BigEndian.PutUint32(data[16:], 11000)
	binary.BigEndian.PutUint32(data[20:], 11000)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(data)
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "11000x11000 pixels are too many")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	_, err = Decode([]byte("GIF89a..."))
	require.ErrorContains(t, err, "neither JPEG, PNG, WebP nor BMP")
}

func FuzzDecode(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := Decode(data)
		if err == nil && len(img.Pixels) != 3*img.Height*img.Width {
			t.Fatalf("%d values for %dx%d pixels", len(img.Pixels), img.Height, img.Width)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := files(b)["yuv420.jpg"]
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
