package nets

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ratml/rat/ratml/backend"
)

// Classifier is an architecture with weights on a backend. Its methods may be called from several goroutines, though
// not [Classifier.SetWeights] while programs run.
type Classifier struct {
	Arch    *Arch
	Backend *backend.Backend
	// Devices is the number of devices over which programs compiled from now on spread each batch, which must be a
	// multiple of it; 0 is one. Results are the same up to rounding.
	Devices int

	mu      sync.Mutex
	weights Weights
	folded  *uploaded // device copy of the folded weights, made when first needed
}

// New returns a classifier of the architecture called name with seeded initial weights.
func New(be *backend.Backend, name string, seed uint64) (*Classifier, error) {
	a, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return NewClassifier(be, a, a.Init(seed))
}

// NewClassifier returns a classifier with the given weights, which it copies. It returns an error, listing all that is
// wrong, where the weights do not fit the architecture or are not finite.
func NewClassifier(be *backend.Backend, a *Arch, w Weights) (*Classifier, error) {
	c := &Classifier{Arch: a, Backend: be}
	if err := c.SetWeights(w); err != nil {
		return nil, err
	}
	return c, nil
}

// Weights returns a copy of the weights under PyTorch's names.
func (c *Classifier) Weights() Weights {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weights.Clone()
}

// SetWeights replaces the weights by a copy of w; programs use them from their next run on. On error the classifier
// is unchanged.
func (c *Classifier) SetWeights(w Weights) error {
	if err := c.Arch.Check(w); err != nil {
		return err
	}
	if err := w.finite(); err != nil {
		return err
	}
	if _, err := c.Arch.Fold(w); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weights = w.Clone()
	if c.folded != nil {
		c.folded.free()
		c.folded = nil
	}
	return nil
}

// devices returns the number of devices that a program is to run on.
func (c *Classifier) devices() (int, error) {
	n, most := max(1, c.Devices), c.Backend.Devices()
	if c.Devices < 0 || n > most {
		return 0, fmt.Errorf("%d devices, %s has %d", c.Devices, c.Backend.Kind(), most)
	}
	return n, nil
}

// upload returns the folded weights on the first n devices at least.
func (c *Classifier) upload(n int) (*uploaded, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.folded != nil && len(c.folded.values) >= n {
		return c.folded, nil
	}
	w, err := c.Arch.Fold(c.weights)
	if err != nil {
		return nil, err
	}
	u := &uploaded{names: w.Names()}
	if c.folded != nil {
		u.values = slices.Clone(c.folded.values)
	}
	for d := len(u.values); d < n; d++ {
		if err := u.add(c.Backend, w); err != nil {
			return nil, fmt.Errorf("nets: %s: %w", c.Arch.Name, err)
		}
	}
	c.folded = u
	return u, nil
}
