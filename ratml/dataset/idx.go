package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// parseIDX reads an idx file of unsigned bytes, the format of MNIST: a magic number 0, 0, 8 (unsigned byte), number of
// dimensions; the dimensions as big-endian 32-bit numbers, the number of items first; then the items. An item must
// have the given dimensions (none for labels). Source: LeCun, Cortes, Burges, "The MNIST database", file formats.
func parseIDX(src *source, item ...int) (n int, data []byte, err error) {
	count, err := parseIDXHeader(src, item)
	if err != nil {
		return 0, nil, err
	}
	start, size := int64(8+4*len(item)), int64(1)
	for _, d := range item {
		size *= int64(d)
	}
	want := count * size
	if want > src.limit {
		return 0, nil, src.fail(4, "%d items of %d bytes, want at most %d bytes in all", count, size, src.limit)
	}
	data, err = src.read(start, want+1)
	if err != nil && !(errors.Is(err, io.ErrUnexpectedEOF) && int64(len(data)) < want) {
		return 0, nil, err
	}
	switch got := int64(len(data)); {
	case got < want:
		return 0, nil, src.fail(start+got, "the file ends, want %d more bytes: the header says %d items of %d bytes", want-got, count, size)
	case got > want:
		return 0, nil, src.fail(start+want, "more data, want the end of the file after %d items of %d bytes", count, size)
	}
	return int(count), data, nil
}

// parseIDXHeader returns the number of items, at least 1.
func parseIDXHeader(src *source, item []int) (int64, error) {
	header := make([]byte, 8+4*len(item))
	got, err := io.ReadFull(src, header)
	magic, want := binary.BigEndian.Uint32(header), uint32(0x801+len(item))
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return 0, &FormatError{src.name, int64(got), src.compressed, "cannot be read further, want an idx header", err}
	case got >= 4 && magic != want:
		return 0, src.fail(0, "magic number 0x%08x, want 0x%08x (%s)", magic, want, describeIDX(item))
	case got < len(header):
		return 0, src.fail(int64(got), "the file ends, want an idx header of %d bytes", len(header))
	}
	n := binary.BigEndian.Uint32(header[4:])
	if n == 0 {
		return 0, src.fail(4, "0 items, want at least 1")
	}
	for i, want := range item {
		offset := 8 + 4*i
		if got := binary.BigEndian.Uint32(header[offset:]); got != uint32(want) {
			return 0, src.fail(int64(offset), "%d %s, want %d", got, [...]string{"rows", "columns"}[i], want)
		}
	}
	return int64(n), nil
}

func describeIDX(item []int) string {
	if len(item) == 0 {
		return "an idx file of labels"
	}
	return fmt.Sprintf("an idx file of images, %d dimensions of bytes", 1+len(item))
}
