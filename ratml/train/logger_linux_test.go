package train

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestLogFullDisk checks that a line that does not fit is an error and leaves whole lines, and that logging goes on
// when there is room again.
func TestLogFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	defer func() { require.NoError(t, unix.Unmount(dir, 0)) }()
	path := filepath.Join(dir, "log.jsonl")
	l, err := OpenLog(path, RunInfo{}, false)
	require.NoError(t, err)
	defer l.Close()
	n := 0
	for err == nil {
		n++
		err = l.Step(toyStep(n, 1))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, path)
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=64k"))
	require.NoError(t, l.Step(toyStep(n, 1)))
	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Len(t, got.Steps, n)
}
