package matfile

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// scipy is what testdata/matlab.py wrote.
func scipy(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return content
}

var files = []string{"compressed.mat", "plain.mat"}

func TestRead(t *testing.T) {
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			all, err := Read(bytes.NewReader(scipy(t, name)), "bytes", "doubles", "text", "table", "cells", "negative")
			require.NoError(t, err)
			got := map[string]*Array{}
			for _, a := range all {
				got[a.Name] = a
			}
			require.Equal(t, []int{2, 3, 2}, got["bytes"].Dims)
			values, err := got["bytes"].Bytes()
			require.NoError(t, err)
			require.Equal(t, []byte{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}, values)
			ints, err := got["doubles"].Ints()
			require.NoError(t, err)
			require.Equal(t, []int{1, 10, 300}, ints)
			ints, err = got["negative"].Ints()
			require.NoError(t, err)
			require.Equal(t, []int{-5, 1 << 40}, ints)
			require.Equal(t, "héllo", got["text"].Text())
			require.Len(t, got["cells"].Cells, 3)
			require.Equal(t, "b", got["cells"].Cells[1].Text())
			require.Zero(t, got["cells"].Cells[2].Len())
			table := got["table"]
			require.Equal(t, []int{2, 1}, table.Dims)
			require.Equal(t, "n02", table.Fields["WNID"][1].Text())
			ints, err = table.Fields["ID"][1].Ints()
			require.NoError(t, err)
			require.Equal(t, []int{2}, ints)
			_, err = got["text"].Bytes()
			require.Error(t, err)
			one, err := Read(bytes.NewReader(scipy(t, name)), "text")
			require.NoError(t, err)
			require.Len(t, one, 1)
		})
	}
}

func TestReadDamaged(t *testing.T) {
	for _, name := range files {
		content := scipy(t, name)
		whole, err := Read(bytes.NewReader(content), "bytes", "table")
		require.NoError(t, err)
		ends := 0
		for n := range len(content) {
			part, err := Read(bytes.NewReader(content[:n]), "bytes", "table")
			if err == nil { // between two variables
				require.LessOrEqual(t, len(part), len(whole))
				ends++
				continue
			}
			var at *Error
			require.ErrorAs(t, err, &at)
			require.LessOrEqual(t, at.Offset, int64(n))
		}
		require.Equal(t, 7, ends, "%s: a file may end before each of the variables only", name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for at := range content {
			bad := bytes.Clone(content)
			bad[at] ^= 0xff
			_, _ = Read(bytes.NewReader(bad), "bytes", "doubles", "text", "table", "cells")
		}
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)/uint64(len(content)), uint64(4<<20))
	}
	_, err := Read(bytes.NewReader(make([]byte, 200)))
	require.ErrorContains(t, err, "no MATLAB file")
}

func FuzzRead(f *testing.F) {
	for _, name := range files {
		f.Add(scipy(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Read(bytes.NewReader(data), "bytes", "doubles", "text", "table", "cells")
		var at *Error
		if err != nil && (!errors.As(err, &at) || at.Offset < 0 || at.Offset > int64(len(data))) {
			t.Fatal(err)
		}
		for _, a := range all {
			_ = a.Text()
			if b, err := a.Bytes(); err == nil && len(b) != a.Len() {
				t.Fatalf("%d bytes of %v", len(b), a.Dims)
			}
			if n, err := a.Ints(); err == nil && len(n) != a.Len() && a.kind != miUTF8 {
				t.Fatalf("%d numbers of %v", len(n), a.Dims)
			}
		}
	})
}
