package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/internal/safetensors"
)

// Formats of files.
const (
	Zip    = "PyTorch zip"
	Legacy = "PyTorch legacy" // of torch.save before 1.6, or with _use_new_zipfile_serialization=False
)

// File is an open file. Data of tensors are read by [File.Read] alone.
type File struct {
	Format string
	Zipped bool // the file lies in a zip archive of its own, as those of pytorchcv do
	Root   any  // the object that was saved

	budget *budget
}

// Is tells whether a file that begins with these bytes, 8 at least, can be one of torch.save.
func Is(start []byte) bool {
	return bytes.HasPrefix(start, []byte("PK\x03\x04")) || len(start) > 1 && start[0] == 0x80 && start[1] <= 5
}

// Open reads the object of a file of size bytes. What it says about tensors is checked, their data are not read. r must
// stay open as long as data are read.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var start [262]byte
	n, err := r.ReadAt(start[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	f := &File{budget: newBudget(size)}
	switch {
	case bytes.HasPrefix(start[:n], []byte("PK")):
		err = f.openZip(r, size)
	case n == len(start) && bytes.HasPrefix(start[257:], []byte("ustar")):
		err = errors.New("this is a tar archive, as PyTorch wrote before version 0.1.10; load and save it with a later version")
	default:
		err = f.openLegacy(r, size)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// openZip opens an archive of torch.save, or one that holds a single file of torch.save.
func (f *File) openZip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("a zip archive that is damaged or incomplete: %w", err)
	}
	if err := f.budget.take(512 * int64(len(z.File))); err != nil {
		return err
	}
	a := archive{r: r, size: size, entries: make(map[string]*zip.File, len(z.File)), budget: f.budget}
	for _, e := range z.File {
		if a.entries[e.Name] != nil {
			return fmt.Errorf("a zip archive with two entries called %s", clip(e.Name))
		}
		a.entries[e.Name] = e
		if a.prefix == "" && path.Base(e.Name) == "data.pkl" && strings.Count(e.Name, "/") == 1 {
			a.prefix = strings.TrimSuffix(e.Name, "data.pkl")
		}
	}
	if a.entries[a.prefix+"data.pkl"] == nil {
		return f.openInner(&a, z.File)
	}
	f.Format = Zip
	f.Root, err = a.load()
	return err
}

// openInner opens the only weights that lie in an archive.
func (f *File) openInner(a *archive, entries []*zip.File) error {
	var inner *zip.File
	for _, e := range entries {
		if !slices.Contains([]string{".pth", ".pt", ".ckpt", ".bin"}, path.Ext(e.Name)) || strings.HasPrefix(e.Name, "__MACOSX") {
			continue
		}
		if inner != nil {
			return fmt.Errorf("a zip archive with both %s and %s: unpack the one that is meant", clip(inner.Name), clip(e.Name))
		}
		inner = e
	}
	if inner == nil || f.Zipped {
		return errors.New("a zip archive without the data.pkl that torch.save writes")
	}
	content, err := a.read(inner)
	if err != nil {
		return err
	}
	f.Zipped = true
	r, size := bytes.NewReader(content), int64(len(content))
	if bytes.HasPrefix(content, []byte("PK")) {
		return f.openZip(r, size)
	}
	return f.openLegacy(r, size)
}

// An archive is a zip file that torch.save wrote.
type archive struct {
	r       io.ReaderAt
	size    int64
	entries map[string]*zip.File
	prefix  string // of all names, "archive/" or what the file was called
	budget  *budget
}

func (a *archive) load() (any, error) {
	if a.entries[a.prefix+"constants.pkl"] != nil {
		return nil, errors.New("this is a TorchScript program, which is code; in Python, save net.state_dict()")
	}
	if e := a.entries[a.prefix+"byteorder"]; e != nil {
		order, err := a.read(e)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("numbers are in byte order %q; only little is read", clip(string(order)))
		}
	}
	pickle, err := a.read(a.entries[a.prefix+"data.pkl"])
	if err != nil {
		return nil, err
	}
	storages := storages{}
	return unpickle(newSource(bytes.NewReader(pickle), int64(len(pickle)), a.budget), func(id []any) (any, error) {
		return storages.get(id, a.budget, func(s *Storage) error {
			name := a.prefix + "data/" + s.key
			e := a.entries[name]
			if e == nil {
				return fmt.Errorf("the archive lacks %s", clip(name))
			}
			if e.UncompressedSize64 != uint64(s.bytes) {
				return fmt.Errorf("%s has %d bytes, its storage %d", clip(name), e.UncompressedSize64, s.bytes)
			}
			s.open = func() ([]byte, error) { return a.read(e) }
			return nil
		})
	})
}

