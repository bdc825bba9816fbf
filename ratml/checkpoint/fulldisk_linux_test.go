package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func init() { children["limited"] = limited }

// limited saves a checkpoint that is larger than files may be.
func limited(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	d, err := Open(path)
	if err != nil {
		return err
	}
	if err := fillUp(d, func() error {
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 200_000, Max: 200_000})
	}, syscall.EFBIG); err != nil {
		return err
	}
	return d.Save(state(4), false)
}

// fillUp saves a checkpoint, then large ones once there is no room, which must fail with want and change nothing.
func fillUp(d *Dir, noRoom func() error, want error) error {
	if err := d.Save(state(1), true); err != nil {
		return err
	}
	if err := noRoom(); err != nil {
		return err
	}
	for step := 2; step < 4; step++ {
		if err := d.Save(large(step), true); !errors.Is(err, want) {
			return fmt.Errorf("step %d: error %v, want %v", step, err, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(d.Path(), "*"))
	if err != nil || len(files) != 3 { // with the lock
		return fmt.Errorf("left %v: %v", files, err)
	}
	for _, f := range files[1:] {
		if s, err := Read(f); err != nil || s.Step != 1 {
			return fmt.Errorf("step 1 is no longer there: %v", err)
		}
	}
	return nil
}

func TestFileTooLarge(t *testing.T) {
	path := t.TempDir()
	out, err := process("limited", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, []string{"best.safetensors", "checkpoint-00000001.safetensors", "checkpoint-00000004.safetensors"}, names(t, path))
}

// TestFullDisk fills a file system of its own.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mounting a small file system: %v; TestFileTooLarge does the same with a limit", err)
	}
	defer func() { require.NoError(t, unix.Unmount(path, 0)) }()
	d, err := Open(path)
	require.NoError(t, err)
	defer d.Close()
	require.NoError(t, fillUp(d, func() error { return nil }, syscall.ENOSPC))

	// To the last byte: not even a small one.
	filler, err := os.Create(filepath.Join(path, "filler"))
	require.NoError(t, err)
	defer filler.Close()
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, d.Save(state(5), true), syscall.ENOSPC)
	require.NoError(t, os.Remove(filler.Name()))
	require.NoError(t, filler.Close())
	require.NoError(t, d.Save(state(5), true))
	s, warnings, err := d.Latest()
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, 5, s.Step)
}
