package radius

import (
	"math"
	"testing"

	"github.com/ratml/rat/ratml/internal/backendtest"
)

// project finds what bisection finds, whether or not values run out of room.
func TestProject(t *testing.T) {
	for seed := range uint64(200) {
		x, g := uniform(2*seed, 8), uniform(2*seed+1, 8)
		for i := range g {
			g[i] -= 0.5
		}
		g[3] = 0
		f := 0.05 * float64(seed%40-10)
		if seed%40 < 10 {
			f = -0.05 * float64(seed%40+1)
		}
		for _, n := range []Norm{LInf, L2} {
			at := func(reach float64) (step []float32, left float64) {
				left = f
				for i, v := range g {
					d := -math.Copysign(reach, f) * float64(sign(v))
					if n == L2 {
						d *= math.Abs(float64(v))
					}
					d = clamp(float64(x[i])+d, 0, 1) - float64(x[i])
					step = append(step, float32(d))
					left += d * float64(v)
				}
				return step, left
			}
			lo, hi := 0.0, 1e6
			for range 200 {
				mid := (lo + hi) / 2
				if _, left := at(mid); left*f > 0 {
					lo = mid
				} else {
					hi = mid
				}
			}
			want, _ := at(hi)
			got := project(n, x, g, f)
			if d := LInf.distance(got, want); d > 1e-5 {
				t.Errorf("seed %d, %v: step %v, want %v", seed, n, got, want)
			}
		}
	}
}

// RR_full is the least way to any class within [0,1], also for images near its walls.
func TestFull(t *testing.T) {
	c, W, _ := gentle(t, backendtest.Go(t))
	const n = 20
	images := uniform(10, n*12)
	for k, results := range attack(t, c, images, 6, Full{}, Full{Norm: L2}) {
		norm := []Norm{LInf, L2}[k]
		longer := 0
		for i, r := range results {
			x := images[i*12 : (i+1)*12]
			free, pred := linearRadius(W, x, norm)
			want := norm.cap(12)
			for class, row := range W {
				g, f := make([]float32, 12), 0.0
				for j := range g {
					g[j] = float32(W[pred][j] - row[j])
					f += float64(g[j]) * (float64(x[j]) - 0.5)
				}
				step := project(norm, x, g, f)
				left := f
				for j, s := range step {
					left += float64(s) * float64(g[j])
				}
				if class != pred && left < 1e-4*f {
					want = math.Min(want, norm.distance(step, make([]float32, 12)))
				}
			}
			if math.Abs(r.Radius-want) > 1e-4*want {
				t.Errorf("%v, image %d: %+v, want %g", norm, i, r, want)
			}
			if want > free*1.001 {
				longer++
			}
		}
		if longer == 0 {
			t.Errorf("%v: no image is near enough to a wall for it to matter", norm)
		}
	}
}
