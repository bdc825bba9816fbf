package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Encode returns the bytes that a file of this header starts with; the tensors' data follow. They are padded with
// blanks so that the data begin at a multiple of 8. The tensors must be in the order of their data and leave no holes.
func (h *Header) Encode() ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	if len(h.Metadata) > 0 {
		for k, v := range h.Metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("metadata %q: %q is not UTF-8", k, v)
			}
		}
		text, err := json.Marshal(h.Metadata)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b, "%q:%s", metadataKey, text)
	}
	for i, e := range h.Tensors {
		if i > 0 || len(h.Metadata) > 0 {
			b.WriteByte(',')
		}
		if err := e.encode(b); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	n := b.Len() - 8
	if n > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes; the format has room for %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(n))
	return b.Bytes(), nil
}

func (e Entry) encode(b *bytes.Buffer) error {
	switch {
	case e.Name == metadataKey:
		return fmt.Errorf("no tensor can be called %s", metadataKey)
	case !utf8.ValidString(e.Name):
		return fmt.Errorf("the name %q is not UTF-8", e.Name)
	}
	if err := e.check(); err != nil {
		return fmt.Errorf("tensor %q: %w", e.Name, err)
	}
	key, err := json.Marshal(e.Name)
	if err != nil {
		return err
	}
	value, err := json.Marshal(struct {
		Dtype   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}{e.Dtype, append([]int{}, e.Shape...), [2]int64{e.Begin, e.End}}) // a scalar's shape is [], not null
	if err != nil {
		return err
	}
	b.Write(key)
	b.WriteByte(':')
	b.Write(value)
	return nil
}
