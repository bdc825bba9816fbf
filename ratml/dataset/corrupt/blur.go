package corrupt

import "math"

func gaussianBlur(s setting) (effect, error) {
	sigma := pick(s, [...]float64{1, 2, 3, 4, 6}, [...]float64{0.4, 0.6, 0.7, 0.8, 1})
	b := newBlur(s.shape.Height, s.shape.Width, sigma, 4, nearest)
	return func(f *frame, _ source) { b.apply(f) }, nil
}

func defocusBlur(s setting) (effect, error) {
	type disk struct{ radius, alias float64 }
	d := pick(s,
		[...]disk{{3, 0.1}, {4, 0.5}, {6, 0.5}, {8, 0.5}, {10, 0.5}},
		[...]disk{{0.3, 0.4}, {0.4, 0.5}, {0.5, 0.6}, {1, 0.2}, {1.5, 0.1}})
	kernel := diskKernel(d.radius, d.alias)
	parts := runs(kernel)
	return func(f *frame, _ source) { convolve(f, len(kernel), parts) }, nil
}

// diskKernel returns a disk of uniform weight, its rim softened by a Gaussian of deviation alias.
func diskKernel(radius, alias float64) [][]float64 {
	reach, soft := 8, 1
	if radius > 8 {
		reach, soft = int(radius), 2
	}
	side := 2*reach + 1
	disk, sum := newFrame(side, side, 1), 0.0
	for i := range disk.v {
		y, x := float64(i/side-reach), float64(i%side-reach)
		if y*y+x*x <= radius*radius {
			disk.v[i] = 1
			sum++
		}
	}
	for i := range disk.v {
		disk.v[i] /= sum
	}
	rim := newFilter(side, bellOf(soft, alias), reflect101)
	blur{rim, rim}.apply(disk)
	kernel := make([][]float64, side)
	for y := range kernel {
		kernel[y] = disk.row(y)
	}
	return kernel
}

// glassBlur copies pixels from nearby. The original means to swap them, but its pixels are views of one array, so the
// second of each pair is lost; the published images are made so.
func glassBlur(s setting) (effect, error) {
	type glass struct {
		sigma        float64
		reach, times int
	}
	p := pick(s,
		[...]glass{{0.7, 1, 2}, {0.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
		[...]glass{{0.05, 1, 1}, {0.25, 1, 1}, {0.4, 1, 1}, {0.25, 1, 2}, {0.4, 1, 2}})
	b := newBlur(s.shape.Height, s.shape.Width, p.sigma, 4, nearest)
	return func(f *frame, draws source) {
		b.apply(f)
		f.truncate()
		for range p.times {
			for y := f.h - p.reach; y > p.reach; y-- {
				for x := f.w - p.reach; x > p.reach; x-- {
					dx := draws.IntN(2*p.reach) - p.reach
					dy := draws.IntN(2*p.reach) - p.reach
					copy(f.row(y)[x*f.c:(x+1)*f.c], f.row(y + dy)[(x+dx)*f.c:])
				}
			}
		}
		b.apply(f)
	}, nil
}

// truncate rounds values down to bytes.
func (f *frame) truncate() {
	for i, v := range f.v {
		f.v[i] = math.Floor(unit(v)*255+1e-9) / 255
	}
}

func motionBlur(s setting) (effect, error) {
	p := pick(s,
		[...]motion{{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
		[...]motion{{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}})
	return func(f *frame, draws source) {
		p.apply(f, between(-45, 45, draws))
	}, nil
}

// motion is a blur to one side: half a Gaussian, 2*radius+1 pixels long.
type motion struct {
	radius int
	sigma  float64
}

// apply blurs along an angle in degrees.
//
// Source: MotionBlurImage of ImageMagick, which the original calls; imagecorruptions computes the same in Python. Bytes of
// ImageMagick 6.9.11 are these rounded down.
func (m motion) apply(f *frame, angle float64) {
	weights := bellOf(2*m.radius, m.sigma)[2*m.radius:]
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	sin, cos := math.Sincos(angle * math.Pi / 180)
	out := newFrame(f.h, f.w, f.c)
	for i, w := range weights {
		dy, dx := math.Ceil(float64(i)*sin-0.5), math.Ceil(float64(i)*cos-0.5)
		out.add(w/sum, f, int(dy), int(dx))
	}
	f.v = out.v
}

func zoomBlur(s setting) (effect, error) {
	type span struct{ stop, step float64 }
	p := pick(s,
		[...]span{{1.11, 0.01}, {1.16, 0.01}, {1.21, 0.02}, {1.26, 0.02}, {1.31, 0.03}},
		[...]span{{1.06, 0.01}, {1.11, 0.01}, {1.16, 0.01}, {1.21, 0.01}, {1.26, 0.01}})
	// As numpy.arange counts: 1.11 and the like are among the factors, by rounding.
	zooms := make([]zoom, int(math.Ceil((p.stop-1)/p.step)))
	for i := range zooms {
		zooms[i] = newZoom(s.shape.Height, s.shape.Width, 1+float64(i)*((1+p.step)-1))
	}
	return func(f *frame, _ source) {
		sum := newFrame(f.h, f.w, f.c)
		weight := 1 / float64(len(zooms)+1)
		axpy(weight, f.v, sum.v)
		for _, z := range zooms {
			z.addTo(sum, weight, f)
		}
		f.v = sum.v
	}, nil
}
