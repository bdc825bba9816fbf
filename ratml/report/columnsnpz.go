package report

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// readNPZ reads arrays that numpy.savez wrote.
func (c Columns) readNPZ(path string) (*frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return c.decodeNPZ(file, info.Size())
}

func (c Columns) decodeNPZ(r io.ReaderAt, size int64) (*frame, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an npz file: %w", err)
	}
	a, err := newArrays(z)
	if err != nil {
		return nil, err
	}
	if err := c.checkNamed(a.order); err != nil {
		return nil, err
	}
	f := &frame{rows: -1, groups: Grouping{}}
	f.where = func(row int, column string) string { return fmt.Sprintf("array %s, row %d", column, row) }
	for _, name := range a.order {
		if hasOwner(a.byName, name) {
			continue // what a search knows beside the radius
		}
		if err := c.takeArray(f, name, a.byName[name]); err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
	}
	if f.rows < 0 {
		return nil, errors.New("there are no arrays with a known meaning")
	}
	return f, nil
}

// takeArray reads one array and stores it by its meaning.
func (c Columns) takeArray(f *frame, name string, file *zip.File) error {
	r, class := c.roleOf(name)
	if class >= 0 {
		return errors.New("probabilities and logits are one array [n,classes] here")
	}
	var shape []int
	var err error
	switch r {
	case roleNone:
		return nil
	case roleGroup:
		var text texts
		if shape, err = readArray(file, &text); err == nil {
			f.groups[name] = text
		}
	case roleProbability, roleLogit:
		var values numbers
		if shape, err = readArray(file, &values); err != nil {
			break
		}
		if len(shape) != 2 {
			return fmt.Errorf("shape %v, want [n,classes]", shape)
		}
		m := &matrix64{name, shape[1], values}
		to := map[role]**matrix64{roleProbability: &f.probs, roleLogit: &f.logits}[r]
		if *to != nil {
			return fmt.Errorf("arrays %s and %s mean the same; keep one of them", (*to).name, name)
		}
		*to = m
		return f.fit(shape)
	default:
		var values numbers
		if shape, err = readArray(file, &values); err == nil {
			err = f.put(r, &vector{name, values})
		}
	}
	if err == nil && len(shape) != 1 {
		err = fmt.Errorf("shape %v, want [n]; if the array is no score, say which ones are", shape)
	}
	if err != nil {
		return err
	}
	return f.fit(shape)
}

// fit checks that all arrays have a row an image.
func (f *frame) fit(shape []int) error {
	if f.rows >= 0 && shape[0] != f.rows {
		return fmt.Errorf("%d rows, the arrays before it have %d", shape[0], f.rows)
	}
	f.rows = shape[0]
	return nil
}

// numbers are elements of any numeric type, texts of any type.
type (
	numbers []float64
	texts   []string
)

// textSize returns the bytes of an element of a string type of numpy, and of one character; ok is false for other types.
func textSize(dtype string) (size, character int64, ok bool) {
	character = map[string]int64{"<U": 4, "|S": 1}[dtype[:min(2, len(dtype))]]
	if character == 0 {
		return 0, 0, false
	}
	n, err := strconv.Atoi(dtype[2:])
	if err != nil || n < 1 || n > maxArray/4 {
		return 0, 0, false
	}
	return int64(n) * character, character, true
}

// decodeTexts decodes elements of a string type, padded with zeros.
func decodeTexts(b []byte, size, character int64) []string {
	var out []string
	for ; int64(len(b)) >= size; b = b[size:] {
		text := string(b[:size])
		if character == 4 { // UTF-32
			var s strings.Builder
			for at := int64(0); at < size; at += 4 {
				s.WriteRune(rune(binary.LittleEndian.Uint32(b[at:])))
			}
			text = s.String()
		}
		out = append(out, strings.TrimRight(text, "\x00"))
	}
	return out
}

func newArrays(z *zip.Reader) (*arrays, error) {
	a := &arrays{byName: map[string]*zip.File{}}
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		if slices.Contains(a.order, name) {
			return nil, fmt.Errorf("two arrays are called %s", name)
		}
		a.byName[name] = f
		a.order = append(a.order, name)
	}
	return a, nil
}
