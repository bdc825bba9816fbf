package corrupt

import "sort"

func gaussianNoise(s setting) (effect, error) {
	deviation := pick(s, [...]float64{0.08, 0.12, 0.18, 0.26, 0.38}, [...]float64{0.04, 0.06, 0.08, 0.09, 0.10})
	return func(f *frame, draws source) {
		for i := range f.v {
			f.v[i] += deviation * draws.NormFloat64()
		}
	}, nil
}

func speckleNoise(s setting) (effect, error) {
	deviation := pick(s, [...]float64{0.15, 0.2, 0.35, 0.45, 0.6}, [...]float64{0.06, 0.1, 0.12, 0.16, 0.2})
	return func(f *frame, draws source) {
		for i, v := range f.v {
			f.v[i] = v + v*(deviation*draws.NormFloat64())
		}
	}, nil
}

// impulseNoise draws which values are lost first, and then whether each value, lost or not, is white or black.
func impulseNoise(s setting) (effect, error) {
	amount := pick(s, [...]float64{0.03, 0.06, 0.09, 0.17, 0.27}, [...]float64{0.01, 0.02, 0.03, 0.05, 0.07})
	return func(f *frame, draws source) {
		lost := make([]bool, len(f.v))
		for i := range lost {
			lost[i] = draws.Float64() <= amount
		}
		for i := range f.v {
			white := draws.Float64() <= 0.5
			switch {
			case lost[i] && white:
				f.v[i] = 1
			case lost[i]:
				f.v[i] = 0
			}
		}
	}, nil
}

// shotNoise counts photons: a value v becomes a Poisson number of mean v*photons, divided by photons.
func shotNoise(s setting) (effect, error) {
	photons := pick(s, [...]int{60, 25, 12, 5, 3}, [...]int{500, 250, 100, 75, 50})
	var tables [256][]float64
	for k := range tables {
		tables[k] = poisson(float64(k)/255*float64(photons), photons)
	}
	return func(f *frame, draws source) {
		for i, k := range f.bytes() {
			f.v[i] = float64(sort.SearchFloat64s(tables[k], draws.Float64())) / float64(photons)
		}
	}, nil
}