// read returns the bytes of an entry.
func (a *archive) read(e *zip.File) ([]byte, error) {
	if err := a.budget.take(int64(min(e.UncompressedSize64, 1<<62))); err != nil { // entries may overlap
		return nil, fmt.Errorf("%s: %w", clip(e.Name), err)
	}
	if e.Method != zip.Store {
		r, err := e.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", clip(e.Name), err)
		}
		defer r.Close()
		b := make([]byte, e.UncompressedSize64)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, fmt.Errorf("%s: %w", clip(e.Name), noEOF(err))
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // its end is where the checksum is compared
			return nil, fmt.Errorf("%s: %w", clip(e.Name), err)
		}
		return b, nil
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clip(e.Name), err)
	}
	n := e.UncompressedSize64
	if n != e.CompressedSize64 || at < 0 || at > a.size || n > uint64(a.size-at) {
		return nil, fmt.Errorf("%s: %d bytes from byte %d on are not in a file of %d", clip(e.Name), n, at, a.size)
	}
	b := make([]byte, n)
	if m, err := a.r.ReadAt(b, at); m < len(b) {
		return nil, fmt.Errorf("%s: %w", clip(e.Name), noEOF(err))
	}
	// PyTorch writes 0 where torch.serialization.set_crc32_options(False) was called.
	if sum := crc32.ChecksumIEEE(b); sum != e.CRC32 && e.CRC32 != 0 {
		return nil, fmt.Errorf("%s: checksum %08x, want %08x: the file is damaged", clip(e.Name), sum, e.CRC32)
	}
	return b, nil
}

// storages are those of a file by key.
type storages map[string]*Storage

// get returns the storage of a persistent id, ("storage", class, key, location, number of elements, ...). A new one is
// handed to found first.
func (known storages) get(id []any, b *budget, found func(*Storage) error) (*Storage, error) {
	if len(id) < 5 {
		return nil, fmt.Errorf("a storage is named by %d values, want 5 or more", len(id))
	}
	what, ok1 := id[0].(string)
	class, ok2 := id[1].(Global)
	key, ok3 := id[2].(string)
	n, ok4 := id[4].(int64)
	w := width(dtypes[class])
	if untyped[class] {
		w = 1
	}
	if !ok1 || what != "storage" || !ok2 || w == 0 || !ok3 || !ok4 || n < 0 || n > 1<<56/w {
		return nil, fmt.Errorf("a storage is named by %s, %s, %s and %s", kind(id[0]), kind(id[1]), kind(id[2]), kind(id[4]))
	}
	if s := known[key]; s != nil {
		if s.class != class || s.bytes != n*w {
			return nil, fmt.Errorf("storage %s has two types or sizes", clip(key))
		}
		return s, nil
	}
	if err := b.take(256); err != nil {
		return nil, err
	}
	s := &Storage{key: key, class: class, bytes: n * w}
	if err := found(s); err != nil {
		return nil, err
	}
	known[key] = s
	return s, nil
}

// The numbers that a legacy file begins with.
const (
	legacyMagic    = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" // 0x1950a86a20f9469cfc6c
	legacyProtocol = 1001
)

