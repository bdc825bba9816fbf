package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
)

// SyntheticConfig describes generated images: one shape (disc, square, triangle, cross or ring) a picture, striped in
// one of four directions, somewhere near the middle, in random colours, with noise. The class is the combination of
// shape and stripes. A part of the images shows a fainter shape of another class too, so that a good classifier is
// unsure about some images and wrong about a few: with the default sizes a small convolutional net gets 80 to 90 %
// of the test images right. Zero fields take the default.
type SyntheticConfig struct {
	Shape     Shape // at least 8x8 pixels, any number of channels; default 16x16x1
	Classes   int   // 2 to 20; default 10: five shapes with horizontal or vertical stripes
	TrainSize int   // default 2000
	TestSize  int   // default 500

	// LabelNoise is the fraction of training and of test images that are given a wrong label, in [0,1].
	LabelNoise float64
}

var (
	syntheticForms   = []string{"disc", "square", "triangle", "cross", "ring"}
	syntheticStripes = []struct {
		name  string
		angle float64 // of the direction across the stripes
	}{{"horizontal", math.Pi / 2}, {"vertical", 0}, {"rising", math.Pi / 4}, {"falling", -math.Pi / 4}}
)

// What makes the images hard, chosen so that a small net reaches the accuracy stated at SyntheticConfig.
const (
	syntheticNoise = 0.08 // standard deviation
	syntheticGhost = 0.30 // fraction of images with a second shape
)

func openSynthetic(cfg Config) (*Data, error) {
	c := cfg.Synthetic.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	data := &Data{Source: "generated"}
	for range c.Shape.Channels {
		data.Mean, data.Std = append(data.Mean, 0.5), append(data.Std, 0.25)
	}
	halves := make([]Set, 2)
	for half, n := range []int{c.TrainSize, c.TestSize} {
		seed := scramble(cfg.Seed ^ uint64(half+1))
		noisy, err := WithLabelNoise(c.generate(seed, n), c.LabelNoise, seed)
		if err != nil {
			return nil, err
		}
		halves[half] = noisy
	}
	data.Train, data.Test = halves[0], halves[1]
	return data, nil
}

