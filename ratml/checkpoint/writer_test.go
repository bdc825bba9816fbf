package checkpoint

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriter(t *testing.T) {
	d := open(t, t.TempDir())
	w := &Writer{Dir: d, Failed: func(err error) { t.Error(err) }}
	require.NoError(t, w.Close(), "nothing was written")
	for step := 1; step <= 20; step++ {
		w.Save(state(step), step%7 == 0)
	}
	require.NoError(t, w.Close())
	steps, err := d.Steps()
	require.NoError(t, err)
	require.Equal(t, []int{19, 20}, steps)
	best, err := Read(d.Best())
	require.NoError(t, err)
	require.Equal(t, 14, best.Step)
}

// TestWriterFailures takes the folder away for a while.
func TestWriterFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints")
	away := path + ".away"
	d := open(t, path)
	var failures []error
	w := &Writer{Dir: d, Failed: func(err error) { failures = append(failures, err) }}
	w.Save(state(1), true)
	require.NoError(t, w.Close())

	require.NoError(t, os.Rename(path, away))
	for step := 2; step <= 4; step++ {
		w.Save(state(step), true)
	}
	require.ErrorContains(t, w.Close(), path)
	require.Len(t, failures, 1, "of several failures in a row one is told")

	require.NoError(t, os.Rename(away, path))
	w.Save(state(5), false)
	require.NoError(t, w.Close())
	steps, err := d.Steps()
	require.NoError(t, err)
	require.Equal(t, []int{1, 5}, steps)

	require.NoError(t, os.Rename(path, away))
	w.Save(state(6), false)
	require.Error(t, w.Close())
	require.Len(t, failures, 2, "a failure after a success is told again")
}
