package corrupt

import "math/bits"

func fog(s setting) (effect, error) {
	type haze struct{ thickness, decay float64 }
	p := pick(s,
		[...]haze{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}},
		[...]haze{{0.2, 3}, {0.5, 3}, {0.75, 2.5}, {1, 2}, {1.5, 1.75}})
	// The power of two that holds the image: 256 for ImageNet, 32 for CIFAR.
	side := 1 << bits.Len(uint(max(s.shape.Height, s.shape.Width, 2)-1))
	return func(f *frame, draws source) {
		brightest := 0.0
		for _, v := range f.v {
			brightest = max(brightest, v)
		}
		clouds := plasma(side, p.decay, draws)
		for i := range f.v {
			y, x := i/f.c/f.w, i/f.c%f.w
			f.v[i] = (f.v[i] + p.thickness*clouds.v[y*side+x]) * brightest / (brightest + p.thickness)
		}
	}, nil
}

// plasma returns a periodic square of clouds in [0,1], by the diamond-square algorithm of Fournier, Fussell and
// Carpenter (1982): middles of squares and diamonds are the mean of their corners and a random number, whose range
// shrinks by the factor decay from one scale to the next. The side must be a power of two of at least 2.
func plasma(side int, decay float64, draws source) *frame {
	m := newFrame(side, side, 1)
	at := func(y, x int) float64 { return m.v[(y&(side-1))*side+x&(side-1)] }
	wibble := 100.0
	// fill sets the points of a grid of spacing step, from (top,left) on, from those that are dy away above and below
	// and dx left and right, or at the four corners.
	fill := func(step, top, left int, corners bool) {
		half := step / 2
		for y := top; y < side; y += step {
			for x := left; x < side; x += step {
				sum := at(y-half, x) + at(y+half, x) + at(y, x-half) + at(y, x+half)
				if corners {
					sum = at(y-half, x-half) + at(y-half, x+half) + at(y+half, x-half) + at(y+half, x+half)
				}
				m.v[y*side+x] = sum/4 + wibble*between(-wibble, wibble, draws)
			}
		}
	}
	for step := side; step >= 2; step /= 2 {
		fill(step, step/2, step/2, true)
		fill(step, 0, step/2, false)
		fill(step, step/2, 0, false)
		wibble /= decay
	}
	low, high := m.v[0], m.v[0]
	for _, v := range m.v {
		low, high = min(low, v), max(high, v)
	}
	for i := range m.v {
		m.v[i] = (m.v[i] - low) / (high - low)
	}
	return m
}
