package corrupt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
)

// pattern returns an image with gradients, edges and noise.
func pattern(shape dataset.Shape) []uint8 {
	rng := rand.New(rand.NewPCG(7, 7))
	pixels := make([]uint8, shape.Size())
	for i := range pixels {
		y, x, k := i/shape.Channels/shape.Width, i/shape.Channels%shape.Width, i%shape.Channels
		v := 90 + 60*math.Sin(float64(x)/5+float64(k)) + 40*math.Cos(float64(y)/7) + 10*rng.Float64()
		if (x/8+y/8)%3 == 0 {
			v += 40
		}
		pixels[i] = uint8(v)
	}
	return pixels
}

func images(t testing.TB, shape dataset.Shape, n int) *dataset.Images {
	set, err := dataset.NewImages(shape, []string{"a", "b"}, bytes.Repeat(pattern(shape), n), make([]int, n))
	require.NoError(t, err)
	return set
}

func TestShapes(t *testing.T) {
	shapes := []dataset.Shape{
		{Height: 1, Width: 1, Channels: 1}, {Height: 1, Width: 1, Channels: 3}, {Height: 1, Width: 9, Channels: 3},
		{Height: 2, Width: 3, Channels: 1}, {Height: 28, Width: 28, Channels: 1}, {Height: 31, Width: 47, Channels: 3},
		{Height: 70, Width: 33, Channels: 3}, {Height: 65, Width: 90, Channels: 1},
	}
	for _, shape := range shapes {
		for _, name := range Names() {
			for _, parameters := range []Parameters{ImageNet, CIFAR} {
				for severity := 1; severity <= Severities; severity++ {
					c, err := Config{Name: name, Severity: severity, Parameters: parameters}.New(shape)
					require.NoError(t, err, "%s %v", name, shape)
					pixels := pattern(shape)
					require.NoError(t, c.Pixels(3, pixels))
					again := pattern(shape)
					require.NoError(t, c.Pixels(3, again))
					require.Equal(t, pixels, again, "%s %v: image 3 twice", name, shape)
				}
			}
		}
	}
}

// TestFlat corrupts black and white images: nothing may divide by the zero that has no gradient, edge or saturation.
func TestFlat(t *testing.T) {
	shape := dataset.Shape{Height: 32, Width: 32, Channels: 3}
	for _, name := range Names() {
		for _, level := range []uint8{0, 255} {
			for severity := 1; severity <= Severities; severity++ {
				c, err := Config{Name: name, Severity: severity}.New(shape)
				require.NoError(t, err)
				f := newFrame(32, 32, 3)
				f.fromBytes(bytes.Repeat([]uint8{level}, shape.Size()))
				c.effect(f, c.draws(0))
				for _, v := range f.v {
					require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s %d on %d: %v", name, severity, level, v)
				}
			}
		}
	}
}

// TestGreyIsColour compares a grey image with a colour image of three equal channels, where no noise of a channel's own
// nor a colour comes in.
func TestGreyIsColour(t *testing.T) {
	one, three := dataset.Shape{Height: 40, Width: 40, Channels: 1}, dataset.Shape{Height: 40, Width: 40, Channels: 3}
	for _, name := range strings.Fields("defocus_blur glass_blur motion_blur zoom_blur snow fog brightness contrast elastic_transform pixelate gaussian_blur") {
		cfg := Config{Name: name, Severity: 3, Seed: 5}
		grey, err := cfg.New(one)
		require.NoError(t, err)
		colour, err := cfg.New(three)
		require.NoError(t, err)
		got := pattern(one)
		var want []uint8
		for _, p := range got {
			want = append(want, p, p, p)
		}
		require.NoError(t, grey.Pixels(0, got))
		require.NoError(t, colour.Pixels(0, want))
		for i, p := range got {
			require.InDelta(t, want[3*i], p, 1, "%s: pixel %d", name, i)
		}
	}
}

