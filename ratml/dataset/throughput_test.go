package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkCIFAR is a loader of images in CIFAR-10's binary files with the usual augmentation.
func BenchmarkCIFAR(b *testing.B) {
	dir := b.TempDir()
	f := folder{}
	for _, name := range cifarFiles {
		labels := make([]byte, 2000)
		f[name] = cifarRecords(1, labels...)
	}
	f.write(b, dir)
	data, err := Open("cifar10", Config{Dir: dir})
	require.NoError(b, err)
	benchmarkLoader(b, Loader{Set: data.Train, BatchSize: 128, Shuffle: true, Transform: Chain(RandomCrop(4), RandomFlip())})
}

// BenchmarkPacked is the same of images that Pack wrote.
func BenchmarkPacked(b *testing.B) {
	dir := b.TempDir()
	cifarFolder().write(b, dir)
	data, err := Open("cifar10", Config{Dir: dir})
	require.NoError(b, err)
	data.Train = Take(mustRepeat(b, data.Train, 10000), 10000)
	require.NoError(b, Pack(b.Context(), data, Preprocess{}, dir, nil))
	data, err = Open("packed:"+dir, Config{})
	require.NoError(b, err)
	benchmarkLoader(b, Loader{Set: data.Train, BatchSize: 128, Shuffle: true, Transform: Chain(RandomCrop(4), RandomFlip())})
}

func mustRepeat(b *testing.B, s Set, n int) Set {
	index := make([]int, n)
	for i := range index {
		index[i] = i % s.Len()
	}
	r, err := Select(s, index)
	require.NoError(b, err)
	return r
}

// BenchmarkPhotographs is ImageNet's evaluation transform of JPEG files of 500x375 pixels on two workers. With RATML_PHOTOS the
// images are those of that folder, as testdata/torchvision_loader.py makes them and reads them.
func BenchmarkPhotographs(b *testing.B) {
	dir := os.Getenv("RATML_PHOTOS")
	if dir == "" {
		dir = b.TempDir()
		f := folder{}
		for i := range 32 {
			img := image.NewYCbCr(image.Rect(0, 0, 500, 375), image.YCbCrSubsampleRatio420)
			for p := range img.Y {
				x, y := p%img.YStride, p/img.YStride
				img.Y[p] = uint8(x*y/64+i) ^ uint8(scramble(uint64(p/37+i))>>60)
			}
			var out bytes.Buffer
			require.NoError(b, jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}))
			f[fmt.Sprintf("k/%02d.jpg", i)] = out.Bytes()
		}
		f.write(b, dir)
	}
	data, err := Open("folder:"+filepath.Clean(dir), Config{Preprocess: usual})
	require.NoError(b, err)
	for _, k := range []string{"evaluation", "training"} {
		b.Run(k, func(b *testing.B) {
			l := Loader{Set: data.Test, BatchSize: 32, Workers: 2}
			if k == "training" {
				set, ok, err := CropStored(data.Test, Range{}, Range{})
				require.NoError(b, err)
				require.True(b, ok)
				l.Set, l.Transform = set, RandomFlip()
			}
			benchmarkLoader(b, l)
		})
	}
}

// benchmarkLoader counts images.
func benchmarkLoader(b *testing.B, l Loader) {
	images := 0
	for b.Loop() {
		for batch, err := range l.Epoch(b.Context(), images) {
			require.NoError(b, err)
			images += batch.N
		}
	}
	b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
	b.ReportMetric(0, "ns/op")
}
