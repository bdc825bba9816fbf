package dataset

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
)

// readArchive calls read on the regular files of a tar archive, plain or compressed with gzip, that are called by one of
// the names whatever their folder. The archive is read to its end, so that one which is cut off or damaged is an error.
func readArchive(name string, wanted map[string]bool, read func(member string, src *source) error) error {
	return withFile(name, func(src *source) error {
		whole := &measured{r: src, limit: src.limit}
		t := tar.NewReader(whole)
		for {
			header, err := t.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return whole.fail(src, err)
			}
			if header.Typeflag != tar.TypeReg || !wanted[path.Base(header.Name)] {
				continue
			}
			member := &source{Reader: t, name: name + ":" + header.Name, compressed: src.compressed, limit: maxBytes, size: min(header.Size, 1<<25)}
			if err := read(path.Base(header.Name), member); err != nil {
				if whole.err != nil { // the archive's fault, not the member's
					return whole.fail(src, whole.err)
				}
				return err
			}
		}
		if _, err := io.Copy(io.Discard, whole); err != nil {
			return whole.fail(src, err)
		}
		return nil
	})
}

// measured counts what is read, notes an error, and refuses to read beyond a limit.
type measured struct {
	r        io.Reader
	n, limit int64
	err      error
}

func (c *measured) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n > c.limit {
		err = fmt.Errorf("more than %d bytes", c.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

func (c *measured) fail(src *source, err error) error {
	return &FormatError{src.name, c.n, src.compressed, "cannot be read further, want the rest of a tar archive", err}
}
