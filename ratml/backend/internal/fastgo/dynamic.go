package fastgo

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Operations whose arguments hold values within other types. They are for
// dynamic shapes, which are the wrapped backend's business.

func (f *Function) DynamicReshape(x compute.Value, dims ...compute.DynamicDimensionSpec) (compute.Value, error) {
	g, in, err := f.opaque(x)
	if err != nil {
		return nil, err
	}
	return f.one(g.DynamicReshape(in[0], innerSpecs(dims)...))
}

func (f *Function) DynamicBroadcastInDim(x compute.Value, axes []int, dims ...compute.DynamicDimensionSpec) (compute.Value, error) {
	g, in, err := f.opaque(x)
	if err != nil {
		return nil, err
	}
	return f.one(g.DynamicBroadcastInDim(in[0], axes, innerSpecs(dims)...))
}

func (f *Function) DynamicIota(t dtypes.DType, axis int, dims ...compute.DynamicDimensionSpec) (compute.Value, error) {
	g, _, err := f.opaque()
	if err != nil {
		return nil, err
	}
	return f.one(g.DynamicIota(t, axis, innerSpecs(dims)...))
}

func (f *Function) DynamicPad(x, fill compute.Value, axes ...compute.DynamicPadAxis) (compute.Value, error) {
	g, in, err := f.opaque(x, fill)
	if err != nil {
		return nil, err
	}
	inner := make([]compute.DynamicPadAxis, len(axes))
	for i, a := range axes {
		a.StartValue, a.EndValue, a.InteriorValue = innerValue(a.StartValue), innerValue(a.EndValue), innerValue(a.InteriorValue)
		inner[i] = a
	}
	return f.one(g.DynamicPad(in[0], in[1], inner...))
}

func (f *Function) one(v compute.Value, err error) (compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return f.wrap(v), nil
}

func innerSpecs(dims []compute.DynamicDimensionSpec) []compute.DynamicDimensionSpec {
	inner := make([]compute.DynamicDimensionSpec, len(dims))
	for i, d := range dims {
		d.Value = innerValue(d.Value)
		inner[i] = d
	}
	return inner
}

// innerValue returns the wrapped backend's value. What is not a value of ours
// is left for it to refuse.
func innerValue(v compute.Value) compute.Value {
	if n, ok := v.(*node); ok {
		return n.value
	}
	return v
}
