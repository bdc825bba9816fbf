package weights

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// Open returns a classifier of the architecture called arch (see [nets.Lookup]) with the weights of the file at path,
// in any format that [Load] reads. The file must hold the architecture's tensors and no others, under its names or
// those of a scheme that [Fit] knows; the error lists all that are missing, unexpected or of a wrong shape.
func Open(be *backend.Backend, arch, path string) (*nets.Classifier, error) {
	if _, err := nets.Lookup(arch); err != nil {
		return nil, err
	}
	return OpenModel(be, path, Options{Arch: arch})
}

// LoadInto replaces the weights of a classifier by those of the file at path, as strictly as [Open]. On error the
// classifier is unchanged.
func LoadInto(c *nets.Classifier, path string) error {
	w, err := LoadFor(c.Arch, path, nil)
	if err != nil {
		return err
	}
	if err := c.SetWeights(w); err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return nil
}

// LoadFor reads the weights in the file at path under the names of the architecture, as [Load] and [Fit] do; what was
// renamed is told to log, unless that is nil. It returns an error where they do not fit. The buffers mean and std of a normalisation layer that the file has beside them must be
// what a itself normalises with, and are then dropped.
func LoadFor(a *nets.Arch, path string, log io.Writer) (nets.Weights, error) {
	var w nets.Weights
	var prefix string
	err := read(path, func(c *content) (err error) {
		prefix = c.Prefix
		w, err = c.values()
		return err
	})
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
	if prefix != "" && a.Check(w) != nil { // the architecture's own names may begin with it
		whole := make(nets.Weights, len(w))
		for name, t := range w {
			whole[prefix+name] = t
		}
		if a.Check(whole) == nil {
			return whole, nil
		}
	}
	w, scheme, err := Fit(a, w)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	if scheme != "" {
		logf(log, "%s has the names of %s; images are normalised as %s does it", filepath.Base(path), scheme, a.Name)
	}
	return w, nil
}

func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-6 }
