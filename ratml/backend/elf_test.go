package backend

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is in a file, looking at it ends with a verdict.
func FuzzCheckFile(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("#!/bin/sh\n"))
	header := make([]byte, 64)
	copy(header, []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)})
	header[16], header[18], header[20] = byte(elf.ET_DYN), byte(elf.EM_X86_64), byte(elf.EV_CURRENT)
	header[52], header[54], header[58] = 64, 56, 64
	f.Add(header)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "plugin.so")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkFile(path); err == nil {
			if f, err := elf.Open(path); err != nil {
				t.Error(err)
			} else if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
