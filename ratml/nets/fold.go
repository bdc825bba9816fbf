package nets

import (
	"fmt"
	"math"
)

const (
	scaleSuffix = ".folded_scale"
	shiftSuffix = ".folded_shift"
)

// fold says how a batch normalisation is folded: into the convolution before it, or, where there is none, to a
// precomputed scale and shift of each channel. Without norm it says that the convolution must stay as it is.
type fold struct {
	norm, conv string
	epsilon    float64
}

// addFold notes f once, however often a network that shares layers uses them. It panics where a layer would have to
// be folded in two ways.
func (a *Arch) addFold(f fold) {
	for _, g := range a.folds {
		if g == f {
			return
		}
		if g.norm == f.norm && f.norm != "" {
			panic(fmt.Errorf("batch normalisation %s follows both %q and %q; it cannot be folded", f.norm, g.conv, f.conv))
		}
		if g.conv == f.conv && f.conv != "" {
			panic(fmt.Errorf("convolution %s is followed by both %q and %q; they cannot be folded", f.conv, g.norm, f.norm))
		}
	}
	a.folds = append(a.folds, f)
}

// Fold returns the weights of a forward pass in mode [Folded], computed in float64 from weights that fit the
// architecture.
func (a *Arch) Fold(w Weights) (Weights, error) {
	if err := a.Check(w); err != nil {
		return nil, err
	}
	folded := Weights{}
	for _, p := range a.Params {
		folded[p.Name] = w[p.Name]
	}
	for _, f := range a.folds {
		if f.norm == "" {
			continue
		}
		variance := w[f.norm+".running_var"]
		convBias := w[f.conv+".bias"] // nil where there is none
		scale, shift := NewTensor(variance.Shape...), NewTensor(variance.Shape...)
		for c, v := range variance.Data {
			if v < 0 {
				return nil, fmt.Errorf("nets: %s.running_var is negative in channel %d: %v", f.norm, c, v)
			}
			s := float64(w[f.norm+".weight"].Data[c]) / math.Sqrt(float64(v)+f.epsilon)
			mean := float64(w[f.norm+".running_mean"].Data[c])
			if convBias != nil {
				mean -= float64(convBias.Data[c])
			}
			scale.Data[c] = float32(s)
			shift.Data[c] = float32(float64(w[f.norm+".bias"].Data[c]) - mean*s)
		}
		delete(folded, f.conv+".bias")
		for _, suffix := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			delete(folded, f.norm+suffix)
		}
		folded[f.norm+shiftSuffix] = shift
		if f.conv == "" {
			folded[f.norm+scaleSuffix] = scale
			continue
		}
		folded[f.conv+".weight"] = scaleOutputs(folded[f.conv+".weight"], scale.Data)
	}
	return folded, nil
}

// scaleOutputs multiplies each output channel of a kernel [out, in, height, width] by its factor.
func scaleOutputs(kernel *Tensor, factor []float32) *Tensor {
	k := kernel.Clone()
	per := len(k.Data) / len(factor)
	for o, f := range factor {
		for i := range k.Data[o*per : (o+1)*per] {
			k.Data[o*per+i] *= f
		}
	}
	return k
}
