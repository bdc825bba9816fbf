package dataset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestIDXFaults(t *testing.T) {
	images, labels := idxNames[0], idxNames[1]
	files := idxFolder()
	good, goodLabels := files[images], files[labels]
	packed := gzipped(t, good)
	edit := func(data []byte, at int, b ...byte) []byte {
		out := bytes.Clone(data)
		copy(out[at:], b)
		return out
	}
	flipped := bytes.Clone(packed) // the checksum is in the last 8 bytes
	flipped[len(flipped)-6] ^= 1
	testFaults(t, "mnist", files, []fault{
		{"empty", images, []byte{}, 0, "want an idx header of 16 bytes"},
		{"header truncated", images, good[:10], 10, "byte 10: the file ends, want an idx header of 16 bytes"},
		{"data truncated", images, good[:len(good)-1], int64(len(good) - 1), "want 1 more bytes: the header says 3 items of 784 bytes"},
		{"data missing", images, good[:16], 16, "want 2352 more bytes"},
		{"oversized", images, append(bytes.Clone(good), 0), int64(len(good)), "want the end of the file after 3 items"},
		{"labels for images", images, goodLabels, 0, "magic number 0x00000801, want 0x00000803"},
		{"images for labels", labels, good, 0, "magic number 0x00000803, want 0x00000801"},
		{"wrong element type", images, edit(good, 2, 0x0d), 0, "magic number 0x00000d03"},
		{"other file", images, []byte("<html>not found</html>"), 0, "magic number 0x3c68746d"},
		{"no items", images, edit(good, 4, 0, 0, 0, 0), 4, "0 items, want at least 1"},
		{"wrong rows", images, edit(good, 8, 0, 0, 0, 32), 8, "32 rows, want 28"},
		{"wrong columns", images, edit(good, 12, 0, 0, 0, 32), 12, "32 columns, want 28"},
		{"hostile columns", images, edit(good, 12, 255, 255, 255, 255), 12, "4294967295 columns, want 28"},
		{"hostile count", images, edit(good, 4, 255, 255, 255, 255), 4, "4294967295 items of 784 bytes, want at most 268435456 bytes"},
		{"too large a count", images, edit(good, 4, 0, 0, 255, 0), int64(len(good)), "the header says 65280 items"},
		{"hostile label count", labels, edit(goodLabels, 4, 255, 255, 255, 255), 4, "4294967295 items of 1 bytes"},
		{"fewer labels", labels, idx([]byte{0, 9}, 2), 4, "2 labels, want 3, one for each image"},
		{"more labels", labels, idx([]byte{0, 9, 4, 4}, 4), 4, "4 labels, want 3, one for each image"},
		{"label out of range", labels, edit(goodLabels, 9, 10), 9, "byte 9: label 10 of image 1, want 0 to 9"},
		{"labels truncated", labels, goodLabels[:9], 9, "want 2 more bytes"},
		{"gzip header damaged", images, []byte("\x1f\x8b\x00rubbish rubbish"), 0, "gzip"},
		{"gzip truncated", images, packed[:len(packed)/2], -1, "of the decompressed data: the file ends"},
		{"gzip without its end", images, packed[:len(packed)-4], int64(len(good)), "unexpected EOF"},
		{"gzip checksum wrong", images, flipped, int64(len(good)), "of the decompressed data: cannot be read further, want the rest of the file: gzip: invalid checksum"},
		{"gzip of labels", images, gzipped(t, goodLabels), 0, "of the decompressed data: magic number"},
		{"gzip header truncated", images, gzipped(t, good[:7]), 7, "want an idx header"},
		{"gzip header damaged inside", images, packed[:12], -1, "byte 0 of the decompressed data"},
		{"images missing", images, nil, -1, images},
		{"labels missing", labels, nil, -1, labels},
		{"test images missing", idxNames[2], nil, -1, idxNames[2]},
		{"test labels missing", idxNames[3], nil, -1, idxNames[3]},
		{"test label out of range", idxNames[3], idx([]byte{7, 200}, 2), 9, "label 200 of image 1"},
	})
}

func TestFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	idxFolder().with(idxNames[2], nil).write(t, dir)
	if err := os.Mkdir(filepath.Join(dir, idxNames[2]), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("mnist", Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), idxNames[2]+": want a regular file") {
		t.Errorf("error %v", err)
	}
}

func TestFileTooLarge(t *testing.T) {
	dir := t.TempDir()
	idxFolder().write(t, dir)
	name := filepath.Join(dir, idxNames[0])
	if err := os.Truncate(name, maxBytes+1); err != nil { // sparse
		t.Fatal(err)
	}
	_, err := Open("mnist", Config{Dir: dir})
	var format *FormatError
	if !errors.As(err, &format) || format.Offset != maxBytes || !strings.Contains(err.Error(), "268435457 bytes in all, want at most 268435456") {
		t.Errorf("error %v", err)
	}
}

// A header may promise anything: memory must follow the bytes that are there.
func TestHostileHeaderAllocatesLittle(t *testing.T) {
	header := idx(nil, maxBytes/784, 28, 28)
	for name, content := range map[string][]byte{"plain": header, "gzip": gzipped(t, header)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		src, err := newSource(name, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = parseIDX(src, 28, 28)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(content))
		}
	}
}

func FuzzIDX(f *testing.F) {
	files := idxFolder()
	for _, content := range files {
		f.Add(content, 28, 28)
		f.Add(content[:len(content)/2], 28, 28)
		f.Add(gzipped(f, content), 28, 28)
		f.Add(gzipped(f, content)[:30], 28, 28)
	}
	f.Add(idx([]byte{1, 2}, 2), 0, 0)
	f.Add(idx(nil, 1<<31, 28, 28), 28, 28)
	f.Add(idx(make([]byte, 12), 3, 2, 2), 2, 2)
	f.Fuzz(func(t *testing.T, content []byte, rows, columns int) {
		var item []int
		if rows > 0 && columns > 0 && rows < 1000 && columns < 1000 {
			item = []int{rows, columns}
		}
		src, err := newSource("fuzz", bytes.NewReader(content))
		if err != nil {
			return
		}
		src.limit = 1 << 20
		n, data, err := parseIDX(src, item...)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || format.File != "fuzz" || format.Offset < 0 || n != 0 || data != nil {
				t.Fatalf("%d, %d bytes, error %v", n, len(data), err)
			}
			return
		}
		size := 1
		for _, d := range item {
			size *= d
		}
		if n < 1 || len(data) != n*size {
			t.Fatalf("%d items of %d bytes, but %d bytes", n, size, len(data))
		}
		again := idx(data, append([]uint32{uint32(n)}, unsigned(item)...)...)
		if !src.compressed && !bytes.Equal(again, content) {
			t.Fatal("the file was read, but writing it again gives another one")
		}
	})
}

func unsigned(values []int) []uint32 {
	var out []uint32
	for _, v := range values {
		out = append(out, uint32(v))
	}
	return out
}
