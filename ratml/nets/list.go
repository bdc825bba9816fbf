package nets

// Info describes an architecture to people who choose one.
type Info struct {
	Name      string
	Input     Input
	Classes   int
	Mean, Std []float32 // normalisation of images in [0,1], by channel
	Params    int       // trainable scalars, as PyTorch counts them
}

// List describes the architectures of [Names], in that order. It allocates no weights.
func List() ([]Info, error) {
	var list []Info
	for _, name := range Names() {
		a, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Info{a.Name, a.Input, a.Classes, a.Mean, a.Std, a.ParamCount()})
	}
	return list, nil
}
