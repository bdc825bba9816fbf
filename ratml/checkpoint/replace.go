package checkpoint

import (
	"bufio"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// replace puts what write produces at path, and at also unless that is "", once it is on the disk. When it fails, what
// was at path is as it was; also may be the new file already.
func replace(path, also string, write func(io.Writer) error) error {
	folder := filepath.Dir(path)
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(folder))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// First the other name: killed in between, a run comes to this step again and does the same.
	if also != "" {
		if err := link(f.Name(), also); err != nil {
			return err
		}
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncFolder(folder)
}

// link gives a file another name, or copies it where the file system has no links.
func link(file, path string) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	defer os.Remove(temp)
	if err := os.Link(file, temp); err != nil {
		return copyFile(file, path)
	}
	return os.Rename(temp, path)
}

func copyFile(file, path string) error {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return err
	}
	defer dst.Cleanup()
	if _, err := io.Copy(dst, src); err != nil {
		return err
	}
	return dst.CloseAtomicallyReplace()
}

// syncFolder makes names last through a loss of power.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
