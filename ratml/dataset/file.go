package dataset

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// FormatError reports a file that is not what its data set needs.
type FormatError struct {
	File   string
	Offset int64 // where in the file, in bytes; in the decompressed data if Compressed
	// Compressed tells that the file is compressed with gzip.
	Compressed bool
	// Problem says what is there and what was expected.
	Problem string
	// Err is the error met while reading, or nil.
	Err error
}

// Error returns file, offset and problem in one line.
func (e *FormatError) Error() string {
	where := ""
	if e.Compressed {
		where = " of the decompressed data"
	}
	text := fmt.Sprintf("%s: byte %d%s: %s", e.File, e.Offset, where, e.Problem)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns e.Err.
func (e *FormatError) Unwrap() error { return e.Err }

// maxBytes bounds what is read from one file, decompressed: five times the largest file of the sets read here.
const maxBytes = 256 << 20

// source is a file being read, its compression taken off.
type source struct {
	io.Reader
	name       string
	compressed bool
	limit      int64 // the most that may be read: maxBytes
	size       int64 // of the file on disk, 0 if unknown
}

// withFile opens the file, plain or gzip by its first bytes, and calls read on it.
func withFile(name string, read func(*source) error) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: want a regular file", name)
	case info.Size() > maxBytes:
		return &FormatError{File: name, Offset: maxBytes, Problem: fmt.Sprintf("%d bytes in all, want at most %d", info.Size(), maxBytes)}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	src, err := newSource(name, f)
	if err != nil {
		return err
	}
	src.size = info.Size()
	return read(src)
}

func newSource(name string, r io.Reader) (*source, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(2)
	if err != nil && err != io.EOF {
		return nil, &FormatError{File: name, Problem: "cannot be read", Err: err}
	}
	if string(magic) != "\x1f\x8b" {
		return &source{Reader: buffered, name: name, limit: maxBytes}, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, &FormatError{File: name, Problem: "damaged gzip header", Err: err}
	}
	return &source{Reader: unzipped, name: name, compressed: true, limit: maxBytes}, nil
}

// fail makes the error for a problem at offset.
func (s *source) fail(offset int64, format string, args ...any) error {
	return &FormatError{File: s.name, Offset: offset, Compressed: s.compressed, Problem: fmt.Sprintf(format, args...)}
}

// read returns up to limit bytes, as many as there are, also beside an error; start is the offset at which it begins.
// Memory grows with the data that is really there, whatever a header promised.
func (s *source) read(start, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(s, limit))
	if err != nil {
		err = &FormatError{s.name, start + int64(len(data)), s.compressed, "cannot be read further, want the rest of the file", err}
	}
	return data, err
}

// concurrently runs load(0), ..., load(n-1) at the same time and returns the error of the lowest number.
func concurrently(n int, load func(i int) error) error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { errs[i] = load(i) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// below returns dir and the given folders below it.
func below(dir string, layouts ...string) []string {
	folders := []string{dir}
	for _, l := range layouts {
		folders = append(folders, filepath.Join(dir, filepath.FromSlash(l)))
	}
	return folders
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
