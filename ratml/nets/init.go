package nets

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Init returns seeded initial weights, distributed as PyTorch and pytorchcv start them: convolutions by Kaiming's
// uniform rule for ReLU (bound sqrt(6/fan-in)), linear layers and all biases uniform within 1/sqrt(fan-in),
// normalisations as the identity. Each tensor's values depend only on the seed and its name.
func (a *Arch) Init(seed uint64) Weights {
	w := Weights{}
	for _, p := range a.Params {
		t := NewTensor(p.Shape...)
		h := fnv.New64a()
		h.Write([]byte(p.Name))
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
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
		w[p.Name] = t
	}
	return w
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
