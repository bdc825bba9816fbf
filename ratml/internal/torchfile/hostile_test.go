package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// samples are the files that torch.save wrote.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	dir := filepath.Join("..", "..", "weights", "testdata")
	names, err := fs.Glob(os.DirFS(dir), "*.p*")
	require.NoError(t, err)
	for _, name := range append(names, "mixed_lightning.ckpt") {
		if filepath.Ext(name) == ".py" || name == "smallcnn.pth" {
			continue
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
	}
	require.Greater(t, len(files), 15)
	return files
}

// readAll reads a file as a user of the package does, all tensors that are anywhere in it.
func readAll(file []byte) (tensors int, err error) {
	f, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return 0, err
	}
	seen := map[any]bool{}
	var all []*Tensor
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > 50 {
			return
		}
		switch v := v.(type) {
		case *Tensor:
			all = append(all, v)
		case *Dict:
			if !seen[v] {
				seen[v] = true
				for _, e := range v.Entries {
					walk(e.Value, depth+1)
				}
			}
		case *List:
			if !seen[v] {
				seen[v] = true
				for _, i := range v.Items {
					walk(i, depth+1)
				}
			}
		}
	}
	walk(f.Root, 0)
	err = f.Read(all, func(i int, data []byte) error {
		if len(data) != all[i].Len()*int(width(all[i].Dtype)) {
			return fmt.Errorf("%d bytes for shape %v of %s", len(data), all[i].Shape, all[i].Dtype)
		}
		return nil
	})
	return len(all), err
}

// bounded fails the test where reading a file allocates more than twice what the package's documentation says it ever
// holds: what slices leave behind when they grow counts too.
func bounded(t testing.TB, file []byte) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readAll(file)
	runtime.ReadMemStats(&after)
	if n, most := after.TotalAlloc-before.TotalAlloc, uint64(2*(16*len(file)+1<<20)); n > most {
		t.Fatalf("a file of %d bytes allocated %d, over %d (%v)", len(file), n, most, err)
	}
	return err
}

