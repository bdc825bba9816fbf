// Package atomicfile writes files that are either whole or not there.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write stores at path what write produces. When write fails, or the program ends early, a file that was at path
// before is left as it was. The folder must exist.
func Write(path string, write func(w io.Writer) error) error {
	if dir := filepath.Dir(path); !isDir(dir) {
		return fmt.Errorf("writing %s: there is no folder %s; create it first", path, dir)
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer f.Cleanup()
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
