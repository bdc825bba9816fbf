// Package safetensors reads and writes the headers of safetensors files (github.com/huggingface/safetensors).
//
// Files are not trusted: a header that does not describe the file byte for byte is refused before anything of the size
// it claims is allocated.
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	// maxHeader is the largest header that the format's reference implementation reads.
	maxHeader   = 100_000_000
	metadataKey = "__metadata__"
)

// Header is what a file says about itself. Its tensors cover the data that follow it without holes.
type Header struct {
	Metadata map[string]string // free text by key, may be nil
	Tensors  []Entry           // in the order of their data
}

// Entry describes one tensor. Offsets count from the first byte after the header.
type Entry struct {
	Name       string
	Dtype      string // as the format calls it: "F32", "I64", "U8", ...
	Shape      []int
	Begin, End int64
}

// Read reads the header of a file of size bytes, from its start, and checks that it describes what follows it.
func Read(r io.Reader, size int64) (*Header, error) {
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
	return parse(text, rest-int64(n))
}

// parse reads the JSON text of a header and checks it against the number of bytes that follow it.
func parse(text []byte, size int64) (*Header, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the header is not UTF-8")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("the header does not start with '{'")
	}
	h := &Header{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err := object(dec, func(key string) error {
		if key == metadataKey {
			return h.decodeMetadata(dec)
		}
		e, err := decodeEntry(dec)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", key, err)
		}
		e.Name = key
		h.Tensors = append(h.Tensors, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("header: text follows its JSON object")
	}
	if err := h.checkLayout(size); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return h, nil
}

func (h *Header) decodeMetadata(dec *json.Decoder) error {
	h.Metadata = map[string]string{}
	return object(dec, func(key string) error {
		s, err := str(dec)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", metadataKey, key, err)
		}
		h.Metadata[key] = s
		return nil
	})
}

func decodeEntry(dec *json.Decoder) (e Entry, err error) {
	var offsets []int64
	seen := 0
	err = object(dec, func(key string) error {
		seen++
		switch key {
		case "dtype":
			e.Dtype, err = str(dec)
		case "shape":
			e.Shape, err = integers[int](dec)
		case "data_offsets":
			offsets, err = integers[int64](dec)
		default:
			err = fmt.Errorf("unknown field %q", key)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	if seen != 3 || len(offsets) != 2 {
		return e, errors.New("want dtype, shape and two data_offsets")
	}
	e.Begin, e.End = offsets[0], offsets[1]
	return e, e.check()
}

// check compares the entry's offsets with its shape and element type.
func (e Entry) check() error {
	width := Width(e.Dtype)
	if width == 0 {
		return fmt.Errorf("unknown dtype %q", e.Dtype)
	}
	if e.Begin < 0 || e.End < e.Begin {
		return fmt.Errorf("data_offsets [%d, %d] are no range", e.Begin, e.End)
	}
	if e.Begin%width != 0 {
		return fmt.Errorf("data begin at byte %d, not a multiple of the %d bytes of %s", e.Begin, width, e.Dtype)
	}
	bytes := width
	for _, d := range e.Shape {
		if d < 0 {
			return fmt.Errorf("shape %v has a negative dimension", e.Shape)
		}
		if d > 0 && bytes > math.MaxInt64/int64(d) {
			return fmt.Errorf("shape %v is too large", e.Shape)
		}
		bytes *= int64(d)
	}
	if bytes != e.End-e.Begin {
		return fmt.Errorf("shape %v of %s takes %d bytes, data_offsets [%d, %d] give %d", e.Shape, e.Dtype, bytes, e.Begin, e.End, e.End-e.Begin)
	}
	return nil
}

// checkLayout sorts the tensors by their data and tells whether these fill size bytes, each byte once.
func (h *Header) checkLayout(size int64) error {
	slices.SortStableFunc(h.Tensors, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End))
	})
	at := int64(0)
	for _, e := range h.Tensors {
		switch {
		case e.End > size:
			return fmt.Errorf("tensor %q: data end at byte %d of %d", e.Name, e.End, size)
		case e.Begin < at:
			return fmt.Errorf("tensor %q: data begin at byte %d, inside the tensor before that ends at %d", e.Name, e.Begin, at)
		case e.Begin > at:
			return fmt.Errorf("bytes %d to %d before tensor %q belong to no tensor", at, e.Begin, e.Name)
		}
		at = e.End
	}
	if at != size {
		return fmt.Errorf("%d bytes after the last tensor belong to none", size-at)
	}
	return nil
}