// archiveOf returns a zip file as torch.save writes it, of a pickle and storages of the given bytes.
func archiveOf(t testing.TB, method uint16, pickle string, storages ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, content string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
	}
	add("data.pkl", pickle)
	add("byteorder", "little")
	for i, s := range storages {
		add(fmt.Sprintf("data/%d", i), s)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// tensor is the pickle of a tensor of a storage of n floats.
func tensor(n int, offset, shape, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") +
		number(n) + "tQ" + offset + "(" + shape + "t(" + stride + "t\x89}tR"
}

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func numbers(n ...int) string {
	s := ""
	for _, v := range n {
		s += number(v)
	}
	return s
}

func TestHostilePickles(t *testing.T) {
	floats := strings.Repeat("\x00\x00\x80\x3f", 6)
	one := func(n int, offset, shape, stride string) string {
		return "\x80\x02" + tensor(n, offset, shape, stride) + "."
	}
	for _, c := range []struct {
		name, pickle, want string
		legacyToo          bool
	}{
		{"empty", "", "unexpected EOF", true},
		{"nothing but stop", ".", "stack", true},
		{"opcode 255", "\xff.", "opcode 0xff", true},
		{"protocol 6", "\x80\x06.", "protocol 6", true},
		{"LONG1 without bytes", "\x8a\x00.", "", false},
		{"LONG4 of 2 GiB", "\x8b\xff\xff\xff\x7f1", "claimed", true},
		{"LONG4 of -1", "\x8b\xff\xff\xff\xff1", "claimed", true},
		{"BINUNICODE of 4 GiB", "X\xff\xff\xff\xffa.", "claimed", true},
		{"BINBYTES of 4 GiB", "B\xff\xff\xff\xffa.", "claimed", true},
		{"BINBYTES8 of 2^63", "\x8e\x00\x00\x00\x00\x00\x00\x00\x80a.", "claimed", true},
		{"BINBYTES8 of 2^64-1", "\x8e\xff\xff\xff\xff\xff\xff\xff\xffa.", "claimed", true},
		{"BINUNICODE8 of 2^62", "\x8d\x00\x00\x00\x00\x00\x00\x00\x40a.", "claimed", true},
		{"BYTEARRAY8 of 2^40", "\x96\x00\x00\x00\x00\x00\x01\x00\x00a.", "claimed", true},
		{"frame of 2^64-1", "\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "", false},
		{"memo that was not set", "h\x07.", "memorised as 7", true},
		{"mark that was not set", "t.", "mark", true},
		{"tuple below a mark", "N(\x85.", "stack", true},
		{"pop of a mark", "(0.", "stack", true},
		{"dict without value", "(Nd.", "no value", true},
		{"items of a number", "K\x01(K\x02e.", "appended to a number", true},
		{"appended to a number", "K\x01Na.", "appended to a number", true},
		{"set in a list", "](NNu.", "set in a list", true},
		{"call of a number", "K\x01)R.", "a number is called", true},
		{"call of a type", "ctorch\nfloat32\n)R.", "torch.float32 is called", true},
		{"os.system", "cos\nsystem\n(" + text("true") + "tR.", "asks for os.system, which is neither", true},
		{"os.system by name on the stack", text("os") + text("system") + "\x93.", "asks for os.system", true},
		{"builtins.eval", "c__builtin__\neval\n.", "asks for builtins.eval", true},
		{"extension", "\x82\x01.", "opcode 0x82", true},
		{"INST", "(ios\nsystem\n.", "opcode 0x69", true},
		{"persistent id as text", "Pstorage\n.", "opcode 0x50", true},
		{"persistent id of a number", "K\x01Q.", "a number stands for a storage", true},
		{"storage of two values", "(NNtQ.", "named by 2 values", true},
		{"storage of no type", "(" + text("storage") + "NNNNtQ.", "a storage is named by", true},
		{"endless line", "c" + strings.Repeat("a", 5000), "line of over", true},
		{"control characters in a global", "ca\x1b[31m\nb\n.", "asks for a?[31m.b", true},
		{"list in itself", "]q\x00h\x00a.", "", false},
		{"list in itself is called", "]q\x00h\x00ah\x00)R.", "a list is called", true},
		{"dict in itself is a storage", "}q\x00(Nh\x00u0h\x00Q.", "stands for a storage", true},
		{"deep", strings.Repeat("(", 100000) + strings.Repeat("t", 100000) + ".", "16 times", false},
		{"memo bomb", "]" + bomb(30) + ".", "", false},
		{"lists that double", "]" + strings.Repeat("2\x85cbuiltins\nlist\nq\x000h\x00", 3) + ".", "", false},

		{"negative offset", one(6, number(-1), numbers(1), numbers(1)), "begins at element -1", false},
		{"offset outside", one(6, number(7), numbers(0), numbers(1)), "begins at element 7", false},
		{"largest offset", one(6, number(1<<62), numbers(1), numbers(1)), "begins at element", false},
		{"negative dimension", one(6, number(0), numbers(-2, -3), numbers(3, 1)), "strides", false},
		{"negative stride", one(6, number(5), numbers(6), numbers(-1)), "strides [-1]", false},
		{"shape outside", one(6, number(0), numbers(7), numbers(1)), "ends outside", false},
		{"stride outside", one(6, number(0), numbers(2, 3), numbers(4, 1)), "ends outside", false},
		{"stride that overflows", one(6, number(0), numbers(3), numbers(1<<62)), "ends outside", false},
		{"shape that overflows", one(6, number(0), numbers(1<<40, 1<<40), numbers(0, 0)), "too large", false},
		{"expanded to 4 TiB", one(6, number(0), numbers(1<<40), numbers(0)), "16 times", false},
		{"no strides", one(6, number(0), numbers(6), ""), "a tensor is made of", false},
		{"65 dimensions", one(6, number(0), numbers(make([]int, 65)...), numbers(make([]int, 65)...)), "a tensor is made of", false},
		{"fraction as a dimension", one(6, number(0), "G\x40\x08\x00\x00\x00\x00\x00\x00", numbers(1)), "a tensor is made of", false},
		{"larger storage", one(7, number(0), numbers(1), numbers(1)), "has 24 bytes, its storage 28", false},
		{"negative storage", one(-1, number(0), numbers(1), numbers(1)), "a storage is named by", false},
		{"storage of 2^62", one(1<<62, number(0), numbers(1), numbers(1)), "a storage is named by", false},
		{"two types of a storage", "(" + tensor(6, number(0), numbers(6), numbers(1)) +
			strings.Replace(tensor(3, number(0), numbers(3), numbers(1)), "Float", "Double", 1) + "t.", "two types", false},
		{"storage that is not there", strings.Replace(one(6, number(0), numbers(6), numbers(1)), text("0"), text("1"), 1), "lacks archive/data/1", false},
		{"storage outside the archive", strings.Replace(one(6, number(0), numbers(6), numbers(1)), text("0"), text("../byteorder"), 1), "lacks archive/data/../byteorder", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := [][]byte{archiveOf(t, zip.Store, c.pickle, floats), archiveOf(t, zip.Deflate, c.pickle, floats)}
			if c.legacyToo {
				files = append(files, []byte(legacyStart+c.pickle))
			}
			for _, f := range files {
				err := bounded(t, f)
				if c.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.want)
				}
			}
		})
	}
}

