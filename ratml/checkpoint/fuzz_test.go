package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
)

// FuzzRead checks that whatever is read is read again after it was written. The checksum is made right, so that the
// fuzzer gets past it.
func FuzzRead(f *testing.F) {
	for _, s := range []*State{{}, state(7), {Step: 1, Blobs: map[string][]byte{"a": []byte("b")}}} {
		var b bytes.Buffer
		if err := write(&b, s); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if n := len(file) - sha256.Size; n >= 0 {
			sum := sha256.Sum256(file[:n])
			file = append(slices.Clone(file[:n]), sum[:]...)
		}
		s, err := read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		if err := s.Check(); err != nil {
			t.Fatalf("read what cannot be written: %v", err)
		}
		var b, again bytes.Buffer
		if err := write(&b, s); err != nil {
			t.Fatal(err)
		}
		s, err = read(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(&again, s); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Fatal("reading and writing changed it")
		}
	})
}
