package weights

import (
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// Open returns a classifier of the architecture called arch (see [nets.Lookup]) with the weights of the safetensors
// file at path. The file must hold the architecture's tensors and no others; the error lists all that are missing,
// unexpected or of a wrong shape.
func Open(be *backend.Backend, arch, path string) (*nets.Classifier, error) {
	a, err := nets.Lookup(arch)
	if err != nil {
		return nil, err
	}
	w, err := loadFor(a, path)
	if err != nil {
		return nil, err
	}
	c, err := nets.NewClassifier(be, a, w)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	return c, nil
}

// LoadInto replaces the weights of a classifier by those of the safetensors file at path, as strictly as [Open]. On
// error the classifier is unchanged.
func LoadInto(c *nets.Classifier, path string) error {
	w, err := loadFor(c.Arch, path)
	if err != nil {
		return err
	}
	if err := c.SetWeights(w); err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return nil
}

// loadFor loads weights for a. The buffers mean and std of a normalisation layer that the file has beside them must be
// what a itself normalises with, and are then dropped.
func loadFor(a *nets.Arch, path string) (nets.Weights, error) {
	w, err := Load(path)
	if err != nil {
		return nil, err
	}
	for name, want := range map[string][]float32{"mean": a.Mean, "std": a.Std} {
		t := w[name]
		if t == nil {
			continue
		}
		if !slices.EqualFunc(t.Data, want, near) {
			return nil, fmt.Errorf("weights: %s: the file normalises images with %s %v, but %s with %v",
				path, name, t.Data, a.Name, want)
		}
		delete(w, name)
	}
	return w, nil
}

func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-6 }