func TestRandomNumbers(t *testing.T) {
	shape := dataset.Shape{Height: 32, Width: 32, Channels: 3}
	corrupt := func(cfg Config, i int) []uint8 {
		c, err := cfg.New(shape)
		require.NoError(t, err)
		pixels := pattern(shape)
		require.NoError(t, c.Pixels(i, pixels))
		return pixels
	}
	deterministic := map[string]bool{"defocus_blur": true, "zoom_blur": true, "brightness": true, "contrast": true, "pixelate": true, "jpeg_compression": true, "gaussian_blur": true, "saturate": true}
	for _, name := range Names() {
		cfg := Config{Name: name, Severity: 4, Seed: 1}
		base := corrupt(cfg, 0)
		require.NotEqual(t, pattern(shape), base, "%s does nothing", name)
		other := cfg
		other.Seed = 2
		if deterministic[name] {
			require.Equal(t, base, corrupt(cfg, 1), name)
			require.Equal(t, base, corrupt(other, 0), name)
		} else {
			require.NotEqual(t, base, corrupt(cfg, 1), "%s: another image", name)
			require.NotEqual(t, base, corrupt(other, 0), "%s: another seed", name)
		}
	}
	// Corruptions and severities have random numbers of their own.
	a, b := &Corruption{cfg: Config{Name: "fog", Severity: 1}}, &Corruption{cfg: Config{Name: "snow", Severity: 1}}
	c := &Corruption{cfg: Config{Name: "fog", Severity: 2}}
	first := a.draws(0).Float64()
	require.Equal(t, first, a.draws(0).Float64())
	require.NotEqual(t, first, b.draws(0).Float64())
	require.NotEqual(t, first, c.draws(0).Float64())
}

func TestApply(t *testing.T) {
	set := images(t, dataset.Shape{Height: 24, Width: 24, Channels: 3}, 6)
	for _, name := range Names() {
		got, err := Apply(set, name, 2, 9)
		require.NoError(t, err)
		require.Equal(t, set.Len(), got.Len())
		require.Equal(t, set.Classes(), got.Classes())
		corruption, err := Config{Name: name, Severity: 2, Seed: 9}.New(set.Shape())
		require.NoError(t, err)
		// All at once, in any order.
		var wait sync.WaitGroup
		for i := range set.Len() {
			wait.Go(func() {
				dst := make([]float32, set.Shape().Size())
				label, err := got.Read(i, dst)
				want := pattern(set.Shape())
				if err == nil {
					err = corruption.Pixels(i, want)
				}
				if err != nil || label != 0 {
					t.Errorf("%s: label %d, %v", name, label, err)
				}
				for j, v := range dst {
					if v != float32(want[j])/255 {
						t.Errorf("%s: image %d, value %d: %v, want %d/255", name, i, j, v, want[j])
						return
					}
				}
			})
		}
		wait.Wait()
		_, err = got.Read(6, make([]float32, set.Shape().Size()))
		require.Error(t, err)
	}
}

// unread is a set whose labels are known, and whose images cannot be read.
type unread struct{ *dataset.Images }

func (unread) Read(int, []float32) (int, error) { return 0, errors.New("an image was read") }

func TestLabelsAndOrigin(t *testing.T) {
	set := unread{images(t, dataset.Shape{Height: 4, Width: 4, Channels: 1}, 6)}
	some, err := dataset.Select(set, []int{5, 3})
	require.NoError(t, err)
	foggy, err := Apply(some, "fog", 1, 0)
	require.NoError(t, err)
	labels, err := dataset.Labels(foggy)
	require.NoError(t, err)
	require.Equal(t, []int{0, 0}, labels)
	require.Equal(t, 3, dataset.Origin(dataset.Take(foggy, 2), 1))
}

func TestErrors(t *testing.T) {
	good := dataset.Shape{Height: 8, Width: 8, Channels: 3}
	empty := t.TempDir()
	faulty := t.TempDir()
	for _, name := range frostFiles {
		require.NoError(t, os.WriteFile(filepath.Join(faulty, name), []byte("no picture"), 0o666))
	}
	for _, c := range []struct {
		cfg   Config
		shape dataset.Shape
		want  string
	}{
		{Config{Name: "fog", Severity: 0}, good, "severity 0, want 1 to 5"},
		{Config{Name: "fog", Severity: 6}, good, "severity 6"},
		{Config{Name: "fog", Severity: -1}, good, "severity -1"},
		{Config{Name: "mist", Severity: 1}, good, `unknown corruption "mist", want one of gaussian_noise`},
		{Config{Name: "", Severity: 1}, good, `unknown corruption ""`},
		{Config{Name: "fog", Severity: 1, Parameters: 3}, good, "Parameters(3)"},
		{Config{Name: "fog", Severity: 1}, dataset.Shape{Height: 8, Width: 8, Channels: 2}, "8x8x2"},
		{Config{Name: "fog", Severity: 1}, dataset.Shape{Height: 8, Width: 0, Channels: 3}, "8x0x3"},
		{Config{Name: "frost", Severity: 1, FrostDir: empty}, good, "frost1.png"},
		{Config{Name: "frost", Severity: 1, FrostDir: faulty}, good, "frost1.png"},
		{Config{Name: "jpeg_compression", Severity: 1}, dataset.Shape{Height: 1, Width: 70000, Channels: 3}, "65536"},
	} {
		_, err := c.cfg.New(c.shape)
		require.ErrorContains(t, err, c.want)
	}
	c, err := Config{Name: "fog", Severity: 1}.New(good)
	require.NoError(t, err)
	require.ErrorContains(t, c.Pixels(0, make([]uint8, 5)), "5 values, want 192")
}

