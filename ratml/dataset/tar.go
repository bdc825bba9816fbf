package dataset

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// inTar are the files of a tar archive, which is read where they lie.
type inTar struct {
	archive string
	places  map[string]extent
}

// extent is a part of a file.
type extent struct{ offset, size int64 }

// indexTar finds the regular files of an archive, and those of archives in it, whose names begin with that of the inner
// archive less its ending. It returns the names in their order. Compressed archives are refused: they cannot be read from
// the middle.
func indexTar(name string) (*inTar, []string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	t := &inTar{name, map[string]extent{}}
	names, err := t.index(f, extent{0, info.Size()}, "")
	if err != nil {
		return nil, nil, err
	}
	return t, names, nil
}

func (t *inTar) index(f io.ReaderAt, whole extent, prefix string) (names []string, err error) {
	section := io.NewSectionReader(f, whole.offset, whole.size)
	fail := func(problem string, err error) error {
		at, _ := section.Seek(0, io.SeekCurrent)
		return &FormatError{File: t.archive, Offset: whole.offset + at, Problem: problem, Err: err}
	}
	for r := tar.NewReader(section); ; {
		h, err := r.Next()
		if err == io.EOF {
			if end, _ := section.Seek(0, io.SeekCurrent); end < 1024 || end > whole.size {
				return nil, fail("the archive ends without its two empty blocks", io.ErrUnexpectedEOF)
			}
			return names, nil
		}
		if err != nil {
			return nil, fail("cannot be read as a tar archive", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if h.Size > whole.size-at {
			return nil, fail(fmt.Sprintf("%s of %d bytes is cut off", h.Name, h.Size), io.ErrUnexpectedEOF)
		}
		member := extent{whole.offset + at, h.Size}
		if prefix == "" && path.Ext(h.Name) == ".tar" {
			inner, err := t.index(f, member, strings.TrimSuffix(path.Base(h.Name), ".tar")+"/")
			if err != nil {
				return nil, err
			}
			names = append(names, inner...)
			continue
		}
		full := prefix + strings.TrimPrefix(h.Name, "./")
		t.places[full] = member
		names = append(names, full)
	}
}

func (t *inTar) path(name string) string { return t.archive + ":" + name }

func (t *inTar) read(name string) ([]byte, error) {
	place, ok := t.places[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such file in the archive", t.path(name))
	}
	if place.size > maxBytes {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", t.path(name), place.size, maxBytes)
	}
	f, err := os.Open(t.archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, place.size)
	if n, err := f.ReadAt(data, place.offset); n < len(data) {
		return nil, fmt.Errorf("%s: %w", t.path(name), err)
	}
	return data, nil
}
