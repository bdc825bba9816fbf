package nets

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// PyTorch's defaults of torch.nn.BatchNorm2d.
const (
	normEpsilon  = 1e-5
	normMomentum = 0.1
)

// BatchNorm normalises x [batch, height, width, channels] over all but its channels, as torch.nn.BatchNorm2d does:
// in mode [Train] with the mean and biased variance of the batch, updating running_mean and running_var (the latter
// with the unbiased variance) with momentum 0.1; else with the running statistics. Its parameters are name.weight,
// name.bias, name.running_mean and name.running_var.
//
// It is made of plain operations because GoMLX's own has a wrong training gradient on the Go backend; written over
// the global batch, its statistics are also global when XLA shards the batch over devices.
func (p *Pass) BatchNorm(name string, x *Node) *Node {
	c := channels(x)
	switch p.mode {
	case Folded:
		scale := p.Param(name+scaleSuffix, NormWeight, c)
		shift := p.Param(name+shiftSuffix, NormBias, c)
		return Add(Mul(x, perChannel(scale)), perChannel(shift))
	case declare:
		p.arch.addFold(fold{norm: name})
	}
	return p.batchNorm(name, x)
}

func (p *Pass) batchNorm(name string, x *Node) *Node {
	c := channels(x)
	weight := p.Param(name+".weight", NormWeight, c)
	bias := p.Param(name+".bias", NormBias, c)
	mean := p.Param(name+".running_mean", RunningMean, c)
	variance := p.Param(name+".running_var", RunningVar, c)
	if p.mode == Train {
		n := x.Shape().Size() / c
		batchMean := ReduceMean(x, 0, 1, 2)
		centred := Sub(x, perChannel(batchMean))
		batchVar := ReduceMean(Square(centred), 0, 1, 2)
		unbiased := 1.0
		if n > 1 {
			unbiased = float64(n) / float64(n-1)
		}
		p.vars[name+".running_mean"] = StopGradient(lerp(mean, batchMean, normMomentum))
		p.vars[name+".running_var"] = StopGradient(lerp(variance, MulScalar(batchVar, unbiased), normMomentum))
		scale := Div(weight, Sqrt(AddScalar(batchVar, normEpsilon))) // Rsqrt has no gradient
		return Add(Mul(centred, perChannel(scale)), perChannel(bias))
	}
	scale := Div(weight, Sqrt(AddScalar(variance, normEpsilon)))
	shift := Sub(bias, Mul(mean, scale))
	return Add(Mul(x, perChannel(scale)), perChannel(shift))
}

// lerp moves a towards b by the share t.
func lerp(a, b *Node, t float64) *Node { return Add(MulScalar(a, 1-t), MulScalar(b, t)) }
