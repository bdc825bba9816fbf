package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/ratml/rat/ratml/internal/atomicfile"
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
	buf.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))
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

// encodeHeader returns the JSON text that describes w, padded with blanks so that the data begin at a multiple of 8.
func encodeHeader(w nets.Weights, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("metadata %q: %q is not UTF-8", k, v)
			}
		}
		text, err := json.Marshal(metadata)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", metadataKey, text)
	}
	at := 0
	for _, name := range w.Names() {
		if err := checkTensor(name, w[name]); err != nil {
			return nil, err
		}
		end := at + 4*len(w[name].Data)
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := encodeEntry(&b, name, w[name].Shape, at, end); err != nil {
			return nil, err
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes; the format has room for %d", b.Len(), maxHeader)
	}
	return b.Bytes(), nil
}

func encodeEntry(b *bytes.Buffer, name string, shape []int, begin, end int) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	value, err := json.Marshal(struct {
		Dtype   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}{"F32", append([]int{}, shape...), [2]int{begin, end}}) // a scalar's shape is [], not null
	if err != nil {
		return err
	}
	b.Write(key)
	b.WriteByte(':')
	b.Write(value)
	return nil
}

func checkTensor(name string, t *nets.Tensor) error {
	switch {
	case name == metadataKey:
		return fmt.Errorf("no tensor can be called %s", metadataKey)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %q is not UTF-8", name)
	case t == nil:
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
