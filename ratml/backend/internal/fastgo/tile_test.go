package fastgo

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Both ways of computing a tile agree with sums in float64.
func TestTile(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for _, k := range []int{0, 1, 2, 7, depth} {
		a, b := floats(rng, 1000).flat.([]float32), floats(rng, (k+1)*24).flat.([]float32)
		cols, rows, out := make([]int32, k), make([]int32, tileRows), make([]int32, tileRows)
		for i := range cols {
			cols[i] = rng.Int32N(500)
		}
		for i := range rows {
			rows[i], out[i] = rng.Int32N(500), int32(i*40+3)
		}
		for _, add := range []bool{false, true} {
			for name, f := range map[string]func([]int32, []int32, []float32, []float32, int, []float32, []int32, bool){"go": tileGo, "tile": tile} {
				dst := floats(rng, 6*40).flat.([]float32)
				before := append([]float32(nil), dst...)
				f(cols, rows, a, b, 24, dst, out, add)
				touched := map[int]bool{}
				for r := range tileRows {
					for c := range tileCols {
						want := 0.0
						for i, k := range cols {
							want += float64(a[rows[r]+k]) * float64(b[i*24+c])
						}
						at := int(out[r]) + c
						if add {
							want += float64(before[at])
						}
						if math.Abs(float64(dst[at])-want) > 1e-5 {
							t.Fatalf("%s, k=%d, add=%v: (%d, %d) = %v, want %v", name, k, add, r, c, dst[at], want)
						}
						touched[at] = true
					}
				}
				for i := range dst {
					if !touched[i] && dst[i] != before[i] {
						t.Fatalf("%s, k=%d: wrote outside the tile at %d", name, k, i)
					}
				}
			}
		}
	}
}
