package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ratml/rat/ratml/checkpoint"
	"github.com/ratml/rat/ratml/train"
)

// TestFullDisk trains into a file system that has no room for a second checkpoint: there are warnings and one clear error,
// the checkpoint that was there before stays, and the training goes on from it when there is room.
func TestFullDisk(t *testing.T) {
	out := t.TempDir()
	if err := unix.Mount("tmpfs", out, "tmpfs", 0, "size=450k"); err != nil {
		t.Skipf("no file system of its own: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(out, 0) })
	args := quick(out, "--epochs", "4", "--log_every", "1")
	text, err := process(args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(text), "train: warning: ")
	require.Equal(t, 2, strings.Count(string(text), "train: "), "a warning and an error: %s", text)
	require.Contains(t, string(text), "no space left on device")
	files, err := filepath.Glob(filepath.Join(out, "checkpoints", "checkpoint-*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		_, err := checkpoint.Read(f)
		require.NoError(t, err)
	}

	require.NoError(t, unix.Mount("tmpfs", out, "tmpfs", unix.MS_REMOUNT, "size=8m"))
	require.NoError(t, silent(t.Context(), flags(t, append(args, "--resume")...)))
	log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	require.Len(t, log.Steps, 16)
	require.Empty(t, log.Resumed)
}
