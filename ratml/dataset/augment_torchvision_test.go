package dataset

import (
	_ "embed"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed testdata/augment.json
var augmentJSON []byte

// torchvision is what testdata/augment.py writes.
type torchvision struct {
	Crops []struct {
		Box   [4]int // top, left, height, width
		Image []float32
	}
	Draws []struct {
		Kind         string
		Size         [2]int
		Scale, Ratio [2]float64
		Counts       map[string][]int
	}
	Reflected []struct {
		Move  [2]int
		Image []float32
	}
}

var torchvisionShape = Shape{12, 10, 3}

func torchvisionValues(t *testing.T) (g torchvision) {
	t.Helper()
	require.NoError(t, json.Unmarshal(augmentJSON, &g))
	require.NotEmpty(t, g.Crops)
	require.NotEmpty(t, g.Draws)
	require.NotEmpty(t, g.Reflected)
	return g
}

func torchvisionImage() []float32 {
	image := make([]float32, torchvisionShape.Size())
	for i := range image {
		image[i] = float32(7919*i%256) / 255
	}
	return image
}

func TestEnlargeAgainstTorchvision(t *testing.T) {
	var r resizer // one for all, as a pool would give
	for _, c := range torchvisionValues(t).Crops {
		image := torchvisionImage()
		r.enlarge(torchvisionShape, image, box{c.Box[0], c.Box[1], c.Box[2], c.Box[3]})
		require.InDeltaSlice(t, c.Image, image, 1e-6, "box %v", c.Box)
	}
}

func TestReflectAgainstTorchvision(t *testing.T) {
	for _, c := range torchvisionValues(t).Reflected {
		image := torchvisionImage()
		shiftReflected(torchvisionShape, image, slices.Clone(image), c.Move[0], c.Move[1])
		require.InDeltaSlice(t, c.Image, image, 1e-7, "move %v", c.Move)
	}
}

// TestDrawsAgainstTorchvision compares how often each place and size is drawn. Two samples of 200,000 of the same
// distribution over 40 values have a total variation distance of about 0.005.
func TestDrawsAgainstTorchvision(t *testing.T) {
	const draws, most = 200_000, 0.012
	for i, d := range torchvisionValues(t).Draws {
		shape := Shape{d.Size[0], d.Size[1], 1}
		scale, ratio := Range{d.Scale[0], d.Scale[1]}, Range{d.Ratio[0], d.Ratio[1]}
		draw := map[string]func(*rand.Rand) box{
			"crop": func(rng *rand.Rand) box { return cropBox(rng, shape, scale, ratio) },
			"erasing": func(rng *rand.Rand) box {
				b, ok := eraseBox(rng, shape, scale, ratio)
				if !ok {
					return box{0, 0, shape.Height, shape.Width} // what torchvision returns
				}
				return b
			},
		}[d.Kind]
		rng := stream(uint64(i))
		counts := map[string][]int{}
		for name, c := range d.Counts {
			counts[name] = make([]int, len(c))
		}
		for range draws {
			b := draw(rng)
			counts["Top"][b.top]++
			counts["Left"][b.left]++
			counts["Height"][b.height]++
			counts["Width"][b.width]++
		}
		for name, want := range d.Counts {
			distance := 0.0
			for v, n := range want {
				distance += math.Abs(float64(n-counts[name][v])) / draws / 2
			}
			if distance > most {
				t.Errorf("%s of %v: %s differs by %.4f", d.Kind, shape, name, distance)
			}
		}
	}
}
