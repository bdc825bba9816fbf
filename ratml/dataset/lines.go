package dataset

import (
	"bytes"
	"fmt"
	"strings"
)

// textLine is a line of a text file, and where it begins.
type textLine struct {
	file   string
	offset int64
	fields []string
}

func (l textLine) fail(format string, args ...any) error {
	return &FormatError{File: l.file, Offset: l.offset, Problem: fmt.Sprintf(format, args...)}
}

// number returns field i, a number from first to last.
func (l textLine) number(i, first, last int) (int, error) {
	n := 0
	for _, c := range []byte(l.fields[i]) {
		if c < '0' || c > '9' || n > 1<<30 {
			n = -1
			break
		}
		n = 10*n + int(c-'0')
	}
	if n < first || n > last || l.fields[i] == "" {
		return 0, l.fail("%q, want a number from %d to %d", l.fields[i], first, last)
	}
	return n, nil
}

// readLines reads the lines that are not empty, each of the given number of fields with spaces between them; the last field
// may have spaces in it.
func readLines(name string, fields int) (lines []textLine, err error) {
	err = withFile(name, func(src *source) error {
		content, err := src.read(0, src.limit)
		if err != nil {
			return err
		}
		lines, err = splitLines(name, content, fields)
		return err
	})
	return lines, err
}

func splitLines(name string, content []byte, fields int) (lines []textLine, err error) {
	for at := 0; at < len(content); {
		text, _, _ := bytes.Cut(content[at:], []byte{'\n'})
		l := textLine{file: name, offset: int64(at)}
		at += len(text) + 1
		rest := strings.TrimSpace(string(text))
		if rest == "" {
			continue
		}
		for range fields - 1 {
			end := strings.IndexAny(rest, " \t")
			if end < 0 {
				return nil, l.fail("%q, want %d fields with spaces between", rest, fields)
			}
			l.fields = append(l.fields, rest[:end])
			rest = strings.TrimLeft(rest[end:], " \t")
		}
		l.fields = append(l.fields, rest)
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, &FormatError{File: name, Problem: "no lines"}
	}
	return lines, nil
}
