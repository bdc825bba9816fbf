package matfile

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Limits on what is read: ImageNet's development kit has 20,000 arrays in 3 levels.
const (
	maxArrays     = 1 << 20
	maxDepth      = 16
	maxDimensions = 32
)

// Read returns the variables of a file that are called by one of the names, in the file's order. An error ends in a file
// that is damaged, or shorter than it says.
func Read(src io.Reader, names ...string) ([]*Array, error) {
	r := reader{names: names, counted: counter{r: bufio.NewReaderSize(src, 1<<16)}}
	found, err := r.file()
	if err != nil {
		return nil, &Error{r.counted.n, err}
	}
	return found, nil
}

// Error tells what is wrong with a file, and how far it was read, in bytes on disk.
type Error struct {
	Offset int64
	Err    error
}

// Error returns offset and problem.
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %v", e.Offset, e.Err) }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

type reader struct {
	names   []string
	counted counter
	order   binary.ByteOrder
	arrays  int
}

// file reads header and variables.
func (r *reader) file() ([]*Array, error) {
	header := make([]byte, 128)
	if _, err := io.ReadFull(&r.counted, header); err != nil {
		return nil, fmt.Errorf("want a header of 128 bytes: %w", noEOF(err))
	}
	switch string(header[126:]) {
	case "IM":
		r.order = binary.LittleEndian
	case "MI":
		r.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("%q in the header, want IM or MI: no MATLAB file of version 5", header[126:])
	}
	if v := r.order.Uint16(header[124:]); v>>8 != 1 {
		return nil, fmt.Errorf("version 0x%04x, want 0x0100 (version 5)", v)
	}
	var found []*Array
	for {
		a, err := r.variable()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if a != nil {
			found = append(found, a)
		}
	}
}

// variable reads the next one: nil if it is none that is wanted, and io.EOF where the file ends.
func (r *reader) variable() (*Array, error) {
	t, err := r.tag(&r.counted)
	if err != nil {
		return nil, err
	}
	body := &io.LimitedReader{R: &r.counted, N: int64(t.size)}
	if t.small != nil {
		return nil, nil
	}
	var a *Array
	switch t.kind {
	case miMatrix:
		a, err = r.array(body, 0)
	case miCompressed:
		a, err = r.compressed(body)
	}
	if err != nil {
		return nil, noEOF(err)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return nil, err
	}
	if body.N > 0 {
		return nil, fmt.Errorf("%d bytes of an element of %d are missing: %w", body.N, t.size, io.ErrUnexpectedEOF)
	}
	return a, nil
}

// compressed reads an element in zlib's format, to its checksum.
func (r *reader) compressed(body io.Reader) (*Array, error) {
	z, err := zlib.NewReader(body)
	if err != nil {
		return nil, err
	}
	t, err := r.tag(z)
	if err != nil {
		return nil, noEOF(err)
	}
	if t.kind != miMatrix || t.small != nil {
		return nil, fmt.Errorf("a compressed element of type %d, want %d (an array)", t.kind, miMatrix)
	}
	inner := &io.LimitedReader{R: z, N: int64(t.size)}
	a, err := r.array(inner, 0)
	if err != nil {
		return nil, noEOF(err)
	}
	if a == nil { // of no interest
		return nil, nil
	}
	if _, err := io.Copy(io.Discard, z); err != nil {
		return nil, err
	}
	return a, nil
}

// tag is how an element begins.
type tag struct {
	kind, size uint32
	small      []byte // the data itself, where it is part of the tag
}

func (r *reader) tag(src io.Reader) (tag, error) {
	var b [8]byte
	if _, err := io.ReadFull(src, b[:]); err != nil {
		return tag{}, err
	}
	first := r.order.Uint32(b[:])
	if n := first >> 16; n != 0 {
		if n > 4 {
			return tag{}, fmt.Errorf("a small element of %d bytes, want at most 4", n)
		}
		return tag{first & 0xffff, n, bytes.Clone(b[4 : 4+n])}, nil
	}
	return tag{kind: first, size: r.order.Uint32(b[4:])}, nil
}

// element reads an element of an array with its padding.
func (r *reader) element(src io.Reader) (kind uint32, data []byte, err error) {
	t, err := r.tag(src)
	if err != nil {
		return 0, nil, noEOF(err)
	}
	if t.small != nil {
		return t.kind, t.small, nil
	}
	data, err = take(src, int64(t.size))
	if err != nil {
		return 0, nil, err
	}
	if pad := -t.size & 7; pad > 0 { // the last element of an array may lack it
		if _, err := io.CopyN(io.Discard, src, int64(pad)); err != nil && err != io.EOF {
			return 0, nil, err
		}
	}
	return t.kind, data, nil
}

