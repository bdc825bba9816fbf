package numpickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Error tells what is wrong with a pickle, and where.
type Error struct {
	Offset  int64
	Problem string
}

// Error returns offset and problem.
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem) }

// Limits on what a pickle may do. A file of CIFAR-100 has 200,000 operations and 150 marks.
const (
	maxOperations = 1 << 20
	maxMarks      = 1 << 14
	maxLine       = 1 << 12
	maxNumber     = 8 // bytes of an integer
)

// argument is what follows an operation.
type argument int

const (
	refused  argument = iota
	nothing           // the operation stands alone
	bytes1            // one byte
	bytes2            // two
	bytes4            // four
	bytes8            // eight
	line              // text up to the end of the line
	global            // two such lines: a module and a name in it
	short             // a length of one byte, and so many bytes
	long              // a length of four bytes, and so many
	huge              // a length of eight bytes, and so many
	frame             // a length of eight bytes: so many must follow, of which the operations are read as usual
	number1           // as short, of an integer
	number4           // as long, of an integer
	protocol          // a byte, the version
	stop              // the end
)

// operations are those of pickletools in Python's library that make plain values.
var operations = func() (table [256]argument) {
	for arg, codes := range map[argument]string{
		nothing:  "(012NRabd}el]st)u\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94",
		bytes1:   "Khq",
		bytes2:   "M",
		bytes4:   "Jjr",
		bytes8:   "G",
		line:     "FILVSgp",
		global:   "c",
		short:    "UC\x8c",
		long:     "TBX",
		huge:     "\x8d\x8e\x96",
		frame:    "\x95",
		number1:  "\x8a",
		number4:  "\x8b",
		protocol: "\x80",
		stop:     ".",
	} {
		for i := range len(codes) {
			table[codes[i]] = arg
		}
	}
	return table
}()

// scan looks through a pickle without running it. It returns where it ends, or what must not be run.
func scan(data []byte) (end int, err error) {
	s := scanner{data: data}
	marks := 0
	for count := 0; ; count++ {
		start := s.at
		if start >= len(data) {
			return 0, fail(start, "the pickle ends, want another operation")
		}
		code := data[start]
		if code == '(' {
			marks++
		}
		if count >= maxOperations || marks > maxMarks {
			return 0, fail(start, "more than %d operations or %d marks", maxOperations, maxMarks)
		}
		s.at++
		switch arg := operations[code]; arg {
		case refused:
			return 0, fail(start, "operation 0x%02x, want one that makes a plain value", code)
		case stop:
			return s.at, nil
		default:
			if err := s.skip(arg); err != nil {
				return 0, err
			}
		}
	}
}

type scanner struct {
	data []byte
	at   int
}

func fail(at int, format string, args ...any) error {
	return &Error{int64(at), fmt.Sprintf(format, args...)}
}

// skip passes over an argument.
func (s *scanner) skip(arg argument) error {
	switch arg {
	case bytes1:
		return s.pass(1)
	case bytes2:
		return s.pass(2)
	case bytes4:
		return s.pass(4)
	case bytes8:
		return s.pass(8)
	case line:
		_, err := s.line()
		return err
	case global:
		return s.global()
	case protocol:
		if s.at < len(s.data) && s.data[s.at] > 5 {
			return fail(s.at, "protocol %d, want at most 5", s.data[s.at])
		}
		return s.pass(1)
	case short, number1:
		return s.counted(1, arg)
	case long, number4:
		return s.counted(4, arg)
	case huge, frame:
		return s.counted(8, arg)
	}
	return nil
}

func (s *scanner) pass(n int) error {
	if n > len(s.data)-s.at {
		return fail(len(s.data), "the pickle ends, want %d more bytes", n-(len(s.data)-s.at))
	}
	s.at += n
	return nil
}

// counted passes over a length of the given number of bytes, and so many bytes after it.
func (s *scanner) counted(size int, arg argument) error {
	start := s.at
	if err := s.pass(size); err != nil {
		return err
	}
	var padded [8]byte
	copy(padded[:], s.data[start:s.at])
	n := binary.LittleEndian.Uint64(padded[:])
	if n > uint64(len(s.data)-s.at) {
		return fail(start, "a length of %d, but %d bytes are left", n, len(s.data)-s.at)
	}
	if (arg == number1 || arg == number4) && (n < 1 || n > maxNumber) {
		return fail(start, "an integer of %d bytes, want 1 to %d", n, maxNumber)
	}
	if arg != frame {
		s.at += int(n)
	}
	return nil
}

func (s *scanner) line() (string, error) {
	rest := s.data[s.at:]
	end := bytes.IndexByte(rest[:min(len(rest), maxLine)], '\n')
	if end < 0 {
		return "", fail(s.at, "no end of a line within %d bytes", min(len(rest), maxLine))
	}
	s.at += end + 1
	return string(rest[:end]), nil
}

func (s *scanner) global() error {
	start := s.at - 1
	module, err := s.line()
	if err != nil {
		return err
	}
	name, err := s.line()
	if err != nil {
		return err
	}
	if _, ok := classes[module+"."+name]; !ok {
		return fail(start, "the pickle asks for %q, want plain values and numpy arrays", module+"."+name)
	}
	return nil
}
