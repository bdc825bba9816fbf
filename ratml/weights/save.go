package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/nets"
)

// Save writes w as the safetensors file path, in float32, sorted by name, with the given metadata (which may be nil).
// The same arguments give the same bytes. The file appears under its name only when it is complete; one that was there
// before is replaced.
func Save(path string, w nets.Weights, metadata map[string]string) error {
	head, err := encodeHeader(w, metadata)
	if err != nil {
		return fmt.Errorf("weights: writing %s: %w", path, err)
	}
	if err := atomicfile.Write(path, func(dst io.Writer) error { return write(dst, head, w) }); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

func write(dst io.Writer, head []byte, w nets.Weights) error {
	buf := bufio.NewWriterSize(dst, 1<<20)
	buf.Write(head)
	var word [4]byte
	for _, name := range w.Names() {
		for _, v := range w[name].Data {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			buf.Write(word[:])
		}
	}
	return buf.Flush() // reports an earlier error too
}

// encodeHeader returns what a file of w starts with.
func encodeHeader(w nets.Weights, metadata map[string]string) ([]byte, error) {
	h := safetensors.Header{Metadata: metadata}
	at := int64(0)
	for _, name := range w.Names() {
		t := w[name]
		if err := checkTensor(name, t); err != nil {
			return nil, err
		}
		end := at + 4*int64(len(t.Data))
		h.Tensors = append(h.Tensors, safetensors.Entry{Name: name, Dtype: "F32", Shape: t.Shape, Begin: at, End: end})
		at = end
	}
	return h.Encode()
}

func checkTensor(name string, t *nets.Tensor) error {
	if t == nil {
		return fmt.Errorf("tensor %q is nil", name)
	}
	n := 1
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("tensor %q of shape %v has a negative dimension", name, t.Shape)
		}
		n *= d
	}
	if n != len(t.Data) {
		return fmt.Errorf("tensor %q of shape %v has %d values", name, t.Shape, len(t.Data))
	}
	return nil
}
