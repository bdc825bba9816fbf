package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Item is a tensor to write.
type Item struct {
	Name  string
	Dtype string // F32, F16 or BF16
	Shape []int
	// Data writes the elements, little-endian in row-major order. It is called twice.
	Data func(io.Writer) error
}

// classes are the storages of the element types that are written.
var classes = map[string]string{"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage"}

// alignment is where PyTorch lets data begin, so that they can be mapped into memory.
const alignment = 64

// Write writes a zip file as torch.save does, of an OrderedDict of the items in their order, or where there is
// metadata of {"state_dict": that, "metadata": metadata}. torch.load reads it with weights_only=True. The same
// arguments give the same bytes.
func Write(dst io.Writer, items []Item, metadata map[string]string) error {
	pickle, err := encode(items, metadata)
	if err != nil {
		return err
	}
	w := writer{zip: zip.NewWriter(dst)}
	for _, e := range []struct{ name, content string }{
		{"data.pkl", string(pickle)}, {".format_version", "1"}, {".storage_alignment", strconv.Itoa(alignment)}, {"byteorder", "little"},
	} {
		if err := w.text(e.name, e.content); err != nil {
			return err
		}
	}
	for i, it := range items {
		if err := w.entry(fmt.Sprintf("data/%d", i), it.Data); err != nil {
			return fmt.Errorf("tensor %q: %w", it.Name, err)
		}
	}
	if err := w.text("version", "3\n"); err != nil {
		return err
	}
	return w.zip.Close()
}

// writer writes entries whose data begin at multiples of alignment.
type writer struct {
	zip *zip.Writer
	at  int64 // bytes written
}

func (w *writer) text(name, content string) error {
	return w.entry(name, func(dst io.Writer) error {
		_, err := io.WriteString(dst, content)
		return err
	})
}

func (w *writer) entry(name string, write func(io.Writer) error) error {
	sum := crc32.NewIEEE()
	size := counter{w: sum}
	if err := write(&size); err != nil {
		return err
	}
	h := &zip.FileHeader{Name: "archive/" + name, CRC32: sum.Sum32(), UncompressedSize64: uint64(size.n), CompressedSize64: uint64(size.n)}
	const fixed = 30 // bytes of a header before the name
	header := w.at + fixed + int64(len(h.Name)) + 4
	padding := int((alignment - header%alignment) % alignment)
	h.Extra = append([]byte{'F', 'B', byte(padding), 0}, bytes.Repeat([]byte{'Z'}, padding)...) // as PyTorch pads
	dst, err := w.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	if err := write(dst); err != nil {
		return err
	}
	w.at = header + int64(padding) + size.n
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Places in the memo of what comes often.
const (
	memoRebuild = iota
	memoStorage
	memoCPU
	memoOrderedDict
	memoClass
)

// pickler writes pickle protocol 2.
type pickler struct {
	bytes.Buffer
	seen map[string]byte // place in the memo
}

// encode returns the pickle of all but the data.
func encode(items []Item, metadata map[string]string) ([]byte, error) {
	p := &pickler{seen: map[string]byte{}}
	p.WriteString("\x80\x02")
	if len(metadata) > 0 {
		p.WriteString("}(")
		p.text("state_dict")
	}
	p.once("ccollections\nOrderedDict\n", memoOrderedDict)
	p.WriteString(")R(")
	for i, it := range items {
		if err := it.check(); err != nil {
			return nil, err
		}
		p.text(it.Name)
		p.tensor(i, it)
	}
	p.WriteByte('u')
	if len(metadata) > 0 {
		p.text("metadata")
		p.WriteString("}(")
		for _, k := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(k) || !utf8.ValidString(metadata[k]) {
				return nil, fmt.Errorf("metadata %q: %q is not UTF-8", k, metadata[k])
			}
			p.text(k)
			p.text(metadata[k])
		}
		p.WriteString("uu")
	}
	p.WriteByte('.')
	return p.Bytes(), nil
}

func (it Item) check() error {
	if !utf8.ValidString(it.Name) {
		return fmt.Errorf("the name %q is not UTF-8", it.Name)
	}
	if classes[it.Dtype] == "" {
		return fmt.Errorf("tensor %q of type %s: only F32, F16 and BF16 are written", it.Name, it.Dtype)
	}
	return nil
}

// tensor writes the call that rebuilds a tensor.
func (p *pickler) tensor(i int, it Item) {
	n := int64(1)
	stride := make([]int64, len(it.Shape))
	for k := len(it.Shape) - 1; k >= 0; k-- {
		stride[k] = n
		n *= int64(it.Shape[k])
	}
	p.once("ctorch._utils\n_rebuild_tensor_v2\n", memoRebuild)
	p.WriteString("((")
	p.once("X\x07\x00\x00\x00storage", memoStorage)
	p.once("ctorch\n"+classes[it.Dtype]+"\n", memoClass+byte(slices.Index([]string{"F32", "F16", "BF16"}, it.Dtype)))
	p.text(strconv.Itoa(i))
	p.once("X\x03\x00\x00\x00cpu", memoCPU)
	p.number(n)
	p.WriteString("tQK\x00(")
	for _, d := range it.Shape {
		p.number(int64(d))
	}
	p.WriteString("t(")
	for _, s := range stride {
		p.number(s)
	}
	p.WriteString("t\x89")
	p.once("ccollections\nOrderedDict\n", memoOrderedDict)
	p.WriteString(")RtR")
}

// once writes the opcodes of a value at their first use, and fetches it from the memo later.
func (p *pickler) once(opcodes string, place byte) {
	if _, ok := p.seen[opcodes]; ok {
		p.Write([]byte{'h', place})
		return
	}
	p.seen[opcodes] = place
	p.WriteString(opcodes)
	p.Write([]byte{'q', place})
}

func (p *pickler) text(s string) {
	p.WriteByte('X')
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
	p.WriteString(s)
}

func (p *pickler) number(n int64) {
	if n <= math.MaxInt32 {
		p.WriteByte('J')
		p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		return
	}
	p.Write([]byte{0x8a, 8}) // LONG1
	p.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}
