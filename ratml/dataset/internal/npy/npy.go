// Package npy reads and writes the header of numpy's files, so that the elements after it can be read where they lie.
//
// Source: numpy, numpy/lib/format.py; versions 1 to 3.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Header describes an array.
type Header struct {
	Shape   []int
	Type    string // numpy's code of the elements' type, such as "u1" or "f4"
	Order   byte   // of their bytes: '<', '>', or '|' where it does not matter
	Fortran bool
}

const magic = "\x93NUMPY"

// maxHeader bounds the text of a header, as numpy does; maxDimensions is numpy's limit too.
const (
	maxHeader     = 10000
	maxDimensions = 64
)

// Sizes are the bytes of an element of the types that are known.
var sizes = map[string]int{"b1": 1, "u1": 1, "i1": 1, "u2": 2, "i2": 2, "f2": 2, "u4": 4, "i4": 4, "f4": 4, "u8": 8, "i8": 8, "f8": 8}

// Size returns the bytes of an element.
func (h Header) Size() int { return sizes[h.Type] }

// Len returns the number of elements.
func (h Header) Len() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

var (
	dictionary = regexp.MustCompile(`^\{\s*'descr'\s*:\s*'([<>|=])([a-z]\d{1,2})'\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,\s*'shape'\s*:\s*\(([0-9, L]*)\)\s*,?\s*\}\s*$`)
	anyType    = regexp.MustCompile(`'descr'\s*:\s*([^,]*)`)
)

// ReadHeader reads a header and returns the offset at which the elements begin.
func ReadHeader(r io.Reader) (h Header, offset int64, err error) {
	var start [10]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return h, 0, fmt.Errorf("no numpy header: %w", err)
	}
	if string(start[:6]) != magic {
		return h, 0, fmt.Errorf("%q at the start, want %q", start[:6], magic)
	}
	length := int64(binary.LittleEndian.Uint16(start[8:]))
	offset = 10
	switch start[6] {
	case 1:
	case 2, 3:
		var more [2]byte
		if _, err := io.ReadFull(r, more[:]); err != nil {
			return h, 0, fmt.Errorf("numpy header cut off: %w", err)
		}
		length += int64(binary.LittleEndian.Uint16(more[:])) << 16
		offset = 12
	default:
		return h, 0, fmt.Errorf("version %d of numpy's format, want 1 to 3", start[6])
	}
	if length > maxHeader {
		return h, 0, fmt.Errorf("a header of %d bytes, want at most %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, fmt.Errorf("numpy header cut off: %w", err)
	}
	h, err = parse(string(text))
	return h, offset + length, err
}

func parse(text string) (h Header, err error) {
	m := dictionary.FindStringSubmatch(text)
	if m == nil {
		if t := anyType.FindStringSubmatch(text); t != nil && !strings.ContainsAny(t[1], "<>|=") {
			return h, fmt.Errorf("elements of type %.40s, want numbers", t[1])
		}
		return h, fmt.Errorf("header %.80q, want a dictionary of descr, fortran_order and shape", text)
	}
	h = Header{Order: m[1][0], Type: m[2], Fortran: m[3] == "True"}
	if h.Order == '=' {
		h.Order = '<'
	}
	if h.Size() == 0 {
		return h, fmt.Errorf("elements of type %q, want numbers", h.Type)
	}
	total := h.Size()
	for _, field := range strings.Split(m[4], ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L")
		if field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil || n > 0 && total > math.MaxInt64/2/n || len(h.Shape) == maxDimensions {
			return h, fmt.Errorf("shape (%s), want dimensions with a product that can be counted", m[4])
		}
		total *= max(n, 1)
		h.Shape = append(h.Shape, n)
	}
	return h, nil
}

// Append appends the header to b, as numpy writes it in version 1, padded so that the elements begin at a multiple of 64.
func (h Header) Append(b []byte) []byte {
	fortran := "False"
	if h.Fortran {
		fortran = "True"
	}
	var shape strings.Builder
	for _, d := range h.Shape {
		fmt.Fprintf(&shape, "%d, ", d)
	}
	dims := strings.TrimSuffix(shape.String(), " ")
	if len(h.Shape) > 1 {
		dims = strings.TrimSuffix(dims, ",")
	}
	text := fmt.Sprintf("{'descr': '%c%s', 'fortran_order': %s, 'shape': (%s), }", h.Order, h.Type, fortran, dims)
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	b = append(append(b, magic...), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// Float returns an element of its bytes.
func (h Header) Float(b []byte) float64 {
	var order binary.ByteOrder = binary.LittleEndian
	if h.Order == '>' {
		order = binary.BigEndian
	}
	switch h.Type {
	case "i1":
		return float64(int8(b[0]))
	case "u2":
		return float64(order.Uint16(b))
	case "i2":
		return float64(int16(order.Uint16(b)))
	case "f2":
		return half(order.Uint16(b))
	case "u4":
		return float64(order.Uint32(b))
	case "i4":
		return float64(int32(order.Uint32(b)))
	case "f4":
		return float64(math.Float32frombits(order.Uint32(b)))
	case "u8":
		return float64(order.Uint64(b))
	case "i8":
		return float64(int64(order.Uint64(b)))
	case "f8":
		return math.Float64frombits(order.Uint64(b))
	}
	return float64(b[0])
}

// half returns a number of 16 bits.
func half(v uint16) float64 {
	sign, exponent, fraction := 1.0, int(v>>10&31), float64(v&1023)
	if v>>15 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
