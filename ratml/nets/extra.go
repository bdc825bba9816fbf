package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// WithExtraOutputs returns the architecture with n more outputs than classes, which only training sees: in mode
// [Train] the logits are [batch, Classes+n], those of the classes first; in all others they are [batch, Classes], as if
// the others were not there. Arch.Classes stays the number of classes; the last linear layer, name.weight and
// name.bias, has Classes+n rows. Initial weights of the classes stay what they are.
//
// It is what OpenMix (Zhu et al., CVPR 2023) trains, with one more output for outliers. It returns an error where n is
// negative or the architecture's outputs are not those of its last linear layer.
func (a *Arch) WithExtraOutputs(n int) (*Arch, error) {
	if n < 0 {
		return nil, fmt.Errorf("nets: %s with %d extra outputs, want none or more", a.Name, n)
	}
	b := a.undeclared()
	b.ExtraOutputs, b.head = n, a.head
	if err := b.declare(); err != nil {
		return nil, fmt.Errorf("nets: %s with %d extra outputs: %w", a.Name, n, err)
	}
	return b, nil
}

// DropExtraOutputs returns a copy of the weights w of an architecture with extra outputs that fits the architecture
// without them and gives the same logits for the classes. It returns an error where w does not fit a.
func (a *Arch) DropExtraOutputs(w Weights) (Weights, error) {
	if err := a.Check(w); err != nil {
		return nil, err
	}
	w = w.Clone()
	if a.ExtraOutputs > 0 {
		for _, name := range []string{a.head + ".weight", a.head + ".bias"} {
			t := w[name]
			t.Data = t.Data[:len(t.Data)/t.Shape[0]*a.Classes]
			t.Shape[0] = a.Classes
		}
	}
	return w, nil
}

// checkExtra panics where training does not put the extra outputs out.
func (a *Arch) checkExtra(vars map[string]*Node, x *Node) {
	if a.head == "" {
		panic(fmt.Errorf("the network has no linear layer"))
	}
	out := vars[a.head+".bias"].Shape().Dimensions[0]
	logits := a.ApplyWith(vars, Options{Mode: Train, KeepStatistics: true}, x)
	if want := a.Classes + a.ExtraOutputs; out != want || logits.Rank() != 2 || channels(logits) != want {
		panic(fmt.Errorf("the last linear layer, %s, has %d outputs and training logits have shape %v, want %d of them",
			a.head, out, logits.Shape().Dimensions, want))
	}
}

// linearOutputs returns the number of outputs that the linear layer has for which the network wants out.
func (p *Pass) linearOutputs(name string, out int) int {
	if name == p.head {
		return out + p.extra
	}
	return out
}

// visible returns the first out rows of a parameter of a linear layer outside of training, else all.
func (p *Pass) visible(v *Node, out int) *Node {
	if p.options.Mode == Train || v.Shape().Dimensions[0] == out {
		return v
	}
	return Slice(v, AxisRange(0, out))
}
