package corrupt

func snow(s setting) (effect, error) {
	type flakes struct {
		mean, deviation, size, threshold float64
		wind                             motion
		keep                             float64 // of the image, the rest being whitened
	}
	p := pick(s,
		[...]flakes{
			{0.1, 0.3, 3, 0.5, motion{10, 4}, 0.8},
			{0.2, 0.3, 2, 0.5, motion{12, 4}, 0.7},
			{0.55, 0.3, 4, 0.9, motion{12, 8}, 0.7},
			{0.55, 0.3, 4.5, 0.85, motion{12, 8}, 0.65},
			{0.55, 0.3, 2.5, 0.85, motion{12, 12}, 0.55},
		},
		[...]flakes{
			{0.1, 0.2, 1, 0.6, motion{8, 3}, 0.95},
			{0.1, 0.2, 1, 0.5, motion{10, 4}, 0.9},
			{0.15, 0.3, 1.75, 0.55, motion{10, 4}, 0.9},
			{0.25, 0.3, 2.25, 0.6, motion{12, 6}, 0.85},
			{0.3, 0.3, 1.25, 0.65, motion{14, 12}, 0.8},
		})
	near := newZoom(s.shape.Height, s.shape.Width, p.size)
	return func(f *frame, draws source) {
		layer := newFrame(f.h, f.w, 1)
		near.addTo(layer, 1, normal(f.h, f.w, p.mean, p.deviation, draws))
		layer.cut(p.threshold)
		layer.truncate()
		p.wind.apply(layer, between(-135, -45, draws))
		layer.truncate()
		for i := range layer.v {
			white := f.grey(i)*1.5 + 0.5
			falling := layer.v[i] + layer.v[len(layer.v)-1-i] // and the same turned by half a circle
			for k := i * f.c; k < (i+1)*f.c; k++ {
				f.v[k] = p.keep*f.v[k] + (1-p.keep)*max(f.v[k], white) + falling
			}
		}
	}, nil
}

// normal returns one channel of normal numbers.
func normal(h, w int, mean, deviation float64, draws source) *frame {
	f := newFrame(h, w, 1)
	for i := range f.v {
		f.v[i] = mean + deviation*draws.NormFloat64()
	}
	return f
}

// cut sets what is below the threshold to 0.
func (f *frame) cut(threshold float64) {
	for i, v := range f.v {
		if v < threshold {
			f.v[i] = 0
		}
	}
}
