package weights

import (
	"bytes"
	"cmp"
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

// header is what a safetensors file says about itself. Its tensors cover the data that follow it without holes.
type header struct {
	metadata map[string]string
	tensors  []entry // in the order of their data
}

// entry describes one tensor. Offsets count from the first byte after the header.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

// parseHeader reads the JSON text of a header and checks it against the number of bytes that follow it.
func parseHeader(text []byte, size int64) (*header, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the header is not UTF-8")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("the header does not start with '{'")
	}
	h := &header{}
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
		e.name = key
		h.tensors = append(h.tensors, e)
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

func (h *header) decodeMetadata(dec *json.Decoder) error {
	h.metadata = map[string]string{}
	return object(dec, func(key string) error {
		s, err := str(dec)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", metadataKey, key, err)
		}
		h.metadata[key] = s
		return nil
	})
}

func decodeEntry(dec *json.Decoder) (e entry, err error) {
	var offsets []int64
	seen := 0
	err = object(dec, func(key string) error {
		seen++
		switch key {
		case "dtype":
			e.dtype, err = str(dec)
		case "shape":
			e.shape, err = integers[int](dec)
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
	e.begin, e.end = offsets[0], offsets[1]
	return e, e.check()
}

// check compares the entry's offsets with its shape and element type.
func (e entry) check() error {
	width := widths[e.dtype]
	if width == 0 {
		return fmt.Errorf("unknown dtype %q", e.dtype)
	}
	if e.begin < 0 || e.end < e.begin {
		return fmt.Errorf("data_offsets [%d, %d] are no range", e.begin, e.end)
	}
	if e.begin%width != 0 {
		return fmt.Errorf("data begin at byte %d, not a multiple of the %d bytes of %s", e.begin, width, e.dtype)
	}
	bytes := width
	for _, d := range e.shape {
		if d < 0 {
			return fmt.Errorf("shape %v has a negative dimension", e.shape)
		}
		if d > 0 && bytes > math.MaxInt64/int64(d) {
			return fmt.Errorf("shape %v is too large", e.shape)
		}
		bytes *= int64(d)
	}
	if bytes != e.end-e.begin {
		return fmt.Errorf("shape %v of %s takes %d bytes, data_offsets [%d, %d] give %d", e.shape, e.dtype, bytes, e.begin, e.end, e.end-e.begin)
	}
	return nil
}

// checkLayout sorts the tensors by their data and tells whether these fill size bytes, each byte once.
func (h *header) checkLayout(size int64) error {
	slices.SortStableFunc(h.tensors, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for _, e := range h.tensors {
		switch {
		case e.end > size:
			return fmt.Errorf("tensor %q: data end at byte %d of %d", e.name, e.end, size)
		case e.begin < at:
			return fmt.Errorf("tensor %q: data begin at byte %d, inside the tensor before that ends at %d", e.name, e.begin, at)
		case e.begin > at:
			return fmt.Errorf("bytes %d to %d before tensor %q belong to no tensor", at, e.begin, e.name)
		}
		at = e.end
	}
	if at != size {
		return fmt.Errorf("%d bytes after the last tensor belong to none", size-at)
	}
	return nil
}