func (c SyntheticConfig) withDefaults() SyntheticConfig {
	if c.Shape == (Shape{}) {
		c.Shape = Shape{16, 16, 1}
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&c.Classes, 10}, {&c.TrainSize, 2000}, {&c.TestSize, 500}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

func (c SyntheticConfig) check() error {
	most := len(syntheticForms) * len(syntheticStripes)
	switch s := c.Shape; {
	case s.Height < 8 || s.Width < 8 || s.Channels < 1:
		return fmt.Errorf("images of %v, want at least 8x8x1", s)
	case c.Classes < 2 || c.Classes > most:
		return fmt.Errorf("%d classes, want 2 to %d", c.Classes, most)
	case c.TrainSize < 0 || c.TestSize < 0:
		return fmt.Errorf("%d training and %d test images, want no negative number", c.TrainSize, c.TestSize)
	}
	return nil
}

// generate makes n images; image i has class i modulo the number of classes, and depends on seed and i alone.
func (c SyntheticConfig) generate(seed uint64, n int) *Images {
	size := c.Shape.Size()
	images := &Images{c.Shape, c.classNames(), make([]uint8, n*size), make([]int, n)}
	const chunk = 64
	workers := runtime.GOMAXPROCS(0)
	_ = concurrently(workers, func(w int) error {
		values := make([]float64, size)
		for start := w * chunk; start < n; start += workers * chunk {
			for i := start; i < min(start+chunk, n); i++ {
				images.labels[i] = i % c.Classes
				c.draw(stream(seed, forSynthetic, uint64(i)), images.labels[i], values)
				for j, v := range values {
					images.pixels[i*size+j] = uint8(math.Round(255 * max(0, min(v, 1))))
				}
			}
		}
		return nil
	})
	return images
}

func (c SyntheticConfig) classNames() []string {
	names := make([]string, c.Classes)
	for i := range names {
		names[i] = syntheticForms[i%len(syntheticForms)] + " " + syntheticStripes[i/len(syntheticForms)].name
	}
	return names
}

// draw paints an image of the class onto values.
func (c SyntheticConfig) draw(rng *rand.Rand, class int, values []float64) {
	background, contrast := make([]float64, c.Shape.Channels), make([]float64, c.Shape.Channels)
	for i := range background {
		background[i] = 0.1 + 0.2*rng.Float64()
		contrast[i] = 0.3 + 0.4*rng.Float64()
	}
	for i := range values {
		values[i] = background[i%c.Shape.Channels] + syntheticNoise*rng.NormFloat64()
	}
	strength := 1.0
	if rng.Float64() < syntheticGhost {
		ghost := 0.3 + 0.2*rng.Float64()
		strength -= ghost
		c.paint(c.place(rng, (class+1+rng.IntN(c.Classes-1))%c.Classes), ghost, contrast, values)
	}
	c.paint(c.place(rng, class), strength, contrast, values)
}

// object is a shape with stripes, placed on an image.
type object struct {
	form          int
	x, y, radius  float64 // in pixels
	turn          float64 // of the shape, in radians
	across, phase float64 // of the stripes: direction in radians, shift in radians
	frequency     float64 // of the stripes, radians a pixel
}

// place chooses where and how an object of the class is drawn.
func (c SyntheticConfig) place(rng *rand.Rand, class int) object {
	spread := func(width float64) float64 { return width * (2*rng.Float64() - 1) }
	height, width := float64(c.Shape.Height), float64(c.Shape.Width)
	radius := min(height, width) * (0.38 + spread(0.06))
	return object{
		form:      class % len(syntheticForms),
		x:         width/2 - 0.5 + spread(0.08*width),
		y:         height/2 - 0.5 + spread(0.08*height),
		radius:    radius,
		turn:      spread(0.2),
		across:    syntheticStripes[class/len(syntheticForms)].angle + spread(0.3),
		phase:     spread(math.Pi),
		frequency: 2 * math.Pi * (2 + spread(0.4)) / (2 * radius),
	}
}

// paint adds strength times contrast, striped, to the pixels that the object covers.
func (c SyntheticConfig) paint(o object, strength float64, contrast, values []float64) {
	sinTurn, cosTurn := math.Sincos(o.turn)
	sinAcross, cosAcross := math.Sincos(o.across)
	for i := range c.Shape.Height * c.Shape.Width {
		x, y := float64(i%c.Shape.Width)-o.x, float64(i/c.Shape.Width)-o.y
		u, v := (x*cosTurn-y*sinTurn)/o.radius, (x*sinTurn+y*cosTurn)/o.radius
		cover := 0.5 - o.outside(u, v)*o.radius // soft over one pixel
		if cover <= 0 {
			continue
		}
		stripe := 0.5 + 0.5*math.Cos(o.frequency*(x*cosAcross+y*sinAcross)+o.phase)
		for ch, amount := range contrast {
			values[i*c.Shape.Channels+ch] += strength * min(cover, 1) * (0.25 + 0.75*stripe) * amount
		}
	}
}

// outside returns about how far (u,v) is outside the shape of radius 1 around the origin; negative is inside.
func (o object) outside(u, v float64) float64 {
	switch syntheticForms[o.form] {
	case "disc":
		return math.Hypot(u, v) - 0.95
	case "square":
		return max(math.Abs(u), math.Abs(v)) - 0.85
	case "triangle":
		return max(0.87*math.Abs(u)-0.5*v, v) - 0.55
	case "cross":
		short, long := min(math.Abs(u), math.Abs(v)), max(math.Abs(u), math.Abs(v))
		return max(short-0.33, long-1)
	default: // ring
		return math.Abs(math.Hypot(u, v)-0.72) - 0.28
	}
}
