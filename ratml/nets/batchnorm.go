package nets

import (
	"cmp"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// BatchNorm is what batch normalisations of a network have in common.
type BatchNorm struct {
	Epsilon  float64 // added to variances; 0 is 1e-5, PyTorch's default
	Momentum float64 // the share of a batch in the running statistics where Options has none; 0 is 0.1, PyTorch's default
}

func (b BatchNorm) epsilon() float64  { return cmp.Or(b.Epsilon, 1e-5) }
func (b BatchNorm) momentum() float64 { return cmp.Or(b.Momentum, 0.1) }

// BatchNorms says how the batch normalisations are that are declared from here on.
func (p *Pass) BatchNorms(b BatchNorm) { p.norm = b }

// BatchNorm normalises x [batch, height, width, channels] over all but its channels, as torch.nn.BatchNorm2d does:
// in mode [Train] with the mean and biased variance of the batch, updating running_mean and running_var (the latter
// with the unbiased variance); else with the running statistics. [Pass.BatchNorms] sets epsilon and momentum, [Options]
// change the training behaviour. Its parameters are name.weight, name.bias, name.running_mean and name.running_var.
//
// It is made of plain operations because GoMLX's own has a wrong training gradient on the Go backend; written over
// the global batch, its statistics are also global when XLA shards the batch over devices.
func (p *Pass) BatchNorm(name string, x *Node) *Node {
	c := channels(x)
	switch p.options.Mode {
	case Folded:
		scale := p.Param(name+scaleSuffix, NormWeight, c)
		shift := p.Param(name+shiftSuffix, NormBias, c)
		return Add(Mul(x, perChannel(scale)), perChannel(shift))
	case declare:
		p.arch.addFold(fold{norm: name, epsilon: p.norm.epsilon()})
	}
	return p.batchNorm(name, x)
}

func (p *Pass) batchNorm(name string, x *Node) *Node {
	c := channels(x)
	weight := p.Param(name+".weight", NormWeight, c)
	bias := p.Param(name+".bias", NormBias, c)
	mean := p.Param(name+".running_mean", RunningMean, c)
	variance := p.Param(name+".running_var", RunningVar, c)
	if p.options.Mode == Train {
		y, batchMean, batchVar := normaliseBatch(x, weight, bias, p.groups(x), p.norm.epsilon())
		if !p.options.KeepStatistics {
			p.vars[name+".running_mean"] = StopGradient(p.follow(mean, batchMean))
			p.vars[name+".running_var"] = StopGradient(p.follow(variance, batchVar))
		}
		return y
	}
	scale := Div(weight, Sqrt(AddScalar(variance, p.norm.epsilon())))
	shift := Sub(bias, Mul(mean, scale))
	return Add(Mul(x, perChannel(scale)), perChannel(shift))
}

// normaliseBatch normalises each of the groups that x [batch, height, width, channels] consists of by its own
// statistics, and returns the mean and the unbiased variance of the first.
func normaliseBatch(x, weight, bias *Node, groups int, epsilon float64) (y, mean, variance *Node) {
	c := channels(x)
	parts, one := x, []int{1, 1, 1, c}
	if d := x.Shape().Dimensions; groups > 1 {
		// With an axis for the groups, no sum runs over two of them: on that many devices they stay where they are.
		parts, one = Reshape(x, groups, d[0]/groups, d[1], d[2], c), []int{1, 1, 1, 1, c}
	}
	r := len(one)
	means := ReduceAndKeep(parts, ReduceMean, r-4, r-3, r-2)
	centred := Sub(parts, means)
	variances := ReduceAndKeep(Square(centred), ReduceMean, r-4, r-3, r-2)
	scale := Div(Reshape(weight, one...), Sqrt(AddScalar(variances, epsilon))) // Rsqrt has no gradient
	y = Reshape(Add(Mul(centred, scale), Reshape(bias, one...)), x.Shape().Dimensions...)

	first := func(v *Node) *Node { return Reshape(Slice(v, AxisElem(0)), c) }
	unbiased := 1.0
	if n := x.Shape().Size() / c / groups; n > 1 {
		unbiased = float64(n) / float64(n-1)
	}
	return y, first(means), MulScalar(first(variances), unbiased)
}

// groups returns the number of parts that x is normalised in.
func (p *Pass) groups(x *Node) int {
	n := max(1, p.options.Groups)
	batch := x.Shape().Dimensions[0]
	if p.options.Groups < 0 || batch%n != 0 {
		panic(fmt.Errorf("nets: a batch of %d does not divide into %d groups of batch normalisation", batch, p.options.Groups))
	}
	return n
}

// follow moves a running statistic towards that of the batch.
func (p *Pass) follow(running, batch *Node) *Node {
	m := p.options.Momentum
	if m == nil {
		m := p.norm.momentum()
		return Add(MulScalar(running, 1-m), MulScalar(batch, m))
	}
	if !m.IsScalar() {
		panic(fmt.Errorf("nets: momentum of batch normalisation has shape %v, want a scalar", m.Shape()))
	}
	m = ConvertDType(m, running.DType())
	return Add(Mul(running, OneMinus(m)), Mul(batch, m))
}