// bomb appends to a list a tuple of ten of what it holds, again and again: 10^n values, if they were copied or printed.
func bomb(n int) string {
	s := "]q\x00"
	for i := range n {
		s += "(" + strings.Repeat("h"+string(rune(i)), 10) + "lq" + string(rune(i+1))
	}
	return s
}

// legacyStart is what a file of the old format begins with.
var legacyStart = "\x80\x02\x8a\x0a" + legacyMagic + ".\x80\x02M\xe9\x03.\x80\x02}."

func TestHostileLegacy(t *testing.T) {
	object := func(n int) string {
		return strings.Replace(tensor(n, number(0), numbers(n), numbers(1)), "tQ", "NtQ", 1) + "."
	}
	keys := func(k ...string) string {
		s := "]("
		for _, v := range k {
			s += text(v)
		}
		return s + "e."
	}
	size := func(n int) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
	for _, c := range []struct{ name, file, want string }{
		{"good", legacyStart + object(2) + keys("0") + size(2) + "12345678", ""},
		{"magic alone", legacyStart[:14], "EOF"},
		{"other magic", "\x80\x02\x8a\x0a0123456789.", "torch.save did not write"},
		{"other version", "\x80\x02\x8a\x0a" + legacyMagic + ".\x80\x02M\xea\x03.", "other than 1001"},
		{"big-endian", strings.Replace(legacyStart, "}.", "}"+text("little_endian")+"\x89s.", 1) + object(2), "byte order big"},
		{"no keys", legacyStart + object(2) + "K\x01.", "want a list"},
		{"key of nothing", legacyStart + object(2) + keys("0", "1") + size(2) + "12345678" + size(0), "storage 1 comes twice, or belongs to no tensor"},
		{"key twice", legacyStart + object(2) + keys("0", "0") + size(2) + "12345678", "comes twice"},
		{"storage missing", legacyStart + object(2) + keys(), "lacks storage 0"},
		{"other size", legacyStart + object(2) + keys("0") + size(3) + "12345678", "has 3 elements, want 2"},
		{"negative size", legacyStart + object(2) + keys("0") + size(-1) + "12345678", "want 2"},
		{"short data", legacyStart + object(2) + keys("0") + size(2) + "1234567", "EOF"},
		{"claims 1 TiB", legacyStart + object(1<<38) + keys("0") + size(1<<38) + "1234567", "EOF"},
		{"view", legacyStart + strings.Replace(object(2), "NtQ", ")tQ", 1), "view of another"},
		{"tar", strings.Repeat("\x00", 257) + "ustar", "tar archive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := bounded(t, []byte(c.file))
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

// TestBombs reads archives that unpack to far more than they are, and entries that claim what is not there.
func TestBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 64<<20)
	err := bounded(t, archiveOf(t, zip.Deflate, "\x80\x02"+tensor(16<<20, number(0), numbers(16<<20), numbers(1))+".", zeros))
	require.ErrorContains(t, err, "16 times")
	err = bounded(t, archiveOf(t, zip.Deflate, zeros, "")) // a pickle
	require.ErrorContains(t, err, "16 times")

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("model.pth")
	require.NoError(t, err)
	_, err = w.Write([]byte(zeros))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.ErrorContains(t, bounded(t, b.Bytes()), "16 times")

	// An archive that holds itself, as far as its name says, and one in one in one.
	inner := samples(t)["mixed.pth"]
	for depth, want := range []string{"", "without the data.pkl"} {
		b.Reset()
		z := zip.NewWriter(&b)
		w, err := z.Create("model.pth")
		require.NoError(t, err)
		_, err = w.Write(inner)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		inner = bytes.Clone(b.Bytes())
		if err := bounded(t, inner); want == "" {
			require.NoError(t, err, depth)
		} else {
			require.ErrorContains(t, err, want)
		}
	}

	// Entries that overlap: a hundred storages of the same megabyte.
	pickle, data := "\x80\x02(", strings.Repeat("\x01", 1<<20)
	for i := range 100 {
		pickle += strings.Replace(tensor(1<<18, number(0), numbers(1<<18), numbers(1)), text("0"), text(fmt.Sprint(i)), 1)
	}
	b.Reset()
	z = zip.NewWriter(&b)
	raw := func(name, content string) int {
		w, err := z.CreateRaw(&zip.FileHeader{Name: "a/" + name, CRC32: crc32.ChecksumIEEE([]byte(content)),
			UncompressedSize64: uint64(len(content)), CompressedSize64: uint64(len(content))})
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
		require.NoError(t, z.Flush())
		return b.Len()
	}
	raw("data.pkl", pickle+"t.")
	at := b.Len()
	raw("data/0", data)
	for i := 1; i < 100; i++ {
		raw(fmt.Sprintf("data/%d", i), "")
	}
	require.NoError(t, z.Close())
	file := b.Bytes()
	// Every entry of the directory points to the first storage, as if it were its own.
	end := len(file) - 22
	for p := int(binary.LittleEndian.Uint32(file[end+16:])); p < end; {
		n := int(binary.LittleEndian.Uint16(file[p+28:]))
		if strings.HasPrefix(string(file[p+46:p+46+n]), "a/data/") {
			binary.LittleEndian.PutUint32(file[p+16:], crc32.ChecksumIEEE([]byte(data)))
			binary.LittleEndian.PutUint32(file[p+20:], 1<<20)
			binary.LittleEndian.PutUint32(file[p+24:], 1<<20)
			binary.LittleEndian.PutUint32(file[p+42:], uint32(at))
		}
		p += 46 + n + int(binary.LittleEndian.Uint16(file[p+30:]))
	}
	require.ErrorContains(t, bounded(t, file), "16 times")
}

// TestOddArchives reads archives that no writer makes.
func TestOddArchives(t *testing.T) {
	pickle := "\x80\x02" + tensor(2, number(0), numbers(2), numbers(1)) + "."
	for _, c := range []struct {
		names []string
		more  uint64 // by which uncompressed data are said to be more than there are
		want  string
	}{
		{[]string{"a/data.pkl", "a/data/0"}, 0, ""},
		{[]string{"a/data.pkl", "a/data/0", "a/data/0"}, 0, "two entries called a/data/0"},
		{[]string{"a/data.pkl", "a/data/0"}, 1, "are not in a file"},
		{[]string{"a/data.pkl", "a/data/0"}, 1 << 40, "16 times"},
		{[]string{"a/data.pkl"}, 0, "lacks a/data/0"},
		{[]string{"data.pkl", "data/0"}, 0, ""},
		{[]string{"a/b/data.pkl", "a/b/data/0"}, 0, "without the data.pkl"},
		{[]string{"a.pth", "b.pth"}, 0, "both a.pth and b.pth"},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i, name := range c.names {
			content := "12345678"
			if i == 0 {
				content = pickle
			}
			h := zip.FileHeader{Name: name, UncompressedSize64: uint64(len(content)), CompressedSize64: uint64(len(content))}
			if i == 0 {
				h.UncompressedSize64 += c.more
			}
			w, err := z.CreateRaw(&h)
			require.NoError(t, err)
			_, err = w.Write([]byte(content))
			require.NoError(t, err)
		}
		require.NoError(t, z.Close())
		if err := bounded(t, b.Bytes()); c.want == "" {
			require.NoError(t, err, "%v", c)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
}

// TestTruncated cuts every file of PyTorch at every 97th byte. What is left is refused; only an end that belongs to no
// tensor can be missing.
func TestTruncated(t *testing.T) {
	for name, file := range samples(t) {
		for n := 0; n < len(file); n += 97 {
			require.Error(t, bounded(t, file[:n]), "%s, %d of %d bytes", name, n, len(file))
		}
	}
}

// TestFlipped changes bits in files of PyTorch at every 13th byte, those of lengths among them, to what hurts most. A
// file may still be read, if by chance it is one, but no panic and no allocation by what it claims may come of it.
func TestFlipped(t *testing.T) {
	for _, name := range []string{"mixed.pth", "mixed_legacy.pth", "mixed_deflated.pth", "mixed_legacy_protocol4.pth", "mixed.pth.zip"} {
		file := samples(t)[name]
		rng := rand.New(rand.NewPCG(1, 2))
		for at := 0; at < len(file); at += 13 {
			for _, b := range []byte{0xff, 0x80, 0x7f, byte(rng.Uint32())} {
				bad := bytes.Clone(file)
				bad[at] = b
				_ = bounded(t, bad)
			}
		}
	}
}

// TestDamaged changes a value in a storage: the checksum tells.
func TestDamaged(t *testing.T) {
	file := bytes.Clone(samples(t)["mixed.pth"])
	at := bytes.Index(file, []byte{0, 0, 0x60, 0xbf}) // -0.875
	require.Positive(t, at)
	file[at]++
	_, err := readAll(file)
	require.ErrorContains(t, err, "the file is damaged")
}

func TestRefusedError(t *testing.T) {
	_, err := readAll(samples(t)["module.pth"])
	var refused *RefusedError
	require.True(t, errors.As(err, &refused))
	require.Equal(t, RefusedError{"torch.nn.modules.container.Sequential", true}, *refused)
}

// FuzzOpen reads anything.
func FuzzOpen(f *testing.F) {
	for _, file := range samples(f) {
		f.Add(file)
	}
	f.Add([]byte(legacyStart + "]."))
	f.Fuzz(func(t *testing.T, file []byte) {
		_ = bounded(t, file)
	})
}

// FuzzUnpickle reads any pickle, with a storage that it may ask for, which finds more than a fuzzer that must first
// learn to write zip files.
func FuzzUnpickle(f *testing.F) {
	for _, file := range samples(f) {
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			f.Add(file)
			continue
		}
		for _, e := range z.File {
			if strings.HasSuffix(e.Name, ".pkl") {
				r, err := e.Open()
				require.NoError(f, err)
				var b bytes.Buffer
				if _, err := b.ReadFrom(r); err != nil { // the file without checksums
					continue
				}
				f.Add(b.Bytes())
			}
		}
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		_ = bounded(t, archiveOf(t, zip.Store, string(pickle), strings.Repeat("\x00\x00\x80\x3f", 24), "\x00\x3c"))
	})
}
