package weights

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ratml/rat/ratml/internal/safetensors"
	"github.com/ratml/rat/ratml/nets"
)

// Load reads the safetensors file at path. Tensors of type F64, F16 and BF16 become float32. It drops PyTorch's step
// counters (int64 scalars called num_batches_tracked), which play no part in evaluation or in training with a fixed
// momentum, and removes the prefixes that wrappers such as DataParallel put before all names: "module.",
// "backbone.", "_orig_mod.", and the "0." or "1." of a Sequential. Of a Sequential of a normalisation and a network
// the buffers 0.mean and 0.std become "mean" and "std".
//
// It does not look at the values; [nets.NewClassifier] and [Open] refuse those that are not finite.
func Load(path string) (nets.Weights, error) {
	var w nets.Weights
	err := read(path, func(h *safetensors.Header, data io.Reader) (err error) {
		w, err = readTensors(h, data)
		return err
	})
	return w, err
}

// Metadata returns the free text that the safetensors file at path carries, by key; it is empty where there is none.
func Metadata(path string) (map[string]string, error) {
	m := map[string]string{}
	err := read(path, func(h *safetensors.Header, _ io.Reader) error {
		if h.Metadata != nil {
			m = h.Metadata
		}
		return nil
	})
	return m, err
}

// read opens a file and hands its checked header and the data after it to f.
func read(path string, f func(*safetensors.Header, io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("weights: %s is not a file", path)
	}
	r := bufio.NewReaderSize(file, 1<<20)
	h, err := safetensors.Read(r, info.Size())
	if err == nil {
		err = f(h, r)
	}
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return nil
}

func readTensors(h *safetensors.Header, data io.Reader) (nets.Weights, error) {
	for _, e := range h.Tensors {
		if decoders[e.Dtype] == nil && !counter(e) {
			return nil, fmt.Errorf("tensor %q is of type %s; only F32, F64, F16 and BF16 can be weights", e.Name, e.Dtype)
		}
	}
	w := nets.Weights{}
	for _, e := range h.Tensors {
		if counter(e) {
			if _, err := io.CopyN(io.Discard, data, e.End-e.Begin); err != nil {
				return nil, noEOF(err)
			}
			continue
		}
		t, err := readTensor(e, data)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, noEOF(err))
		}
		w[e.Name] = t
	}
	return unwrap(w), nil
}

// counter tells whether e is the number of batches that a batch normalisation of PyTorch has seen.
func counter(e safetensors.Entry) bool {
	return e.Dtype == "I64" && len(e.Shape) == 0 &&
		(e.Name == "num_batches_tracked" || strings.HasSuffix(e.Name, ".num_batches_tracked"))
}

func readTensor(e safetensors.Entry, data io.Reader) (*nets.Tensor, error) {
	width, decode := int(safetensors.Width(e.Dtype)), decoders[e.Dtype]
	t := nets.NewTensor(e.Shape...)
	buffer := make([]byte, min(len(t.Data), 1<<14)*width)
	for rest := t.Data; len(rest) > 0; {
		n := min(len(rest), len(buffer)/width)
		if _, err := io.ReadFull(data, buffer[:n*width]); err != nil {
			return nil, err
		}
		for i := range n {
			rest[i] = decode(buffer[i*width:])
		}
		rest = rest[n:]
	}
	return t, nil
}

// noEOF calls an end of the file what it is where more was promised.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
