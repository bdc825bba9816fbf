package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
	err := read(path, func(h *header, data io.Reader) (err error) {
		w, err = readTensors(h, data)
		return err
	})
	return w, err
}

// Metadata returns the free text that the safetensors file at path carries, by key; it is empty where there is none.
func Metadata(path string) (map[string]string, error) {
	m := map[string]string{}
	err := read(path, func(h *header, _ io.Reader) error {
		if h.metadata != nil {
			m = h.metadata
		}
		return nil
	})
	return m, err
}

// read opens a file and hands its checked header and the data after it to f.
func read(path string, f func(*header, io.Reader) error) error {
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
	h, err := readHeader(r, info.Size())
	if err == nil {
		err = f(h, r)
	}
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return nil
}

// readHeader reads the header of a file of the given size.
func readHeader(r io.Reader, size int64) (*header, error) {
	var prefix [8]byte
	if size < int64(len(prefix)) {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file", size)
	}
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, noEOF(err)
	}
	if bytes.HasPrefix(prefix[:], []byte("PK\x03\x04")) {
		return nil, errors.New("this is a zip archive such as torch.save writes, not safetensors; convert it in Python with safetensors.torch.save_file")
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	rest := size - int64(len(prefix))
	if n > uint64(rest) {
		return nil, fmt.Errorf("a header of %d bytes does not fit into %d: truncated, or not a safetensors file", n, size)
	}
	if n > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes; at most %d are read", n, maxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, noEOF(err)
	}
	return parseHeader(text, rest-int64(n))
}

func readTensors(h *header, data io.Reader) (nets.Weights, error) {
	for _, e := range h.tensors {
		if decoders[e.dtype] == nil && !counter(e) {
			return nil, fmt.Errorf("tensor %q is of type %s; only F32, F64, F16 and BF16 can be weights", e.name, e.dtype)
		}
	}
	w := nets.Weights{}
	for _, e := range h.tensors {
		if counter(e) {
			if _, err := io.CopyN(io.Discard, data, e.end-e.begin); err != nil {
				return nil, noEOF(err)
			}
			continue
		}
		t, err := e.read(data)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.name, noEOF(err))
		}
		w[e.name] = t
	}
	return unwrap(w), nil
}

// counter tells whether e is the number of batches that a batch normalisation of PyTorch has seen.
func counter(e entry) bool {
	return e.dtype == "I64" && len(e.shape) == 0 &&
		(e.name == "num_batches_tracked" || strings.HasSuffix(e.name, ".num_batches_tracked"))
}

func (e entry) read(data io.Reader) (*nets.Tensor, error) {
	width, decode := int(widths[e.dtype]), decoders[e.dtype]
	t := nets.NewTensor(e.shape...)
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
