package nets

// WithInput returns the architecture for images of another size or number of channels. Where the network's parameters
// depend on it, as the position embeddings of a vision transformer do, they have other shapes. Preprocess stays only where the
// size does. It returns an error where the network cannot take such images or the channels do not
// fit the normalisation.
func (a *Arch) WithInput(in Input) (*Arch, error) {
	b, err := NewArch(a.Name, in, a.Classes, a.Mean, a.Std, a.forward)
	if err != nil {
		return nil, err
	}
	if in.Height == a.Input.Height && in.Width == a.Input.Width {
		b.Preprocess = a.Preprocess
	}
	if a.ExtraOutputs > 0 {
		return b.WithExtraOutputs(a.ExtraOutputs)
	}
	return b, nil
}

// undeclared returns a copy of what describes the architecture, without what follows from it.
func (a *Arch) undeclared() *Arch {
	return &Arch{Name: a.Name, Input: a.Input, Classes: a.Classes, Mean: a.Mean, Std: a.Std, Preprocess: a.Preprocess, forward: a.forward}
}
