package backend

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// entryPoint is the one function that every PJRT plugin exports.
const entryPoint = "GetPjrtApi"

// checkFile reports why a file cannot be loaded as a PJRT plugin. The loader
// itself would map a truncated file and die of SIGBUS on its missing pages.
func checkFile(path string) (err error) {
	defer recoverAs(&err, "damaged file")
	if !filepath.IsAbs(path) {
		return errors.New("the path of a plugin must be absolute")
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no such file; install a plugin with: %s", Install)
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file; give the path of a PJRT plugin")
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("not a complete shared library (%w); install the plugin again", err)
	}
	defer f.Close()
	return checkELF(f, uint64(info.Size()))
}

func checkELF(f *elf.File, size uint64) error {
	if f.Type != elf.ET_DYN {
		return fmt.Errorf("not a shared library (%v)", f.Type)
	}
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return fmt.Errorf("built for %v, this machine needs %v", f.Machine, want)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && (p.Off > size || p.Filesz > size-p.Off) {
			return errors.New("truncated; install the plugin again")
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return fmt.Errorf("damaged symbol table (%w); install the plugin again", err)
	}
	if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool {
		return s.Name == entryPoint && s.Section != elf.SHN_UNDEF
	}) {
		return fmt.Errorf("not a PJRT plugin: it exports no function %s", entryPoint)
	}
	return nil
}

var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64,
	"arm64": elf.EM_AARCH64,
}
