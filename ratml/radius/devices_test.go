package radius

import (
	"math"
	"testing"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/internal/golden"
)

// Four devices find what one finds, on rays, in walks, and over chunks of classes.
func TestSearchOnDevices(t *testing.T) {
	const n = 16
	images, _ := golden.TestBatch(t)
	images = images[:n*goldenSize]
	c := goldenNet(t, backendtest.XLA(t))
	ss := []searcher{BoundarySearch{}, AttackSearch{Attack: FGSML2()}, FMN{Steps: 5}, Exact{}}
	one := attack(t, c, images, 8, ss...)
	c.Devices = 4
	for k, got := range attack(t, c, images, 8, ss...) {
		for i, want := range one[k] {
			if g := got[i]; g.Unflipped != want.Unflipped || math.Abs(g.Radius-want.Radius) > 1e-3*want.Radius {
				t.Errorf("%s of image %d: %+v on four devices, %+v on one", ss[k].Name(), i, g, want)
			}
		}
	}
}

// The Jacobian is the same however many classes are looked at together.
func TestJacobianChunks(t *testing.T) {
	be := backendtest.Go(t)
	W := make([][]float64, 30)
	for k := range W {
		for _, v := range uniform(uint64(k), 6) {
			W[k] = append(W[k], float64(v)-0.5)
		}
	}
	c := linear(t, be, W, make([]float64, 30))
	images := uniform(77, 10*6)
	for k, results := range attack(t, c, images, 4, Exact{}, Exact{Norm: L2}) {
		for i, r := range results {
			shifted := make([]float32, 6)
			for j := range shifted {
				shifted[j] = images[i*6+j] + 0.5
			}
			if want, _ := linearRadius(W, shifted, []Norm{LInf, L2}[k]); math.Abs(r.Radius-want) > 1e-4*want {
				t.Errorf("image %d: %+v, want %g", i, r, want)
			}
			if r.Evaluations != 3*(1+2*chunkSize) {
				t.Errorf("image %d: %d forward equivalents, want three chunks", i, r.Evaluations)
			}
		}
	}
}
