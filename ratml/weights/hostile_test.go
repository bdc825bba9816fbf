package weights_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/weights"
)

// file returns a safetensors file of a header and n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func entry(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"dtype":%q,"shape":%s,"data_offsets":%s}`, dtype, shape, offsets)
}

func prefix(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

var hostile = []struct {
	name string
	file []byte
	want string // part of the error
}{
	{"empty", nil, "too few"},
	{"short", []byte("1234567"), "too few"},
	{"header longer than file", append(prefix(9), `{      }`...), "does not fit"},
	{"header of 2^64-1 bytes", append(prefix(1<<64-1), `{}`...), "does not fit"},
	{"header of 2^63 bytes", append(prefix(1<<63), `{}`...), "does not fit"},
	{"zip", []byte("PK\x03\x04 archive/data.pkl"), "zip archive"},
	{"no header", file("", 0), "start with"},
	{"leading blank", file(" {}", 0), "start with"},
	{"array", file("[]", 0), "start with"},
	{"not UTF-8", file("{\"\xff\":1}", 0), "UTF-8"},
	{"cut off", file(`{"a":{"dtype":"F32"`, 0), "EOF"},
	{"cut off in shape", file(`{"a":{"shape":[1,`, 0), "EOF"},
	{"text after", file(`{} {}`, 0), "follows"},
	{"no comma", file(`{"a":{} "b":{}}`, 0), "header"},
	{"entry is a number", file(`{"a":1}`, 0), "want an object"},
	{"entry is null", file(`{"a":null}`, 0), "want an object"},
	{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, 4), "want dtype, shape"},
	{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "want dtype, shape"},
	{"one offset", file(`{"a":`+entry("F32", "[1]", "[0]")+`}`, 4), "data_offsets"},
	{"three offsets", file(`{"a":`+entry("F32", "[1]", "[0,4,4]")+`}`, 4), "data_offsets"},
	{"unknown field", file(`{"a":{"dtype":"F32","shape":[0],"Shape":[0],"data_offsets":[0,0]}}`, 0), `unknown field "Shape"`},
	{"field twice", file(`{"a":{"dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0]}}`, 0), `"shape" comes twice`},
	{"dtype is a number", file(`{"a":{"dtype":4,"shape":[0],"data_offsets":[0,0]}}`, 0), "want a string"},
	{"dtype is null", file(`{"a":{"dtype":null,"shape":[0],"data_offsets":[0,0]}}`, 0), "want a string"},
	{"shape is null", file(`{"a":`+entry("F32", "null", "[0,4]")+`}`, 4), "want an array"},
	{"dimension is null", file(`{"a":`+entry("F32", "[null]", "[0,0]")+`}`, 0), "want an integer"},
	{"dimension is a fraction", file(`{"a":`+entry("F32", "[1.5]", "[0,6]")+`}`, 6), "want an integer"},
	{"dimension is a list", file(`{"a":`+entry("F32", "[[1]]", "[0,4]")+`}`, 4), "want an integer"},
	{"dimension of 2^63", file(`{"a":`+entry("F32", "[9223372036854775808]", "[0,4]")+`}`, 4), "want an integer"},
	{"name twice", file(`{"a":`+entry("F32", "[1]", "[0,4]")+`,"a":`+entry("F32", "[1]", "[4,8]")+`}`, 8), `"a" comes twice`},
	{"name twice, escaped", file(`{"a":`+entry("F32", "[1]", "[0,4]")+`,"\u0061":`+entry("F32", "[1]", "[4,8]")+`}`, 8), `"a" comes twice`},
	{"unknown dtype", file(`{"a":`+entry("F128", "[1]", "[0,16]")+`}`, 16), `unknown dtype "F128"`},
	{"dtype in another case", file(`{"a":`+entry("f32", "[1]", "[0,4]")+`}`, 4), `unknown dtype "f32"`},
	{"integers", file(`{"a":`+entry("I32", "[1]", "[0,4]")+`}`, 4), `"a" is of type I32`},
	{"counter with a shape", file(`{"num_batches_tracked":`+entry("I64", "[1]", "[0,8]")+`}`, 8), "is of type I64"},
	{"negative dimension", file(`{"a":`+entry("F32", "[-1]", "[0,4]")+`}`, 4), "negative dimension"},
	{"negative dimensions", file(`{"a":`+entry("F32", "[-1,-1]", "[0,4]")+`}`, 4), "negative dimension"},
	{"overflowing shape", file(`{"a":`+entry("F32", "[4294967296,4294967296]", "[0,0]")+`}`, 0), "too large"},
	{"shape that wraps to 4 bytes", file(`{"a":`+entry("F32", "[4611686018427387905]", "[0,4]")+`}`, 4), "too large"},
	{"size of another type", file(`{"a":`+entry("F64", "[1]", "[0,4]")+`}`, 4), "takes 8 bytes"},
	{"size of another shape", file(`{"a":`+entry("F32", "[2]", "[0,4]")+`}`, 4), "takes 8 bytes"},
	{"negative offset", file(`{"a":`+entry("F32", "[1]", "[-4,0]")+`}`, 4), "no range"},
	{"reversed offsets", file(`{"a":`+entry("F32", "[1]", "[4,0]")+`}`, 4), "no range"},
	{"out of range", file(`{"a":`+entry("F32", "[2]", "[0,8]")+`}`, 4), "data end at byte 8 of 4"},
	{"far out of range", file(`{"a":`+entry("F32", "[1000000000000]", "[0,4000000000000]")+`}`, 4), "data end at byte"},
	{"misaligned", file(`{"a":`+entry("U8", "[2]", "[0,2]")+`,"b":`+entry("F32", "[1]", "[2,6]")+`}`, 6), "not a multiple"},
	{"overlap", file(`{"a":`+entry("F32", "[2]", "[0,8]")+`,"b":`+entry("F32", "[2]", "[4,12]")+`}`, 12), "inside the tensor"},
	{"same data twice", file(`{"a":`+entry("F32", "[1]", "[0,4]")+`,"b":`+entry("F32", "[1]", "[0,4]")+`}`, 4), "inside the tensor"},
	{"hole at the start", file(`{"a":`+entry("F32", "[1]", "[4,8]")+`}`, 8), "belong to no tensor"},
	{"hole", file(`{"a":`+entry("F32", "[1]", "[0,4]")+`,"b":`+entry("F32", "[1]", "[8,12]")+`}`, 12), "belong to no tensor"},
	{"trailing bytes", file(`{"a":`+entry("F32", "[1]", "[0,4]")+`}`, 5), "1 bytes after the last tensor"},
	{"truncated", file(`{"a":`+entry("F32", "[2]", "[0,8]")+`}`, 7), "data end at byte 8 of 7"},
	{"metadata is a list", file(`{"__metadata__":[]}`, 0), "want an object"},
	{"metadata is a number", file(`{"__metadata__":{"a":1}}`, 0), "want a string"},
	{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), "comes twice"},
	{"metadata key twice", file(`{"__metadata__":{"a":"","a":""}}`, 0), "comes twice"},
	{"deep", file(`{"a":`+strings.Repeat(`{"a":`, 100_000)+`}`, 0), "unknown field"},
}

