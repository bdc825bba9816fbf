package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Range is an interval of positive numbers that a size or a shape is chosen from; the zero value stands for a default.
type Range struct{ Min, Max float64 }

// or returns the range, or the default in place of the zero value.
func (r Range) or(def Range) Range {
	if r == (Range{}) {
		return def
	}
	return r
}

// check returns an error if r is no interval of positive numbers up to most.
func (r Range) check(what string, most float64) error {
	if !(r.Min > 0 && r.Min <= r.Max && r.Max <= most) || math.IsInf(r.Max, 0) {
		return fmt.Errorf("%s from %g to %g, want positive numbers, the first not above the second, of at most %g", what, r.Min, r.Max, most)
	}
	return nil
}

// uniform returns a number of the range, all equally likely.
func (r Range) uniform(rng *rand.Rand) float64 { return r.Min + (r.Max-r.Min)*rng.Float64() }

// logUniform returns a number of the range whose logarithm is uniform.
func (r Range) logUniform(rng *rand.Rand) float64 {
	return math.Exp(Range{math.Log(r.Min), math.Log(r.Max)}.uniform(rng))
}

// box is a rectangle of an image.
type box struct{ top, left, height, width int }

// place puts a box of the given size into an image, every position that is inside it equally likely.
func place(rng *rand.Rand, s Shape, height, width int) box {
	return box{rng.IntN(s.Height - height + 1), rng.IntN(s.Width - width + 1), height, width}
}

// attempts is how often a size is drawn until one fits, as torchvision does.
const attempts = 10

// round rounds as Python does.
func round(x float64) int { return int(math.RoundToEven(x)) }

// paint sets the box, which may hang over the edges, to the fill: a value a channel, one for all, or none for 0.
func paint(s Shape, image []float32, b box, fill []float32) {
	left, right := max(0, b.left), min(s.Width, b.left+b.width)
	if left >= right {
		return
	}
	for y := max(0, b.top); y < min(s.Height, b.top+b.height); y++ {
		row := image[(y*s.Width+left)*s.Channels : (y*s.Width+right)*s.Channels]
		if len(fill) == 0 {
			clear(row)
			continue
		}
		for i := range row {
			row[i] = fill[i%s.Channels%len(fill)]
		}
	}
}
