package onnx

import (
	"fmt"
	"math"

	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/weights/onnx/rewrite"
)

// resampling says how an axis is resampled (github.com/onnx/onnx: docs/Operators.md, Resize).
type resampling struct {
	mode, coordinates, nearest string
	a                          float64 // of cubic interpolation
	inside                     bool    // nothing beyond the ends counts
}

// resize resamples one axis after the other, each by a matrix product.
func resize(b *builder, n *protos.NodeProto) *Node {
	r := resampling{
		mode:        rewrite.Text(n, "mode", "nearest"),
		coordinates: rewrite.Text(n, "coordinate_transformation_mode", "half_pixel"),
		nearest:     rewrite.Text(n, "nearest_mode", "round_prefer_floor"),
		a:           float64(rewrite.Float(n, "cubic_coeff_a", -0.75)),
		inside:      rewrite.Int(n, "exclude_outside", 0) != 0,
	}
	if rewrite.Int(n, "antialias", 0) != 0 || rewrite.Text(n, "keep_aspect_ratio_policy", "stretch") != "stretch" || r.coordinates == "tf_crop_and_resize" {
		panic(fmt.Errorf("antialiasing, keeping the aspect ratio and cropping are not supported"))
	}
	x := b.value(n, 0)
	axes := must(axesOf(n, nil, x.Rank()))
	if len(axes) == 0 {
		for i := range x.Rank() {
			axes = append(axes, i)
		}
	}
	sizes, scales := b.known(n, 3), b.known(n, 2)
	if len(n.Input) == 2 { // operation set 10
		scales, r.coordinates, r.nearest = b.known(n, 1), "asymmetric", "floor"
	}
	if sizes != nil && len(sizes.v) == 0 {
		sizes = nil
	}
	if sizes != nil && len(sizes.v) != len(axes) || sizes == nil && (scales == nil || len(scales.v) != len(axes)) {
		panic(fmt.Errorf("sizes or scales are not as many as axes"))
	}
	for i, axis := range axes {
		in := x.Shape().Dimensions[axis]
		out, scale := in, 1.
		if sizes != nil {
			out = sizes.ints()[i]
			scale = float64(out) / float64(in)
		} else {
			scale = scales.v[i]
			out = int(math.Floor(float64(in) * scale))
		}
		if out == in && scale == 1 {
			continue
		}
		if out < 1 || out > 1<<12 || in > 1<<12 {
			panic(fmt.Errorf("from %d to %d pixels", in, out))
		}
		w := Const(b.graph, r.matrix(in, out, scale))
		y := DotGeneral(x, []int{axis}, nil, ConvertDType(w, x.DType()), []int{1}, nil) // the new axis comes last
		order := make([]int, 0, x.Rank())
		for a := range x.Rank() {
			switch {
			case a < axis:
				order = append(order, a)
			case a == axis:
				order = append(order, x.Rank()-1)
			default:
				order = append(order, a-1)
			}
		}
		x = TransposeAllAxes(y, order...)
	}
	return x
}

// matrix returns the weights [out][in] of pixels.
func (r *resampling) matrix(in, out int, scale float64) [][]float32 {
	w := make([][]float32, out)
	for i := range w {
		w[i] = make([]float32, in)
		at := r.place(i, in, out, scale)
		switch r.mode {
		case "nearest":
			w[i][r.round(at, in)] = 1
		case "linear":
			r.spread(w[i], at, []float64{1 - frac(at), frac(at)}, 0)
		case "cubic":
			r.spread(w[i], at, r.cubic(frac(at)), 1)
		default:
			panic(fmt.Errorf("mode %q is not supported", r.mode))
		}
	}
	return w
}

func frac(x float64) float64 { return x - math.Floor(x) }

// place is where pixel i of the output lies in the input.
func (r *resampling) place(i, in, out int, scale float64) float64 {
	x := float64(i)
	switch r.coordinates {
	case "half_pixel":
		return (x+0.5)/scale - 0.5
	case "pytorch_half_pixel":
		if out == 1 {
			return 0
		}
		return (x+0.5)/scale - 0.5
	case "half_pixel_symmetric":
		// The middle stays the middle where scale times in is no whole number.
		adjust := float64(out) / (scale * float64(in))
		return float64(in)/2*(1-adjust) + (x+0.5)/scale - 0.5
	case "align_corners":
		if out == 1 {
			return 0
		}
		// With scales, the length of the output before it is cut to whole pixels counts.
		return x * float64(in-1) / (scale*float64(in) - 1)
	case "asymmetric":
		return x / scale
	}
	panic(fmt.Errorf("coordinate_transformation_mode %q is not supported", r.coordinates))
}

func (r *resampling) round(x float64, in int) int {
	switch r.nearest {
	case "round_prefer_floor":
		x = math.Ceil(x - 0.5)
	case "round_prefer_ceil":
		x = math.Floor(x + 0.5)
	case "floor":
		x = math.Floor(x)
	case "ceil":
		x = math.Ceil(x)
	default:
		panic(fmt.Errorf("nearest_mode %q is not supported", r.nearest))
	}
	return max(0, min(int(x), in-1))
}

// cubic are the weights of the four pixels around a place.
func (r *resampling) cubic(t float64) []float64 {
	near := func(x float64) float64 { return ((r.a+2)*x-(r.a+3))*x*x + 1 }
	far := func(x float64) float64 { return ((r.a*x-5*r.a)*x+8*r.a)*x - 4*r.a }
	return []float64{far(1 + t), near(t), near(1 - t), far(2 - t)}
}

// spread adds the weights of pixels, the first of which lies before as many before the one at or below at.
func (r *resampling) spread(row []float32, at float64, weights []float64, before int) {
	first := int(math.Floor(at)) - before
	total := 0.
	for k, v := range weights {
		if i := first + k; !r.inside || i >= 0 && i < len(row) {
			total += v
		}
	}
	for k, v := range weights {
		i := first + k
		if r.inside && (i < 0 || i >= len(row)) {
			continue
		}
		row[max(0, min(i, len(row)-1))] += float32(v / total)
	}
}
