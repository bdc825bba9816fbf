package weights

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
)

// Options say how a file becomes a classifier.
type Options struct {
	// Arch names the architecture (see [nets.Lookup]); empty is the one that the file fits.
	Arch string
	// Dataset decides between architectures that fit a file equally, such as those for cifar10 and svhn: the one whose
	// name ends in it is taken.
	Dataset string
	// Log is told in lines what was guessed, or renamed; nil is nobody.
	Log io.Writer
}

// A Format is one of files that describe a network together with its weights.
type Format struct {
	Name string // such as "ONNX"
	// Is tells whether a file that begins with these bytes, 64 unless it is shorter, is of this format.
	Is func(start []byte) bool
	// Open returns the classifier of a file.
	Open func(be *backend.Backend, path string, o Options) (*nets.Classifier, error)
}

var formats []Format

// Register makes [OpenModel] open files of another format. A package that reads one calls it from an init function.
func Register(f Format) { formats = append(formats, f) }

func formatOf(start []byte) *Format {
	for i := range formats {
		if formats[i].Is(start) {
			return &formats[i]
		}
	}
	return nil
}

// OpenModel returns the classifier of a file in any format: weights, see [Load], or a network of a format that was
// registered. Where o names no architecture it is the one that the file says it holds, or else the one that its tensors
// fit; where several fit, and o.Dataset does not tell them apart, the error names them.
func OpenModel(be *backend.Backend, path string, o Options) (*nets.Classifier, error) {
	format, err := formatAt(path)
	if err != nil {
		return nil, err
	}
	if format != nil {
		c, err := format.Open(be, path, o)
		if err != nil {
			return nil, fmt.Errorf("weights: %s: %w", path, err)
		}
		return c, nil
	}
	if o.Arch == "" {
		if o.Arch, err = guess(path, o); err != nil {
			return nil, err
		}
	}
	a, err := nets.Lookup(o.Arch)
	if err != nil {
		return nil, err
	}
	w, err := LoadFor(a, path, o.Log)
	if err != nil {
		return nil, err
	}
	c, err := nets.NewClassifier(be, a, w)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	return c, nil
}

// formatAt returns the registered format that the file at path is of, or nil.
func formatAt(path string) (*Format, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	defer f.Close()
	start := make([]byte, startSize)
	n, err := io.ReadFull(f, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return formatOf(start[:n]), nil
}

// guess returns the architecture that a file fits.
func guess(path string, o Options) (string, error) {
	fit, err := Identify(path)
	if err != nil {
		return "", err
	}
	if len(fit) == 0 {
		return "", fmt.Errorf("weights: %s fits none of the architectures that are known; name the one it is for", path)
	}
	if len(fit) > 1 && o.Dataset != "" {
		if name := named(fit, o.Dataset); name != "" {
			fit = []string{name}
		}
	}
	if len(fit) > 1 {
		return "", fmt.Errorf("weights: %s fits %s; name the one it is for", path, strings.Join(fit, ", "))
	}
	logf(o.Log, "%s holds %s", filepath.Base(path), fit[0])
	return fit[0], nil
}

// named returns the one of the names that is for the data set, or "" where that is not one. The shortest is: what is for
// fashion_mnist ends in _mnist too.
func named(names []string, dataset string) string {
	best, several := "", false
	for _, name := range names {
		plain := strings.TrimSuffix(name, "_outlier") // of OpenMix, with one output more
		if !strings.HasSuffix(plain, "_"+dataset) || best != "" && len(name) > len(best) {
			continue
		}
		best, several = name, len(name) == len(best)
	}
	if several {
		return ""
	}
	return best
}

func logf(w io.Writer, format string, args ...any) {
	if w != nil {
		fmt.Fprintf(w, format+"\n", args...)
	}
}
