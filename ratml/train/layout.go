package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/nets"
)

// layout tells which tensors the state of a training has, in their order: all of the network's, the optimiser's
// buffers by trainable tensor, gradients that wait for an update, averaged tensors.
type layout struct {
	arch       *nets.Arch
	slots      int  // buffers of a trainable tensor
	accumulate bool // gradients wait
	average    bool // all tensors are averaged
}

func newLayout(a *nets.Arch, cfg Config) layout {
	_, averages := cfg.Averaging.(EMA)
	return layout{a, cfg.Optimizer.Slots(), cfg.Accumulate > 1, averages}
}

// parts is a list of nodes, one a tensor of the state, taken apart.
type parts struct{ params, slots, pending, average []*Node }

func (l layout) split(state []*Node) parts {
	take := func(n int) []*Node {
		list := state[:n]
		state = state[n:]
		return list
	}
	var p parts
	p.params = take(len(l.arch.Params))
	p.slots = take(l.slots * l.trainable())
	if l.accumulate {
		p.pending = take(l.trainable())
	}
	if l.average {
		p.average = take(len(l.arch.Params))
	}
	return p
}

func (l layout) join(p parts) []*Node {
	var list []*Node
	for _, part := range [][]*Node{p.params, p.slots, p.pending, p.average} {
		list = append(list, part...)
	}
	return list
}

func (l layout) trainable() int {
	n := 0
	for _, p := range l.arch.Params {
		if p.Trainable() {
			n++
		}
	}
	return n
}

// names returns a name for every tensor, PyTorch's for those of the network.
func (l layout) names() []string {
	var all, trainable []string
	for _, p := range l.arch.Params {
		all = append(all, p.Name)
		if p.Trainable() {
			trainable = append(trainable, p.Name)
		}
	}
	list := append([]string(nil), all...)
	for _, n := range trainable {
		for k := range l.slots {
			list = append(list, slotName(n, k))
		}
	}
	if l.accumulate {
		for _, n := range trainable {
			list = append(list, "gradient."+n)
		}
	}
	if l.average {
		for _, n := range all {
			list = append(list, "average."+n)
		}
	}
	return list
}

// shapes returns the shape of every tensor.
func (l layout) shapes() [][]int {
	var all, trainable [][]int
	for _, p := range l.arch.Params {
		all = append(all, p.Shape)
		if p.Trainable() {
			trainable = append(trainable, p.Shape)
		}
	}
	list := append([][]int(nil), all...)
	for _, s := range trainable {
		for range l.slots {
			list = append(list, s)
		}
	}
	if l.accumulate {
		list = append(list, trainable...)
	}
	if l.average {
		list = append(list, all...)
	}
	return list
}

func slotName(param string, k int) string { return fmt.Sprintf("slot%d.%s", k, param) }

func (l layout) len() int { return len(l.shapes()) }
