package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// imageSize is the number of values of a golden image, 32x32 in 3 colours.
const imageSize = 3 * 32 * 32

// Images returns the images [n, 3, 32, 32] stored as bytes under key, as [n, 32, 32, 3] in [0,1].
func Images(f *File, key string) []float32 {
	f.tb.Helper()
	planes := Read[uint8](f, key)
	images := make([]float32, 0, len(planes))
	for len(planes) > 0 {
		images = interleave(images, planes[:imageSize])
		planes = planes[imageSize:]
	}
	return images
}

// TestBatch returns the 1000 images of test_batch.bin, as [n, 32, 32, 3] in [0,1], and their labels.
func TestBatch(tb testing.TB) (images []float32, labels []int) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(), "test_batch.bin"))
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	for ; len(data) > 0; data = data[1+imageSize:] {
		labels = append(labels, int(data[0]))
		images = interleave(images, data[1:1+imageSize])
	}
	return images, labels
}

// interleave appends the planes of an image pixel by pixel.
func interleave(dst []float32, planes []byte) []float32 {
	const area = imageSize / 3
	for p := range area {
		for c := range 3 {
			dst = append(dst, float32(planes[c*area+p])/255)
		}
	}
	return dst
}
