package corrupt

import (
	"math"
	"math/rand/v2"
	"sync"
)

// iceSide is the side of a generated texture, in pixels.
const iceSide = 512

// iceStyles are what the generated textures take from the five photographs: mean and deviation of red, green and blue,
// in grey levels. The rest sets how large feathers are, how many, and how much of the variance is haze, by eye.
var iceStyles = []struct {
	mean, deviation [3]float64
	feathers        int
	length, haze    float64
}{
	{[3]float64{77.7, 149.1, 165.7}, [3]float64{26.9, 16.5, 15.3}, 500, 60, 0.85},
	{[3]float64{200.8, 205.4, 214.5}, [3]float64{21.4, 22.1, 22.6}, 700, 70, 0.35},
	{[3]float64{200.8, 205.4, 214.5}, [3]float64{21.4, 22.1, 22.6}, 900, 50, 0.35},
	{[3]float64{137.6, 152.8, 165.2}, [3]float64{28.5, 28.5, 29.9}, 2500, 22, 0.3},
	{[3]float64{112.4, 123.4, 134.8}, [3]float64{44.4, 43.3, 41.7}, 600, 60, 0.5},
}

// iceTextures returns the generated textures. They are always the same: what is random is which part of which one an
// image gets, as with photographs.
var iceTextures = sync.OnceValue(func() []ice {
	list := make([]ice, len(iceStyles))
	for i, style := range iceStyles {
		draws := rand.New(rand.NewPCG(0x1ce, uint64(i)))
		haze := plasma(iceSide, 1.9, draws)
		feathers := newFrame(iceSide, iceSide, 1)
		for range style.feathers {
			feathers.feather(style.length*(0.4+draws.Float64()), draws)
		}
		for i, v := range feathers.v {
			feathers.v[i] = 1 - math.Exp(-v)
		}
		haze.standardise()
		feathers.standardise()
		for i := range haze.v {
			haze.v[i] = math.Sqrt(style.haze)*haze.v[i] + math.Sqrt(1-style.haze)*feathers.v[i]
		}
		haze.standardise()
		t := ice{h: iceSide, w: iceSide, pixels: make([]uint8, 3*len(haze.v))}
		for i, z := range haze.v {
			for k := range 3 {
				t.pixels[3*i+k] = uint8(math.Round(min(max(style.mean[k]+style.deviation[k]*z, 0), 255)))
			}
		}
		list[i] = t
	}
	return list
})

// feather draws a crystal at random: a spine, and barbs to both sides of it that get shorter towards the tip.
func (f *frame) feather(length float64, draws source) {
	at := point{between(0, iceSide, draws), between(0, iceSide, draws)}
	angle := between(0, 2*math.Pi, draws)
	bend := between(-0.6, 0.6, draws) / length
	bright := between(0.3, 1, draws)
	spread := between(0.6, 1.1, draws) // of barbs from the spine: about the 60 degrees of ice
	gap := between(2.5, 5, draws)
	for along := 0.0; along < length; along += gap {
		tip := f.line(at, angle, gap, bright, 0)
		reach := (1 - along/length) * length * between(0.15, 0.35, draws)
		f.line(at, angle+spread, reach, bright*between(0.3, 0.9, draws), 0.7)
		f.line(at, angle-spread, reach, bright*between(0.3, 0.9, draws), 0.7)
		at, angle = tip, angle+bend*gap
	}
}

// line draws a line that loses the share fade of its light towards its end, which it returns. It wraps around at the
// border.
func (f *frame) line(from point, angle, length, bright, fade float64) point {
	const step = 0.5
	sin, cos := math.Sincos(angle)
	n := int(length / step)
	for i := range n {
		x, y := from.x+cos*step*float64(i), from.y+sin*step*float64(i)
		light := bright * (1 - fade*float64(i)/float64(n))
		fx, fy := math.Floor(x), math.Floor(y)
		tx, ty := x-fx, y-fy
		for k, weight := range [4]float64{(1 - tx) * (1 - ty), tx * (1 - ty), (1 - tx) * ty, tx * ty} {
			f.v[((int(fy)+k/2)&(iceSide-1))*iceSide+(int(fx)+k%2)&(iceSide-1)] += weight * light
		}
	}
	return point{from.x + cos*length, from.y + sin*length}
}

// standardise gives values the mean 0 and the deviation 1.
func (f *frame) standardise() {
	mean, square := 0.0, 0.0
	for _, v := range f.v {
		mean += v / float64(len(f.v))
	}
	for _, v := range f.v {
		square += (v - mean) * (v - mean) / float64(len(f.v))
	}
	for i, v := range f.v {
		f.v[i] = (v - mean) / math.Sqrt(square)
	}
}
