package tensorboard

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestFullDisk checks that an event that does not fit leaves no half record, after which TensorBoard would not read on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	defer func() { require.NoError(t, unix.Unmount(dir, 0)) }()
	w, err := create(dir, at(time.Unix(1, 0)))
	require.NoError(t, err)
	defer w.Close()
	for err == nil {
		err = w.Scalar("loss", 1, 2)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	b, err := os.ReadFile(w.Path())
	require.NoError(t, err)
	whole := len(record(event{version: "brain.Event:2", time: 1}.marshal()))
	one := len(record(event{step: 1, value: scalar("loss", 2)}.marshal()))
	require.Greater(t, len(b), 60_000)
	require.Zero(t, (len(b)-whole)%one, "half a record is left")
	require.Equal(t, w.size, int64(len(b)))
}
