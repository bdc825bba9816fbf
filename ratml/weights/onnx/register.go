package onnx

import (
	"bytes"
	"fmt"
	"io"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// Importing this package lets [weights.OpenModel] open ONNX files that need no options.
func init() {
	weights.Register(weights.Format{Name: "ONNX", Is: Is, Open: func(be *backend.Backend, path string, o weights.Options) (*nets.Classifier, error) {
		return OpenLog(be, path, Options{}, o.Log)
	}})
}

// Is tells whether a file that begins with these bytes, eight or more, can be of the format: a protobuf whose first
// field is the version of the format, as exporters write it.
func Is(start []byte) bool {
	if len(start) < 8 || start[0] != 0x08 || start[1] < 3 || start[1] > 30 {
		return false
	}
	// The next field: producer, its version, domain, version of the model, documentation, graph or operation sets.
	return bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42}, start[2]) >= 0
}

// OpenLog is [Open] that writes the notes of the model, a line each, to a log, which may be nil.
func OpenLog(be *backend.Backend, path string, o Options, log io.Writer) (*nets.Classifier, error) {
	m, err := Read(path, o)
	if err != nil {
		return nil, err
	}
	for _, note := range m.Notes {
		if log != nil {
			fmt.Fprintf(log, "%s: %s\n", m.Arch.Name, note)
		}
	}
	c, err := m.Classifier(be)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	return c, nil
}
