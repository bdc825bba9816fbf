package picture

import (
	"fmt"
	"image"
)

// fromJPEG converts an image whose chroma may have fewer samples than its luma, with the smoothing that libjpeg uses by
// default where they are halved. Source: libjpeg-turbo, jdsample.c.
func (r region) fromJPEG(img *image.YCbCr) error {
	across, down, err := ratio(img.SubsampleRatio)
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	cw, ch := (size.X+across-1)/across, (size.Y+down-1)/down
	// The samples that the region needs, with a neighbour on either side.
	first, last := max(0, r.left/across-1), min(cw, (r.left+r.width-1)/across+2)
	cb, cr := make([]uint8, across*(last-first)), make([]uint8, across*(last-first))
	skip := r.left - across*first
	smooth := across <= 2 && down <= 2 && (across == 1 || cw > 2)
	for k := range r.height {
		y := r.top + k
		near := y / down
		row := func(plane []uint8, at int) []uint8 {
			return plane[min(max(at, 0), ch-1)*img.CStride:][first:last]
		}
		luma := img.Y[y*img.YStride+r.left:][:r.width]
		blue, red := row(img.Cb, near), row(img.Cr, near)
		far := near - 1 + 2*(y%2) // the next row, on the side of y
		switch {
		case across == 1 && down == 1:
			fromYCbCr(r.row(k), luma, blue[skip:], red[skip:])
			continue
		case !smooth:
			repeat(cb, blue, across)
			repeat(cr, red, across)
		case down == 1:
			widen(cb, blue)
			widen(cr, red)
		case across == 1:
			lengthen(cb, blue, row(img.Cb, far), y%2)
			lengthen(cr, red, row(img.Cr, far), y%2)
		default:
			enlarge(cb, blue, row(img.Cb, far))
			enlarge(cr, red, row(img.Cr, far))
		}
		fromYCbCr(r.row(k), luma, cb[skip:], cr[skip:])
	}
	return nil
}

// ratio returns how many samples of luma one of chroma stands for.
func ratio(r image.YCbCrSubsampleRatio) (across, down int, err error) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 1, 1, nil
	case image.YCbCrSubsampleRatio422:
		return 2, 1, nil
	case image.YCbCrSubsampleRatio420:
		return 2, 2, nil
	case image.YCbCrSubsampleRatio440:
		return 1, 2, nil
	case image.YCbCrSubsampleRatio411:
		return 4, 1, nil
	case image.YCbCrSubsampleRatio410:
		return 4, 2, nil
	}
	return 0, 0, fmt.Errorf("chroma subsampling %v", r)
}

// repeat makes n samples of each.
func repeat(dst, src []uint8, n int) {
	for x, v := range src {
		for k := range n {
			dst[n*x+k] = v
		}
	}
}

// widen makes two samples of each, three quarters of it and a quarter of its neighbour.
func widen(dst, src []uint8) {
	last := len(src) - 1
	dst[0] = src[0]
	dst[1] = uint8((int(src[0])*3 + int(src[1]) + 2) >> 2)
	for x := 1; x < last; x++ {
		v := int(src[x]) * 3
		dst[2*x] = uint8((v + int(src[x-1]) + 1) >> 2)
		dst[2*x+1] = uint8((v + int(src[x+1]) + 2) >> 2)
	}
	dst[2*last] = uint8((int(src[last])*3 + int(src[last-1]) + 1) >> 2)
	dst[2*last+1] = src[last]
}

// lengthen makes a row between two, the upper (0) or the lower (1) of the near one's.
func lengthen(dst, near, far []uint8, lower int) {
	for x, v := range near {
		dst[x] = uint8((int(v)*3 + int(far[x]) + 1 + lower) >> 2)
	}
}

// enlarge does both: widen, of a row between two.
func enlarge(dst, near, far []uint8) {
	far = far[:len(near)]
	dst = dst[:2*len(near)]
	before := int32(near[0])*3 + int32(far[0])
	this := before
	for x := range len(near) - 1 {
		next := int32(near[x+1])*3 + int32(far[x+1])
		pair := dst[2*x : 2*x+2 : 2*x+2]
		pair[0] = uint8((this*3 + before + 8) >> 4)
		pair[1] = uint8((this*3 + next + 7) >> 4)
		before, this = this, next
	}
	dst[len(dst)-2] = uint8((this*3 + before + 8) >> 4)
	dst[len(dst)-1] = uint8((this*4 + 7) >> 4)
}

// fromWebP converts an image with a quarter as many samples of chroma, with libwebp's smoothing. Source: libwebp,
// src/dsp/upsampling.c.
func (r region) fromWebP(img *image.YCbCr) error {
	if img.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		return fmt.Errorf("chroma subsampling %v", img.SubsampleRatio)
	}
	size := img.Bounds().Size()
	cw, ch := (size.X+1)/2, (size.Y+1)/2
	u, v := make([]uint8, 2*cw), make([]uint8, 2*cw)
	for k := range r.height {
		y := r.top + k
		near := y / 2
		far := min(max(near-1+2*(y%2), 0), ch-1)
		between(u, img.Cb[near*img.CStride:][:cw], img.Cb[far*img.CStride:][:cw])
		between(v, img.Cr[near*img.CStride:][:cw], img.Cr[far*img.CStride:][:cw])
		fromVideo(r.row(k), img.Y[y*img.YStride+r.left:][:r.width], u[r.left:], v[r.left:])
	}
	return nil
}

// between makes two samples of each of near: 9 parts of it, 3 of its neighbours, 1 of the one across.
func between(dst, near, far []uint8) {
	last := len(near) - 1
	edge := func(x int) uint8 { return uint8((3*int(near[x]) + int(far[x]) + 2) >> 2) }
	dst[0] = edge(0)
	for x := range last {
		a, b, c, d := int(near[x]), int(near[x+1]), int(far[x]), int(far[x+1])
		sum := a + b + c + d + 8
		dst[2*x+1] = uint8(((sum+2*(b+c))>>3 + a) >> 1)
		dst[2*x+2] = uint8(((sum+2*(a+d))>>3 + b) >> 1)
	}
	dst[2*last+1] = edge(last)
}
