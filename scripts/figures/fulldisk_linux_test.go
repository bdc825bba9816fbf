package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// limited runs the command where files may have no more than 20 kB.
func limited(args []string) int {
	signal.Ignore(syscall.SIGXFSZ)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 20_000, Max: 20_000}); err != nil {
		panic(err)
	}
	return command(context.Background(), args, os.Stdout, os.Stderr)
}

// A figure that does not fit on the disk ends the command with one line that names it, and leaves the old one.
func TestFullDisk(t *testing.T) {
	dir := writeRun(t, filepath.Join(t.TempDir(), "run"), "scores.npz", "", "")
	out := t.TempDir()
	old := filepath.Join(out, "roc.png")
	require.NoError(t, os.WriteFile(old, []byte("old"), 0o666))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FIGURES_TEST_ARGS="+strings.Join([]string{"--from", dir, "--only", "roc", "--out", out}, "\n"))
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", said)
	require.Equal(t, exitError, exit.ExitCode())
	require.Contains(t, string(said), "roc.png")
	require.Contains(t, string(said), "file too large")
	require.Equal(t, 1, strings.Count(string(said), "\n"), "%s", said)
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, left, 1)
	data, err := os.ReadFile(old)
	require.NoError(t, err)
	require.Equal(t, "old", string(data))
}
