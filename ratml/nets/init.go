package nets

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// An Initialiser makes the initial values of a parameter of the given shape.
type Initialiser func(rng *rand.Rand, shape []int, values []float32)

// Initialise says how the parameters of a kind start that are declared from here on.
func (p *Pass) Initialise(kind Kind, how Initialiser) {
	if p.start == nil {
		p.start = map[Kind]Initialiser{}
	}
	p.start[kind] = how
}

// Init returns seeded initial weights, distributed as PyTorch and pytorchcv start them: convolutions by Kaiming's
// uniform rule for ReLU (bound sqrt(6/fan-in)), linear layers and all biases uniform within 1/sqrt(fan-in),
// normalisations as the identity, embeddings and layer scales 0; or as the network says by [Pass.Initialise]. Each
// tensor's values depend only on the seed and its name.
func (a *Arch) Init(seed uint64) Weights {
	w := Weights{}
	for _, p := range a.Params {
		w[p.Name] = a.initial(p, seed)
	}
	return w
}

func (a *Arch) initial(p Param, seed uint64) *Tensor {
	t := NewTensor(p.Shape...)
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	if p.start != nil {
		p.start(rng, p.Shape, t.Data)
		return t
	}
	switch p.Kind {
	case ConvWeight:
		uniform(rng, t.Data, math.Sqrt(6/float64(size(p.Shape[1:]))))
	case LinearWeight:
		uniform(rng, t.Data, 1/math.Sqrt(float64(p.Shape[1])))
	case ConvBias, LinearBias:
		uniform(rng, t.Data, 1/math.Sqrt(float64(a.fanIn(p.Name))))
	case NormWeight, RunningVar:
		for i := range t.Data {
			t.Data[i] = 1
		}
	}
	return t
}

func uniform(rng *rand.Rand, dst []float32, bound float64) {
	for i := range dst {
		dst[i] = float32((2*rng.Float64() - 1) * bound)
	}
}

// fanIn returns the number of inputs that an output of the layer has whose bias is called name.
func (a *Arch) fanIn(name string) int {
	weight := name[:len(name)-len("bias")] + "weight"
	for _, p := range a.Params {
		if p.Name == weight {
			return size(p.Shape[1:])
		}
	}
	return 1
}
