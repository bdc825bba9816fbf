package picture

import "image/color"

// opaque returns a colour without its transparency.
func opaque(c color.Color) [3]uint8 {
	switch c := c.(type) {
	case color.NRGBA:
		return [3]uint8{c.R, c.G, c.B}
	case color.RGBA:
		return [3]uint8{c.R, c.G, c.B}
	}
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	return [3]uint8{uint8(n.R >> 8), uint8(n.G >> 8), uint8(n.B >> 8)}
}

// fromCMYK is Pillow's conversion. Source: Pillow, src/libImaging/Convert.c, cmyk2rgb.
func fromCMYK(to, from []uint8) {
	light := 255 - int(from[3])
	for i := range 3 {
		t := int(from[i])*light + 128
		to[i] = uint8(max(0, light-((t>>8)+t)>>8))
	}
}

// The parts of libjpeg's conversion from YCbCr, which depend on one chroma value. Source: libjpeg, jdcolor.c.
var redOfCr, greenOfCr, greenOfCb, blueOfCb = func() (rr, gr, gb, bb [256]int32) {
	fix := func(x float64) int32 { return int32(x*(1<<16) + 0.5) }
	for i := range 256 {
		x := int32(i) - 128
		rr[i] = (fix(1.40200)*x + 1<<15) >> 16
		bb[i] = (fix(1.77200)*x + 1<<15) >> 16
		gr[i] = -fix(0.71414) * x
		gb[i] = -fix(0.34414)*x + 1<<15
	}
	return
}()

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}

// fromYCbCr converts a row as libjpeg does.
func fromYCbCr(to, ys, cbs, crs []uint8) {
	cbs, crs = cbs[:len(ys)], crs[:len(ys)]
	to = to[:3*len(ys)]
	for x, y := range ys {
		cb, cr := cbs[x], crs[x]
		l := int32(y)
		p := to[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp(l + redOfCr[cr])
		p[1] = clamp(l + (greenOfCb[cb]+greenOfCr[cr])>>16)
		p[2] = clamp(l + blueOfCb[cb])
	}
}

// fromVideo converts a row of the narrow range that WebP uses. Source: libwebp, src/dsp/yuv.h.
func fromVideo(to, ys, us, vs []uint8) {
	us, vs = us[:len(ys)], vs[:len(ys)]
	part := func(v uint8, k int32) int32 { return int32(v) * k >> 8 }
	for x, y := range ys {
		l := part(y, 19077)
		to[3*x] = clamp((l + part(vs[x], 26149) - 14234) >> 6)
		to[3*x+1] = clamp((l - part(us[x], 6419) - part(vs[x], 13320) + 8708) >> 6)
		to[3*x+2] = clamp((l + part(us[x], 33050) - 17685) >> 6)
	}
}