// openLegacy opens a file of pickles (magic number, version, machine, object, keys of storages) that storages follow,
// each after its number of elements.
func (f *File) openLegacy(r io.ReaderAt, size int64) error {
	s := newSource(r, size, f.budget)
	magic, err := unpickle(s, nil)
	if err != nil {
		return err
	}
	if magic != bigInt(legacyMagic) {
		return fmt.Errorf("a pickle of %s that torch.save did not write", kind(magic))
	}
	version, err := unpickle(s, nil)
	if err != nil {
		return err
	}
	if version != int64(legacyProtocol) {
		return fmt.Errorf("a version of PyTorch's legacy format other than %d", legacyProtocol)
	}
	sys, err := unpickle(s, nil)
	if err != nil {
		return err
	}
	if d, ok := sys.(*Dict); ok {
		if little, ok := d.Get("little_endian"); ok && little != true {
			return errors.New("numbers are in byte order big; only little is read")
		}
	}
	known := storages{}
	f.Format = Legacy
	f.Root, err = unpickle(s, func(id []any) (any, error) {
		if len(id) > 5 && id[5] != nil {
			return nil, errors.New("a storage is a view of another, as PyTorch wrote before version 0.4; load and save the file with a later version")
		}
		return known.get(id, f.budget, func(*Storage) error { return nil })
	})
	if err != nil {
		return err
	}
	keys, err := unpickle(s, nil)
	if err != nil {
		return err
	}
	l, ok := keys.(*List)
	if !ok {
		return fmt.Errorf("storages are listed by %s, want a list", kind(keys))
	}
	return known.locate(s, l.Items)
}

// locate finds where the storages lie that come in the order of keys.
func (known storages) locate(s *source, keys []any) error {
	for _, k := range keys {
		key, _ := k.(string)
		st := known[key]
		if st == nil || st.open != nil {
			return fmt.Errorf("storage %s comes twice, or belongs to no tensor", clip(key))
		}
		n, err := s.number(8)
		if err != nil {
			return err
		}
		w := max(1, width(dtypes[st.class]))
		if n != uint64(st.bytes/w) {
			return fmt.Errorf("storage %s has %d elements, want %d", clip(key), n, st.bytes/w)
		}
		at := s.at
		if err := s.skip(st.bytes); err != nil {
			return fmt.Errorf("storage %s: %w", clip(key), err)
		}
		st.open = func() ([]byte, error) {
			b := make([]byte, st.bytes)
			if m, err := s.file.ReadAt(b, at); m < len(b) {
				return nil, noEOF(err)
			}
			return b, nil
		}
	}
	for key, st := range known {
		if st.open == nil {
			return fmt.Errorf("the file lacks storage %s", clip(key))
		}
	}
	return nil
}

// width returns the bytes of an element, 0 for an unknown type.
func width(dtype string) int64 {
	if dtype == "C128" {
		return 16
	}
	return safetensors.Width(dtype)
}

// Read hands the data of each tensor to use, as little-endian bytes in row-major order, those of one storage after
// each other and otherwise in the given order. The bytes are only for the duration of the call.
func (f *File) Read(tensors []*Tensor, use func(i int, data []byte) error) error {
	var order []*Storage
	of := map[*Storage][]int{}
	for i, t := range tensors {
		// A float32 of each element is what most callers make.
		if err := f.budget.take(max(4, width(t.Dtype)) * int64(t.Len())); err != nil {
			return err
		}
		if of[t.Storage] == nil {
			order = append(order, t.Storage)
		}
		of[t.Storage] = append(of[t.Storage], i)
	}
	for _, s := range order {
		data, err := s.open()
		if err != nil {
			return err
		}
		for _, i := range of[s] {
			if err := use(i, tensors[i].gather(data)); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather returns the tensor's elements, in row-major order, of its storage's bytes.
func (t *Tensor) gather(data []byte) []byte {
	w, n := int(width(t.Dtype)), t.Len()
	if n == 0 {
		return nil
	}
	if t.contiguous() {
		return data[t.Offset*w : (t.Offset+n)*w]
	}
	out := make([]byte, 0, n*w)
	index := make([]int, len(t.Shape))
	for at := t.Offset; ; {
		out = append(out, data[at*w:(at+1)*w]...)
		i := len(index) - 1
		for ; i >= 0; i-- {
			index[i]++
			at += t.Stride[i]
			if index[i] < t.Shape[i] {
				break
			}
			at -= index[i] * t.Stride[i]
			index[i] = 0
		}
		if i < 0 {
			return out
		}
	}
}

func (t *Tensor) contiguous() bool {
	stride := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.Stride[i] != stride {
			return false
		}
		stride *= t.Shape[i]
	}
	return true
}
