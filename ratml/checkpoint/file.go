package checkpoint

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/internal/safetensors"
)

const (
	format = "ratml checkpoint 1"
	// digestName is the last tensor of a file: the SHA-256 of all bytes before it.
	digestName = "sha256"
)

// Read reads the checkpoint at path. It is an error, which names the file, if the file is not whole or a byte of it
// was changed. Memory stays within a small multiple of the file's size.
func Read(path string) (*State, error) {
	s, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return s, nil
}

func readFile(path string) (*State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	s, err := read(bufio.NewReaderSize(f, 1<<20), info.Size())
	return s, reason(err)
}

// reason leaves out the path, which the caller tells.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// read reads a checkpoint of size bytes.
func read(r io.Reader, size int64) (*State, error) {
	hash := sha256.New()
	all := io.TeeReader(r, hash)
	h, err := safetensors.Read(all, size)
	if err != nil {
		return nil, err
	}
	s, err := described(h)
	if err != nil {
		return nil, err
	}
	last := len(h.Tensors) - 1
	for _, e := range h.Tensors[:last] {
		data, err := kindNamed(e.Dtype).read(all, elements(e))
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		if name, ok := strings.CutPrefix(e.Name, blobPrefix); ok {
			s.Blobs[name] = data.([]byte)
		} else {
			s.Tensors[e.Name] = Tensor{Shape: e.Shape, Data: data}
		}
	}
	want := make([]byte, sha256.Size)
	if _, err := io.ReadFull(r, want); err != nil {
		return nil, fmt.Errorf("its checksum: %w", err)
	}
	if !bytes.Equal(hash.Sum(nil), want) {
		return nil, errors.New("damaged: the checksum differs")
	}
	return s, nil
}

// described returns the state that a header announces, without its tensors.
func described(h *safetensors.Header) (*State, error) {
	if f := h.Metadata["format"]; f != format {
		return nil, fmt.Errorf("not a checkpoint: its format is %.40q, want %q", f, format)
	}
	step, err := strconv.Atoi(h.Metadata["step"])
	if err != nil || step < 0 {
		return nil, fmt.Errorf("its step is %.40q", h.Metadata["step"])
	}
	last := len(h.Tensors) - 1
	if last < 0 || h.Tensors[last].Name != digestName || h.Tensors[last].Dtype != "U8" || elements(h.Tensors[last]) != sha256.Size {
		return nil, errors.New("it does not end with its checksum")
	}
	for _, e := range h.Tensors {
		if kindNamed(e.Dtype) == nil {
			return nil, fmt.Errorf("tensor %q is of type %s", e.Name, e.Dtype)
		}
		if strings.HasPrefix(e.Name, blobPrefix) && e.Dtype != "U8" {
			return nil, fmt.Errorf("%q is of type %s, want U8", e.Name, e.Dtype)
		}
	}
	s := &State{Step: step, Tensors: map[string]Tensor{}, Blobs: map[string][]byte{}}
	if meta := h.Metadata["meta"]; meta != "" {
		if !json.Valid([]byte(meta)) {
			return nil, errors.New("its metadata are not JSON")
		}
		s.Meta = json.RawMessage(meta)
	}
	return s, nil
}

func elements(e safetensors.Entry) int { return int((e.End - e.Begin) / safetensors.Width(e.Dtype)) }

// write writes s as a file. The same state gives the same bytes.
func write(w io.Writer, s *State) error {
	h, list := contents(s)
	head, err := h.Encode()
	if err != nil {
		return err
	}
	hash := sha256.New()
	all := io.MultiWriter(w, hash)
	if _, err := all.Write(head); err != nil {
		return err
	}
	for _, t := range list {
		if err := t.kind().write(all, t.Data); err != nil {
			return err
		}
	}
	_, err = w.Write(hash.Sum(nil))
	return err
}

// contents returns the header of a file of s and its tensors without the checksum, in the order of the file.
func contents(s *State) (*safetensors.Header, []Tensor) {
	type item struct {
		name string
		Tensor
	}
	var items []item
	for name, t := range s.Tensors {
		items = append(items, item{name, t})
	}
	for name, b := range s.Blobs {
		items = append(items, item{blobPrefix + name, Tensor{[]int{len(b)}, b}})
	}
	width := func(i item) int64 { return safetensors.Width(i.kind().dtype) }
	slices.SortFunc(items, func(a, b item) int { // wide ones first, so that all are aligned
		return cmp.Or(-cmp.Compare(width(a), width(b)), cmp.Compare(a.name, b.name))
	})
	items = append(items, item{digestName, Tensor{[]int{sha256.Size}, make([]byte, sha256.Size)}})

	h := &safetensors.Header{Metadata: map[string]string{"format": format, "step": strconv.Itoa(s.Step)}}
	if len(s.Meta) > 0 {
		h.Metadata["meta"] = string(s.Meta)
	}
	var list []Tensor
	at := int64(0)
	for _, i := range items {
		end := at + width(i)*int64(i.kind().count(i.Data))
		h.Tensors = append(h.Tensors, safetensors.Entry{Name: i.name, Dtype: i.kind().dtype, Shape: i.Shape, Begin: at, End: end})
		list = append(list, i.Tensor)
		at = end
	}
	return h, list[:len(list)-1]
}