// take reads n bytes; memory grows with those that are there.
func take(src io.Reader, n int64) ([]byte, error) {
	data := make([]byte, 0, min(n, 1<<20))
	for int64(len(data)) < n {
		if len(data) == cap(data) {
			data = slices.Grow(data, int(min(int64(len(data)), n-int64(len(data)))))
		}
		got, err := io.ReadFull(src, data[len(data):min(int64(cap(data)), n)])
		data = data[:len(data)+got]
		if err != nil {
			return nil, fmt.Errorf("%d bytes of %d are there: %w", len(data), n, noEOF(err))
		}
	}
	return data, nil
}

// Classes of arrays.
const (
	mxCell   = 1
	mxStruct = 2
	mxChar   = 4
	mxDouble = 6
	mxUint64 = 15
)

// array reads an array after its tag; at the top, nil for one that is not wanted.
func (r *reader) array(src io.Reader, depth int) (*Array, error) {
	if r.arrays++; r.arrays > maxArrays || depth > maxDepth {
		return nil, fmt.Errorf("more than %d arrays, or more than %d in each other", maxArrays, maxDepth)
	}
	class, a, err := r.head(src)
	if err != nil {
		return nil, err
	}
	if depth == 0 && !slices.Contains(r.names, a.Name) {
		return nil, nil
	}
	switch {
	case class == mxCell:
		a.Cells, err = r.parts(src, a.Len(), depth)
	case class == mxStruct:
		err = r.structure(src, a, depth)
	case class == mxChar || class >= mxDouble && class <= mxUint64:
		if a.kind, a.data, err = r.element(src); err == nil && len(a.data) != a.Len()*widths[a.kind] && a.kind != miUTF8 {
			err = fmt.Errorf("%s has %d bytes of type %d for %v elements", a.Name, len(a.data), a.kind, a.Dims)
		}
	default:
		err = fmt.Errorf("%s is of class %d, want numbers, text, cells or a structure", a.Name, class)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// head reads class, dimensions and name.
func (r *reader) head(src io.Reader) (class uint32, a *Array, err error) {
	a = &Array{order: r.order}
	_, flags, err := r.element(src)
	if err == nil && len(flags) != 8 {
		err = errors.New("the flags of an array are not 8 bytes")
	}
	if err != nil {
		return 0, nil, err
	}
	bits := r.order.Uint32(flags)
	if bits&0x0800 != 0 {
		return 0, nil, errors.New("an array of complex numbers, want real ones")
	}
	_, dims, err := r.element(src)
	if err == nil && (len(dims)%4 != 0 || len(dims) > 4*maxDimensions) {
		err = fmt.Errorf("%d bytes of dimensions", len(dims))
	}
	if err != nil {
		return 0, nil, err
	}
	size := 1
	for ; len(dims) > 0; dims = dims[4:] {
		d := int(int32(r.order.Uint32(dims)))
		if d < 0 || d > 0 && size > math.MaxInt32/d {
			return 0, nil, fmt.Errorf("dimensions %v and %d, want a product below 2^31", a.Dims, d)
		}
		size *= max(d, 1)
		a.Dims = append(a.Dims, d)
	}
	_, name, err := r.element(src)
	a.Name = string(name)
	return bits & 0xff, a, err
}

// structure reads field names and values, those of an element after one another.
func (r *reader) structure(src io.Reader, a *Array, depth int) error {
	_, width, err := r.element(src)
	if err == nil && len(width) != 4 {
		err = errors.New("the length of field names is not 4 bytes")
	}
	if err != nil {
		return err
	}
	_, text, err := r.element(src)
	if err != nil {
		return err
	}
	n := int(int32(r.order.Uint32(width)))
	if n < 1 || len(text)%n != 0 {
		return fmt.Errorf("%d bytes of field names of %d each", len(text), n)
	}
	a.Fields = map[string][]*Array{}
	var names []string
	for ; len(text) > 0; text = text[n:] {
		name, _, _ := bytes.Cut(text[:n], []byte{0})
		names = append(names, string(name))
	}
	if len(names) == 0 {
		return nil
	}
	for range a.Len() {
		values, err := r.parts(src, len(names), depth)
		if err != nil {
			return err
		}
		for i, v := range values {
			a.Fields[names[i]] = append(a.Fields[names[i]], v)
		}
	}
	return nil
}

// parts reads n arrays.
func (r *reader) parts(src io.Reader, n, depth int) ([]*Array, error) {
	var all []*Array
	for range n {
		t, err := r.tag(src)
		if err != nil {
			return nil, noEOF(err)
		}
		if t.kind != miMatrix || t.small != nil {
			return nil, fmt.Errorf("an element of type %d in an array of arrays, want %d", t.kind, miMatrix)
		}
		if t.size == 0 { // MATLAB's way to write an empty array
			if r.arrays++; r.arrays > maxArrays {
				return nil, fmt.Errorf("more than %d arrays", maxArrays)
			}
			all = append(all, &Array{order: r.order, Dims: []int{0, 0}})
			continue
		}
		inner := &io.LimitedReader{R: src, N: int64(t.size)}
		a, err := r.array(inner, depth+1)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, inner); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// noEOF turns an end where none may be into io.ErrUnexpectedEOF.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
