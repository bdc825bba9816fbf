package corrupt

import "math"

// elasticTransform maps a triangle onto one whose corners are moved, and then every pixel by a smooth random field. The
// original gives lengths for 224x224 and 32x32; they grow with the shorter side of images.
func elasticTransform(s setting) (effect, error) {
	type rubber struct{ alpha, sigma, affine float64 }
	p := pick(s,
		[...]rubber{{2, 0.7, 0.1}, {2, 0.08, 0.2}, {0.05, 0.01, 0.02}, {0.07, 0.01, 0.02}, {0.12, 0.01, 0.02}},
		[...]rubber{{0, 0, 0.08}, {0.05, 0.2, 0.07}, {0.08, 0.06, 0.06}, {0.1, 0.04, 0.05}, {0.1, 0.03, 0.03}})
	scale := float64(min(s.shape.Height, s.shape.Width))
	if s.Parameters == ImageNet {
		scale *= 244.0 / 224 // the original's number, which its author notes "should have been 224"
	}
	p.alpha, p.sigma, p.affine = p.alpha*scale, p.sigma*scale, p.affine*scale
	b := newBlur(s.shape.Height, s.shape.Width, p.sigma, 3, reflect)
	return func(f *frame, draws source) {
		moved := newFrame(f.h, f.w, f.c)
		back := triangle(f.h, f.w, p.affine, draws)
		for y := range f.h {
			for x := range f.w {
				at := back.apply(point{float64(x), float64(y)})
				f.bilinear(at.y, at.x, reflect101, moved.v[(y*f.w+x)*f.c:][:f.c])
			}
		}
		dx, dy := field(b, f.h, f.w, p.alpha, draws), field(b, f.h, f.w, p.alpha, draws)
		for i := range dx.v {
			y, x := float64(i/f.w)+dy.v[i], float64(i%f.w)+dx.v[i]
			moved.bilinear(y, x, reflect, f.v[i*f.c:][:f.c])
		}
	}, nil
}

// field returns uniform numbers in [-1,1), blurred and multiplied by alpha.
func field(b blur, h, w int, alpha float64, draws source) *frame {
	f := newFrame(h, w, 1)
	for i := range f.v {
		f.v[i] = between(-1, 1, draws)
	}
	b.apply(f)
	for i := range f.v {
		f.v[i] *= alpha
	}
	return f
}

type point struct{ x, y float64 }

// affine maps a point to m[0]*x + m[1]*y + m[2] and m[3]*x + m[4]*y + m[5].
type affine [6]float64

func (m affine) apply(p point) point {
	return point{m[0]*p.x + m[1]*p.y + m[2], m[3]*p.x + m[4]*p.y + m[5]}
}

// triangle draws where the corners of a triangle about the middle go, each coordinate by up to reach, and returns the
// map back. Where there is none, as in an image of 1x1, it is the identity.
func triangle(h, w int, reach float64, draws source) affine {
	cx, cy, side := float64(w/2), float64(h/2), float64(min(h, w)/3)
	corners := [3]point{{cx + side, cy + side}, {cx + side, cy - side}, {cx - side, cy - side}}
	var moved [3]point
	for i, p := range corners {
		moved[i].x = p.x + between(-reach, reach, draws)
		moved[i].y = p.y + between(-reach, reach, draws)
	}
	return through(moved, corners)
}

// through returns the affine map of three points to three others, and the identity if either are on a line.
func through(from, to [3]point) affine {
	ax, ay := from[1].x-from[0].x, from[1].y-from[0].y
	bx, by := from[2].x-from[0].x, from[2].y-from[0].y
	det := ax*by - ay*bx
	if math.Abs(det) < 1e-9 || to[0] == to[1] {
		return affine{1, 0, 0, 0, 1, 0}
	}
	// Each coordinate of the target is linear in the source.
	line := func(t0, t1, t2 float64) (kx, ky, k float64) {
		kx = ((t1-t0)*by - (t2-t0)*ay) / det
		ky = ((t2-t0)*ax - (t1-t0)*bx) / det
		return kx, ky, t0 - kx*from[0].x - ky*from[0].y
	}
	var m affine
	m[0], m[1], m[2] = line(to[0].x, to[1].x, to[2].x)
	m[3], m[4], m[5] = line(to[0].y, to[1].y, to[2].y)
	return m
}
