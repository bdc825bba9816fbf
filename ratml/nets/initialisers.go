package nets

import (
	"math"
	"math/rand/v2"
)

// Constant starts every value as c.
func Constant(c float64) Initialiser {
	return func(_ *rand.Rand, _ []int, v []float32) {
		for i := range v {
			v[i] = float32(c)
		}
	}
}

// Normal is torch.nn.init.normal_ with mean 0.
func Normal(std float64) Initialiser {
	return func(rng *rand.Rand, _ []int, v []float32) {
		for i := range v {
			v[i] = float32(std * rng.NormFloat64())
		}
	}
}

// TruncatedNormal is torch.nn.init.trunc_normal_ with mean 0: normal within -2 and 2.
func TruncatedNormal(std float64) Initialiser {
	return func(rng *rand.Rand, _ []int, v []float32) {
		for i := range v {
			x := math.Inf(1)
			for math.Abs(x) > 2 {
				x = std * rng.NormFloat64()
			}
			v[i] = float32(x)
		}
	}
}

// LeCunNormal is TruncatedNormal with a variance of 1 over the fan-in.
func LeCunNormal(rng *rand.Rand, shape []int, v []float32) {
	TruncatedNormal(1/math.Sqrt(float64(size(shape[1:]))))(rng, shape, v)
}

// KaimingNormalOut is torch.nn.init.kaiming_normal_ with mode fan_out, for ReLU. As there, the fan-out of a convolution
// in groups is that of one without.
func KaimingNormalOut(rng *rand.Rand, shape []int, v []float32) {
	Normal(math.Sqrt(2/float64(shape[0]*size(shape[2:]))))(rng, shape, v)
}

// KaimingNormalIn is torch.nn.init.kaiming_normal_ with mode fan_in, its default, for ReLU.
func KaimingNormalIn(rng *rand.Rand, shape []int, v []float32) {
	Normal(math.Sqrt(2/float64(size(shape[1:]))))(rng, shape, v)
}

// XavierUniform is torch.nn.init.xavier_uniform_ of a linear weight [out, in].
func XavierUniform(rng *rand.Rand, shape []int, v []float32) {
	uniform(rng, v, math.Sqrt(6/float64(shape[0]+shape[1])))
}

// UniformIn is PyTorch's default of linear layers and convolutions: uniform within 1/sqrt(fan-in).
func UniformIn(rng *rand.Rand, shape []int, v []float32) {
	uniform(rng, v, 1/math.Sqrt(float64(size(shape[1:]))))
}

// UniformOut is uniform within 1/sqrt(out), for a linear weight [out, in].
func UniformOut(rng *rand.Rand, shape []int, v []float32) {
	uniform(rng, v, 1/math.Sqrt(float64(shape[0])))
}
