package nets

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

// Kind tells what a parameter is for: how it is initialised, whether it is trained, how it is folded.
type Kind int

const (
	ConvWeight   Kind = iota // [out, in, height, width]; in is that of one group
	ConvBias                 // [out]
	LinearWeight             // [out, in]
	LinearBias               // [out]
	NormWeight               // a normalisation's gain, [channels]
	NormBias                 // a normalisation's offset, [channels]
	RunningMean              // [channels], not trained by gradient
	RunningVar               // [channels], not trained by gradient
	Embedding                // what is added to positions, or a position of its own: tokens, biases of attention
	LayerScale               // factors of the channels of a residual branch
)

// Param describes one tensor of a network.
type Param struct {
	Name  string // PyTorch's name, such as "features.stage1.unit1.body.conv1.conv.weight"
	Shape []int
	Kind  Kind

	start Initialiser // nil for the usual one of its kind
}

// Trainable tells whether the parameter is changed by gradients; running statistics are not.
func (p Param) Trainable() bool { return p.Kind != RunningMean && p.Kind != RunningVar }

// Arch is a network architecture.
type Arch struct {
	Name    string
	Input   Input
	Classes int
	// Mean and Std normalise each channel: the network sees (x-Mean)/Std of images x in [0,1].
	Mean, Std []float32
	// Preprocess is what the network's usual weights were evaluated with; the zero value where images have its size.
	Preprocess dataset.Preprocess
	// Params lists all tensors in the order of their first use.
	Params []Param
	// FeatureSize is the number of inputs of the last linear layer, 0 where there is none.
	FeatureSize int
	// HasDropout tells whether there are dropout layers.
	HasDropout bool
	// ExtraOutputs is the number of outputs beyond those of the classes, which only training sees.
	ExtraOutputs int

	forward Forward
	folds   []fold
	head    string // the last linear layer, "" where there is none
}

// Input is the size of a network's input images.
type Input struct{ Height, Width, Channels int }

// Forward builds the logits [batch, classes] of normalised images x [batch, height, width, channels], taking its
// layers and parameters from p.
type Forward func(p *Pass, x *graph.Node) *graph.Node

// NewArch describes the network that forward builds. It returns an error where forward does not build logits of the
// stated number of classes, or the normalisation does not fit the channels or divides by anything but a positive
// number.
func NewArch(name string, input Input, classes int, mean, std []float32, forward Forward) (*Arch, error) {
	if len(mean) != input.Channels || len(std) != input.Channels {
		return nil, fmt.Errorf("nets: %s: %d means and %d standard deviations for %d channels", name, len(mean), len(std), input.Channels)
	}
	for _, s := range std {
		if !(s > 0) {
			return nil, fmt.Errorf("nets: %s: standard deviations %v, want positive numbers", name, std)
		}
	}
	if input.Height < 1 || input.Width < 1 || input.Channels < 1 || classes < 1 {
		return nil, fmt.Errorf("nets: %s: input %+v and %d classes, want positive numbers", name, input, classes)
	}
	a := &Arch{Name: name, Input: input, Classes: classes, Mean: slices.Clone(mean), Std: slices.Clone(std), forward: forward}
	if err := a.declare(); err != nil {
		return nil, fmt.Errorf("nets: %s: %w", name, err)
	}
	return a, nil
}

// ParamCount returns the number of trainable scalars, as PyTorch counts them.
func (a *Arch) ParamCount() int {
	n := 0
	for _, p := range a.Params {
		if p.Trainable() {
			n += size(p.Shape)
		}
	}
	return n
}

// Check returns one error that lists every tensor of w that is missing, not expected, or of a wrong shape; it is nil
// where w fits the architecture.
func (a *Arch) Check(w Weights) error {
	unexpected := maps.Clone(w)
	var errs []error
	for _, p := range a.Params {
		t := w[p.Name]
		delete(unexpected, p.Name)
		switch {
		case t == nil:
			errs = append(errs, fmt.Errorf("missing %s %v", p.Name, p.Shape))
		case !slices.Equal(t.Shape, p.Shape):
			errs = append(errs, fmt.Errorf("wrong shape %v for %s, want %v", t.Shape, p.Name, p.Shape))
		case len(t.Data) != size(p.Shape):
			errs = append(errs, fmt.Errorf("%d values for %s, want %d", len(t.Data), p.Name, size(p.Shape)))
		}
	}
	for _, name := range unexpected.Names() {
		errs = append(errs, fmt.Errorf("unexpected %s", describe(name, w[name])))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("nets: weights do not fit %s: %w", a.Name, errors.Join(errs...))
}

func describe(name string, t *Tensor) string {
	if t == nil {
		return name + " (nil)"
	}
	return fmt.Sprintf("%s %v", name, t.Shape)
}
