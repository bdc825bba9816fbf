package corrupt

// spatter throws water, at severities 1 to 3, or mud at the lens. Where no drop falls an image stays as it is.
func spatter(s setting) (effect, error) {
	p := pick(s,
		[...]drops{
			{0.65, 0.3, 4, 0.69, 0.6, false}, {0.65, 0.3, 3, 0.68, 0.6, false}, {0.65, 0.3, 2, 0.68, 0.5, false},
			{0.65, 0.3, 1, 0.65, 1.5, true}, {0.67, 0.4, 1, 0.65, 1.5, true},
		},
		[...]drops{
			{0.62, 0.1, 0.7, 0.7, 0.5, false}, {0.65, 0.1, 0.8, 0.7, 0.5, false}, {0.65, 0.3, 1, 0.69, 0.5, false},
			{0.65, 0.1, 0.7, 0.69, 0.6, true}, {0.65, 0.1, 0.5, 0.68, 0.6, true},
		})
	h, w := s.shape.Height, s.shape.Width
	spread := newBlur(h, w, p.size, 4, nearest)
	if p.mud {
		soften := newBlur(h, w, p.strength, 4, nearest)
		return func(f *frame, draws source) { p.mudOn(f, p.layer(f, spread, draws), soften) }, nil
	}
	return func(f *frame, draws source) { p.waterOn(f, p.layer(f, spread, draws)) }, nil
}

// drops are the parameters of spatter. The strength is the opacity of water, and the deviation of the blur of mud.
type drops struct {
	mean, deviation, size, threshold, strength float64
	mud                                        bool
}

// layer returns where there is liquid, and how much.
func (p drops) layer(f *frame, spread blur, draws source) *frame {
	layer := normal(f.h, f.w, p.mean, p.deviation, draws)
	spread.apply(layer)
	layer.cut(p.threshold)
	return layer
}

// colours of water (pale turquoise) and mud.
var (
	turquoise = [3]float64{175. / 255, 238. / 255, 238. / 255}
	brown     = [3]float64{63. / 255, 42. / 255, 20. / 255}
)

// tint returns channel k of n of a colour; one channel is its luma.
func tint(colour [3]float64, k, n int) float64 {
	if n == 1 {
		return 0.2989*colour[0] + 0.5870*colour[1] + 0.1140*colour[2]
	}
	return colour[k]
}

// waterOn adds light at the rims of drops: a relief of the distance to their edges.
func (p drops) waterOn(f *frame, layer *frame) {
	liquid := newGrey(f.h, f.w)
	for i, v := range layer.v {
		liquid.v[i] = uint8(min(v*255, 255))
	}
	relief := liquid.edges(50, 150).distance().blurred(20).equalised().embossed().mean()
	light, brightest := make([]float64, len(layer.v)), 0.0
	for i := range light {
		light[i] = float64(liquid.v[i]) * float64(relief.v[i])
		brightest = max(brightest, light[i])
	}
	if brightest == 0 {
		return
	}
	for i := range f.v {
		f.v[i] += light[i/f.c] / brightest * p.strength * tint(turquoise, i%f.c, f.c)
	}
}

// mudOn covers with mud what is more than 4/5 covered.
func (p drops) mudOn(f *frame, layer *frame, soften blur) {
	for i, v := range layer.v {
		layer.v[i] = 0
		if v > p.threshold {
			layer.v[i] = 1
		}
	}
	soften.apply(layer)
	layer.cut(0.8)
	for i := range f.v {
		m := layer.v[i/f.c]
		f.v[i] = f.v[i]*(1-m) + tint(brown, i%f.c, f.c)*m
	}
}