func TestHostileFiles(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hostile.safetensors")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			w, err := weights.Load(path)
			if err == nil {
				t.Fatalf("loaded %v", w.Names())
			}
			what, named := strings.CutPrefix(err.Error(), "weights: "+path+": ")
			if !named || !strings.Contains(what, c.want) {
				t.Errorf("error %v, want the path and %q", err, c.want)
			}
		})
	}
}

// TestHostileAllocation checks that sizes are believed only after they are checked.
func TestHostileAllocation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hostile.safetensors")
	var before, after runtime.MemStats
	for _, content := range [][]byte{
		append(prefix(90_000_000), `{}`...),
		file(`{"a":`+entry("F32", "[250000000]", "[0,1000000000]")+`}`, 4),
	} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&before)
		if _, err := weights.Load(path); err == nil {
			t.Error("no error")
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("allocated %d bytes", n)
		}
	}
}

// TestHeaderLimit reads a sparse file with a header larger than any that is accepted.
func TestHeaderLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.safetensors")
	if err := os.WriteFile(path, prefix(100_000_001), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 200_000_000); err != nil {
		t.Fatal(err)
	}
	if _, err := weights.Load(path); err == nil || !strings.Contains(err.Error(), "at most 100000000") {
		t.Errorf("error %v", err)
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := weights.Load(dir); err == nil || !strings.Contains(err.Error(), dir+" is not a file") {
		t.Errorf("loading a folder: %v", err)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := weights.Load(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("loading a missing file: %v", err)
	}
	if _, err := weights.Metadata(missing); err == nil {
		t.Error("metadata of a missing file")
	}
}
