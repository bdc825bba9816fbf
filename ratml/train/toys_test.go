package train

import (
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/nets"
)

// tiny returns a classifier with two convolutions for the images of stripes.
func tiny(t testing.TB, be *backend.Backend) *nets.Classifier {
	a, err := nets.NewArch("tiny", nets.Input{Height: 8, Width: 8, Channels: 1}, 4, []float32{0.5}, []float32{0.25},
		func(p *nets.Pass, x *Node) *Node {
			x = nets.ReLU(p.ConvBatchNorm("conv1", "bn1", x, 8, 3, 1, 1))
			x = nets.ReLU(p.ConvBatchNorm("conv2", "bn2", x, 16, 3, 2, 1))
			return p.Linear("fc", nets.GlobalMean(x), 4)
		})
	require.NoError(t, err)
	clf, err := nets.NewClassifier(be, a, a.Init(1))
	require.NoError(t, err)
	return clf
}

// stripes is a set of n noisy images of 8x8 pixels: plain, lying, standing or chequered, by class. An image depends on
// its number and on the seed alone.
type stripes struct {
	n    int
	seed uint64
}

func (s stripes) Len() int           { return s.n }
func (stripes) Shape() dataset.Shape { return dataset.Shape{Height: 8, Width: 8, Channels: 1} }
func (stripes) Classes() []string    { return []string{"plain", "lying", "standing", "chequered"} }

func (s stripes) Read(i int, dst []float32) (int, error) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
	class, phase := i%4, rng.IntN(2)
	for p := range dst {
		bright := phase + class&1*(p/8) + class>>1*(p%8)
		dst[p] = 0.3 + 0.2*float32(bright%2) + 0.5*rng.Float32()
	}
	return class, nil
}
