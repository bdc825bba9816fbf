package torchfile

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// A machine runs the opcodes of one pickle (Python's Lib/pickletools.py describes them).
type machine struct {
	*source
	stack      []any
	marks      []int // lengths of the stack where marks were set
	memo       map[uint64]any
	deepest    int
	persistent func(id []any) (any, error)
}

var errStack = errors.New("the pickle takes more from its stack than is there")

// unpickle reads one pickle; persistent returns what a persistent id, a tuple, stands for.
func unpickle(s *source, persistent func([]any) (any, error)) (any, error) {
	m := &machine{source: s, memo: map[uint64]any{}, persistent: persistent}
	for {
		at := m.at
		op, err := m.readByte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			return m.pop()
		}
		if err := m.step(op); err != nil {
			var refused *RefusedError
			if errors.As(err, &refused) {
				return nil, err
			}
			return nil, fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
}

func (m *machine) step(op byte) error {
	for _, group := range []func(byte) (bool, error){m.scalar, m.text, m.container, m.remember, m.object} {
		if known, err := group(op); known || err != nil {
			return err
		}
	}
	return fmt.Errorf("opcode 0x%02x, which torch.save does not write", op)
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	if len(m.stack) <= m.deepest {
		return nil
	}
	m.deepest = len(m.stack)
	return m.budget.take(32) // an interface, in a slice that doubles
}

// pop takes the top of the stack, which must lie above the last mark.
func (m *machine) pop() (any, error) {
	least := 0
	if n := len(m.marks); n > 0 {
		least = m.marks[n-1]
	}
	n := len(m.stack)
	if n <= least {
		return nil, errStack
	}
	v := m.stack[n-1]
	m.stack = m.stack[:n-1]
	return v, nil
}

// popN returns the topmost n values, the deepest first.
func (m *machine) popN(n int) ([]any, error) {
	v := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		var err error
		if v[i], err = m.pop(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// popMark returns what lies above the last mark, and removes both.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, errors.New("the pickle takes a mark that was not set")
	}
	first := m.marks[n-1]
	m.marks = m.marks[:n-1]
	items := append([]any(nil), m.stack[first:]...)
	m.stack = m.stack[:first]
	return items, m.budget.take(16 * int64(len(items)))
}

func (m *machine) top() (any, error) {
	v, err := m.pop()
	if err == nil {
		m.stack = m.stack[:len(m.stack)+1]
	}
	return v, err
}

// scalar runs the opcodes of numbers, truth values and None.
func (m *machine) scalar(op byte) (bool, error) {
	var v any
	var err error
	var n uint64
	switch op {
	case 'N':
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		v = op == 0x88
	case 'K': // BININT1
		n, err = m.number(1)
		v = int64(n)
	case 'M': // BININT2
		n, err = m.number(2)
		v = int64(n)
	case 'J': // BININT
		n, err = m.number(4)
		v = int64(int32(n))
	case 'G': // BINFLOAT, big-endian
		n, err = m.number(8)
		v = math.Float64frombits(bits.ReverseBytes64(n))
	case 0x8a: // LONG1
		v, err = m.long(1)
	case 0x8b: // LONG4
		v, err = m.long(4)
	case 'I', 'L': // INT, LONG of protocol 1
		v, err = m.decimal()
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if err := m.budget.take(8); err != nil {
		return true, err
	}
	return true, m.push(v)
}

// bigInt is the little-endian two's complement of a number of more than 64 bits.
type bigInt string

func (m *machine) long(width int) (any, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	b, err := m.read(n)
	if err != nil {
		return nil, err
	}
	if len(b) > 8 {
		return bigInt(b), m.budget.take(int64(len(b)))
	}
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	shift := 64 - 8*len(b)
	return int64(v<<shift) >> shift, nil // sign of the highest byte there is
}

func (m *machine) decimal() (any, error) {
	text, err := m.line()
	if err != nil {
		return nil, err
	}
	switch text {
	case "00", "01":
		return text == "01", nil
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "L"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no number of 64 bits", text)
	}
	return n, nil
}

// text runs the opcodes of strings and bytes, and those that change nothing.
func (m *machine) text(op byte) (bool, error) {
	width, isBytes := 0, false
	switch op {
	case 'U', 0x8c: // SHORT_BINSTRING, SHORT_BINUNICODE
		width = 1
	case 'T', 'X': // BINSTRING, BINUNICODE
		width = 4
	case 0x8d: // BINUNICODE8
		width = 8
	case 'C': // SHORT_BINBYTES
		width, isBytes = 1, true
	case 'B': // BINBYTES
		width, isBytes = 4, true
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		width, isBytes = 8, true
	case 0x80: // PROTO
		version, err := m.readByte()
		if err == nil && version > 5 {
			err = fmt.Errorf("pickle protocol %d; 5 is the last that is known", version)
		}
		return true, err
	case 0x95: // FRAME, whose length only helps a reader that reads ahead
		_, err := m.number(8)
		return true, err
	default:
		return false, nil
	}
	n, err := m.number(width)
	if err != nil {
		return true, err
	}
	b, err := m.read(n)
	if err != nil {
		return true, err
	}
	if isBytes {
		return true, m.push(b)
	}
	if err := m.budget.take(int64(len(b)) + 16); err != nil {
		return true, err
	}
	return true, m.push(string(b))
}

// container runs the opcodes of lists, tuples, sets and dicts.
func (m *machine) container(op byte) (bool, error) {
	switch op {
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return true, m.budget.take(32)
	case ']', ')', 0x8f: // EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET
		return true, m.pushList(nil)
	case '}': // EMPTY_DICT
		return true, m.pushDict(nil)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := m.popN(int(op-0x85) + 1)
		if err != nil {
			return true, err
		}
		return true, m.pushList(items)
	case 't', 'l', 0x91, 'd': // TUPLE, LIST, FROZENSET, DICT
		items, err := m.popMark()
		if err != nil {
			return true, err
		}
		if op == 'd' {
			return true, m.pushDict(items)
		}
		return true, m.pushList(items)
	case 'a': // APPEND
		items, err := m.popN(1)
		if err != nil {
			return true, err
		}
		return true, m.extend(items)
	case 'e', 0x90: // APPENDS, ADDITEMS
		items, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.extend(items)
	case 's': // SETITEM
		items, err := m.popN(2)
		if err != nil {
			return true, err
		}
		return true, m.set(items)
	case 'u': // SETITEMS
		items, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.set(items)
	}
	return false, nil
}

func (m *machine) pushList(items []any) error {
	if err := m.budget.take(64); err != nil {
		return err
	}
	return m.push(&List{items})
}

func (m *machine) pushDict(items []any) error {
	if err := m.budget.take(64); err != nil {
		return err
	}
	if err := m.push(&Dict{}); err != nil {
		return err
	}
	return m.set(items)
}

// extend appends to the list on the stack. Of values that are not looked into, such as a deque, they are dropped.
func (m *machine) extend(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *List:
		v.Items = append(v.Items, items...)
		return m.budget.take(32 * int64(len(items)))
	case Opaque:
		return nil
	}
	return fmt.Errorf("items are appended to %s", kind(v))
}

// set adds keys and values, in turns, to the dict on the stack.
func (m *machine) set(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok {
		return fmt.Errorf("entries are set in %s", kind(v))
	}
	if len(items)%2 != 0 {
		return errors.New("a dict's last key has no value")
	}
	for i := 0; i < len(items); i += 2 {
		switch items[i].(type) {
		case *List, *Dict, []byte: // a tuple can be a key in Python; nothing here looks for one
			items[i] = Opaque{"container"}
		}
		d.Entries = append(d.Entries, Entry{items[i], items[i+1]})
	}
	return m.budget.take(32 * int64(len(items)))
}

// remember runs the opcodes of the memo and those that drop or double the top of the stack.
func (m *machine) remember(op byte) (bool, error) {
	width := 0
	switch op {
	case '0': // POP
		_, err := m.pop()
		return true, err
	case '1': // POP_MARK
		_, err := m.popMark()
		return true, err
	case '2': // DUP
		v, err := m.top()
		if err != nil {
			return true, err
		}
		return true, m.push(v)
	case 0x94: // MEMOIZE
		return true, m.put(uint64(len(m.memo)))
	case 'q', 'h': // BINPUT, BINGET
		width = 1
	case 'r', 'j': // LONG_BINPUT, LONG_BINGET
		width = 4
	default:
		return false, nil
	}
	n, err := m.number(width)
	if err != nil {
		return true, err
	}
	if op == 'q' || op == 'r' {
		return true, m.put(n)
	}
	v, ok := m.memo[n]
	if !ok {
		return true, fmt.Errorf("nothing was memorised as %d", n)
	}
	return true, m.push(v)
}

func (m *machine) put(n uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if _, ok := m.memo[n]; !ok {
		if err := m.budget.take(48); err != nil {
			return err
		}
	}
	m.memo[n] = v
	return nil
}

// kind names the type of a value; values are never printed, as they may contain themselves.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64, bigInt:
		return "a number"
	case string, []byte:
		return "a string"
	case *List:
		return "a list"
	case *Dict:
		return "a dict"
	case *Tensor:
		return "a tensor"
	case *Storage:
		return "a storage"
	case Global:
		return string(v)
	case Opaque:
		return "a " + string(v.Class)
	}
	return fmt.Sprintf("%T", v)
}

// Kind names the type of a value of a file, for messages.
func Kind(v any) string { return kind(v) }
