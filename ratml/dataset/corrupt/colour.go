package corrupt

import "math"

func brightness(s setting) (effect, error) {
	more := pick(s, [...]float64{0.1, 0.2, 0.3, 0.4, 0.5}, [...]float64{0.05, 0.1, 0.15, 0.2, 0.3})
	return func(f *frame, _ source) {
		f.mapHSV(func(h, s, v float64) (float64, float64, float64) { return h, s, unit(v + more) })
	}, nil
}

// saturate leaves grey images as they are.
func saturate(s setting) (effect, error) {
	type line struct{ factor, offset float64 }
	p := pick(s,
		[...]line{{0.3, 0}, {0.1, 0}, {2, 0}, {5, 0.1}, {20, 0.2}},
		[...]line{{0.3, 0}, {0.1, 0}, {1.5, 0}, {2, 0.1}, {2.5, 0.2}})
	return func(f *frame, _ source) {
		f.mapHSV(func(h, s, v float64) (float64, float64, float64) { return h, unit(s*p.factor + p.offset), v })
	}, nil
}

func contrast(s setting) (effect, error) {
	factor := pick(s, [...]float64{0.4, 0.3, 0.2, 0.1, 0.05}, [...]float64{0.75, 0.5, 0.4, 0.3, 0.15})
	return func(f *frame, _ source) {
		for k := range f.c {
			mean := 0.0
			for i := k; i < len(f.v); i += f.c {
				mean += f.v[i]
			}
			mean /= float64(f.h * f.w)
			for i := k; i < len(f.v); i += f.c {
				f.v[i] = (f.v[i]-mean)*factor + mean
			}
		}
	}, nil
}

// mapHSV changes hue, saturation and value of every pixel, all in [0,1]. Grey pixels are red of saturation 0; of an
// image with one channel only the value counts.
func (f *frame) mapHSV(change func(h, s, v float64) (float64, float64, float64)) {
	if f.c == 1 {
		for i, v := range f.v {
			_, _, f.v[i] = change(0, 0, v)
		}
		return
	}
	for i := 0; i < len(f.v); i += 3 {
		p := f.v[i : i+3]
		p[0], p[1], p[2] = rgb(change(hsv(p[0], p[1], p[2])))
	}
}

// hsv returns hue, saturation and value. Source: Smith, "Color gamut transform pairs", SIGGRAPH 1978.
func hsv(r, g, b float64) (h, s, v float64) {
	v = max(r, g, b)
	delta := v - min(r, g, b)
	if delta == 0 {
		return 0, 0, v
	}
	switch v {
	case b:
		h = 4 + (r-g)/delta
	case g:
		h = 2 + (b-r)/delta
	default:
		h = (g - b) / delta
	}
	h /= 6
	return h - math.Floor(h), delta / v, v
}

// rgb is the inverse of hsv.
func rgb(h, s, v float64) (r, g, b float64) {
	sector := math.Floor(h * 6)
	t := h*6 - sector
	low, falling, rising := v*(1-s), v*(1-t*s), v*(1-(1-t)*s)
	switch int(sector) % 6 {
	case 0:
		return v, rising, low
	case 1:
		return falling, v, low
	case 2:
		return low, v, rising
	case 3:
		return low, falling, v
	case 4:
		return rising, low, v
	}
	return v, low, falling
}