func TestParametersText(t *testing.T) {
	for _, p := range []Parameters{Auto, ImageNet, CIFAR} {
		var q Parameters
		require.NoError(t, q.UnmarshalText([]byte(p.String())))
		require.Equal(t, p, q)
	}
	var q Parameters
	require.ErrorContains(t, q.UnmarshalText([]byte("tiny")), "imagenet")
	small, err := Config{Name: "fog", Severity: 1}.New(dataset.Shape{Height: 64, Width: 300, Channels: 3})
	require.NoError(t, err)
	require.Equal(t, CIFAR, small.cfg.Parameters)
	large, err := Config{Name: "fog", Severity: 1}.New(dataset.Shape{Height: 65, Width: 65, Channels: 3})
	require.NoError(t, err)
	require.Equal(t, ImageNet, large.cfg.Parameters)
}

// TestStatistics compares averages over runs with the original's own random numbers: of the mean, the deviation, the
// absolute difference from the clean image and from the next pixel.
func TestStatistics(t *testing.T) {
	data, err := os.ReadFile("testdata/statistics.json")
	require.NoError(t, err)
	var want map[string]struct{ Mean, Deviation [4]float64 }
	require.NoError(t, json.Unmarshal(data, &want))
	h, w, clean := readPNG(t, "cifar_clean.png")
	shape := dataset.Shape{Height: h, Width: w, Channels: 3}
	const runs, theirRuns = 100, 400
	for _, name := range Names() {
		for severity := 1; severity <= Severities; severity++ {
			c, err := Config{Name: name, Severity: severity, Seed: 11}.New(shape)
			require.NoError(t, err)
			var mean [4]float64
			pixels := make([]uint8, len(clean))
			for i := range runs {
				copy(pixels, clean)
				require.NoError(t, c.Pixels(i, pixels))
				for k, v := range measures(w, pixels, clean) {
					mean[k] += v / runs
				}
			}
			theirs := want[fmt.Sprintf("%s %d", name, severity)]
			for k, got := range mean {
				margin := 4.5*theirs.Deviation[k]*math.Sqrt(1./runs+1./theirRuns) + 0.1
				switch name {
				case "jpeg_compression":
					margin = 0.5
				case "frost":
					margin = min(5, 0.1*theirs.Mean[k]) // textures are not the photographs
				}
				if os.Getenv("CORRUPT_PRINT") != "" {
					fmt.Printf("%-18s %d %d: %8.3f, original %8.3f, margin %.3f\n", name, severity, k, got, theirs.Mean[k], margin)
				}
				require.InDelta(t, theirs.Mean[k], got, margin, "%s %d: measure %d", name, severity, k)
			}
		}
	}
}

// measures returns mean, deviation, mean difference from the clean image and from the pixel to the right.
func measures(w int, pixels, clean []uint8) (m [4]float64) {
	n := float64(len(pixels))
	for i, p := range pixels {
		m[0] += float64(p) / n
		m[2] += math.Abs(float64(p)-float64(clean[i])) / n
		if i/3%w < w-1 {
			m[3] += math.Abs(float64(p)-float64(pixels[i+3])) / (n / float64(w) * float64(w-1))
		}
	}
	for _, p := range pixels {
		m[1] += (float64(p) - m[0]) * (float64(p) - m[0]) / n
	}
	m[1] = math.Sqrt(m[1])
	return m
}

func BenchmarkCorrupt(b *testing.B) {
	for _, side := range []int{32, 224} {
		shape := dataset.Shape{Height: side, Width: side, Channels: 3}
		clean := pattern(shape)
		for _, name := range Names() {
			b.Run(fmt.Sprintf("%s/%d", name, side), func(b *testing.B) {
				c, err := Config{Name: name, Severity: 5}.New(shape)
				require.NoError(b, err)
				pixels := bytes.Clone(clean)
				require.NoError(b, c.Pixels(0, pixels))
				for i := 0; b.Loop(); i++ {
					copy(pixels, clean)
					require.NoError(b, c.Pixels(i, pixels))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
