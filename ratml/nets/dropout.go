package nets

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Sampler returns values that are uniform in [0,1), for the dropout layer of the given name and input [batch, ...]. It
// returns the dimensions of the input, or 1 in their place where units are to be dropped together.
type Sampler func(layer string, dims []int) *Node

// ApplyDropout is [Arch.Apply] with dropout switched on, in any mode.
func (a *Arch) ApplyDropout(vars map[string]*Node, mode Mode, x *Node, sample Sampler) *Node {
	return a.ApplyWith(vars, Options{Mode: mode, Dropout: sample}, x)
}

// Dropout sets each unit of x to 0 with the probability rate and divides the others by 1-rate, in passes that ask for
// it ([Arch.ApplyDropout], Options.Dropout, [Passes.Dropout]); in all others it returns x. A rate of 0 is no layer at all.
func (p *Pass) Dropout(name string, x *Node, rate float64) *Node {
	if !(rate >= 0 && rate < 1) {
		panic(fmt.Errorf("nets: dropout %s with rate %g, want at least 0 and less than 1", name, rate))
	}
	if rate == 0 {
		return x
	}
	if p.options.Mode == declare {
		p.arch.HasDropout = true
	}
	if p.options.Dropout == nil {
		return x
	}
	keep := GreaterOrEqual(p.options.Dropout(name, x.Shape().Dimensions), Scalar(x.Graph(), dtypes.Float32, rate))
	return Mul(x, MulScalar(ConvertDType(keep, x.DType()), 1/(1-rate)))
}

// DropBranch is stochastic depth (Huang et al., ECCV 2016): in mode [Train], with Options.Dropout, it sets whole images of
// the residual branch x to 0 with the probability rate and divides the others by 1-rate; else it returns x. It is no
// dropout in the sense of [Arch.HasDropout].
func (p *Pass) DropBranch(name string, x *Node, rate float64) *Node {
	if !(rate >= 0 && rate < 1) {
		panic(fmt.Errorf("nets: stochastic depth %s with rate %g, want at least 0 and less than 1", name, rate))
	}
	if rate == 0 || p.options.Mode != Train || p.options.Dropout == nil {
		return x
	}
	dims := slices.Repeat([]int{1}, x.Rank())
	dims[0] = x.Shape().Dimensions[0]
	keep := GreaterOrEqual(p.options.Dropout(name, dims), Scalar(x.Graph(), dtypes.Float32, rate))
	return Mul(x, MulScalar(ConvertDType(keep, x.DType()), 1/(1-rate)))
}

// hashUniform returns values [1, dims...] uniform in [0,1) that depend on the seed, the layer and the place only, so
// that they are the same on every backend: a counter, mixed by the finaliser of MurmurHash3 in 32 bits, twice.
func hashUniform(seed *Node, layer string, dims []int) *Node {
	g := seed.Graph()
	h := fnv.New32a()
	h.Write([]byte(layer))
	start := mix(BitwiseXor(seed, Const(g, h.Sum32())))
	n := IotaFull(g, shapes.Make(dtypes.Uint32, append([]int{1}, dims...)...))
	bits := BitwiseShiftRightLogical(mix(BitwiseXor(mix(n), start)), Const(g, uint32(8)))
	return MulScalar(ConvertDType(bits, dtypes.Float32), 1.0/(1<<24))
}

func mix(v *Node) *Node {
	g := v.Graph()
	for _, step := range []struct{ shift, factor uint32 }{{16, 0x85ebca6b}, {13, 0xc2b2ae35}, {16, 1}} {
		v = BitwiseXor(v, BitwiseShiftRightLogical(v, Const(g, step.shift)))
		v = Mul(v, Const(g, step.factor))
	}
	return v
}
