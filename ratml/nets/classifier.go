package nets

import (
	"fmt"
	"sync"

	"github.com/ratml/rat/ratml/backend"
)

// Classifier is an architecture with weights on a backend. Its methods may be called from several goroutines, though
// not [Classifier.SetWeights] while programs run.
type Classifier struct {
	Arch    *Arch
	Backend *backend.Backend

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

// upload returns the folded weights on the device.
func (c *Classifier) upload() (*uploaded, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.folded != nil {
		return c.folded, nil
	}
	w, err := c.Arch.Fold(c.weights)
	if err != nil {
		return nil, err
	}
	u, err := upload(c.Backend, w)
	if err != nil {
		return nil, fmt.Errorf("nets: %s: %w", c.Arch.Name, err)
	}
	c.folded = u
	return u, nil
}
