package torchfile

import (
	"bufio"
	"fmt"
	"io"
)

// A source is a part of a file that is read from front to back.
type source struct {
	r        *bufio.Reader
	file     io.ReaderAt
	at, size int64
	budget   *budget
}

func newSource(r io.ReaderAt, size int64, b *budget) *source {
	return &source{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), file: r, size: size, budget: b}
}

func (s *source) readByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, noEOF(err)
	}
	s.at++
	return b, nil
}

// read returns the next n bytes.
func (s *source) read(n uint64) ([]byte, error) {
	if n > uint64(s.size-s.at) {
		return nil, fmt.Errorf("%d bytes are claimed at byte %d of %d: %w", n, s.at, s.size, io.ErrUnexpectedEOF)
	}
	if err := s.budget.take(int64(n)); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil, noEOF(err)
	}
	s.at += int64(n)
	return b, nil
}

// number returns the next n bytes, at most 8, as a little-endian number.
func (s *source) number(n int) (uint64, error) {
	var v uint64
	for i := range n {
		b, err := s.readByte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// maxLine is more than any name of a global or decimal number that torch.save writes takes.
const maxLine = 1 << 10

// line returns the text before the next end of line, and passes that.
func (s *source) line() (string, error) {
	var text []byte
	for {
		b, err := s.readByte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return string(text), s.budget.take(int64(len(text)))
		}
		if text = append(text, b); len(text) > maxLine {
			return "", fmt.Errorf("a line of over %d bytes", maxLine)
		}
	}
}

// skip passes n bytes.
func (s *source) skip(n int64) error {
	if n < 0 || n > s.size-s.at {
		return io.ErrUnexpectedEOF
	}
	s.at += n
	s.r.Reset(io.NewSectionReader(s.file, s.at, s.size-s.at))
	return nil
}

// noEOF calls an end of the file what it is where more was promised.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
