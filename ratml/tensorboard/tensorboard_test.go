package tensorboard

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at is a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// TestOfficialWriter compares a file with what tensorboardX writes; testdata/tensorboardx.py made it.
func TestOfficialWriter(t *testing.T) {
	w, err := create(t.TempDir(), at(time.Unix(1_700_000_000, 250_000_000)))
	require.NoError(t, err)
	require.NoError(t, w.Purge(7))
	require.NoError(t, w.Text("settings", 0, "| epochs |\n|---|\n| 500, ä |"))
	require.NoError(t, w.Scalar("step/loss", 0, 2.302585))
	require.NoError(t, w.Scalar("step/loss", 7, 0))
	require.NoError(t, w.Scalar("step/lr", 300, -1.5e-9))
	require.NoError(t, w.Scalar("accuracy", 1<<40, math.NaN()))
	require.NoError(t, w.Scalar("accuracy", 1<<62, math.Inf(1)))
	got, err := os.ReadFile(w.Path())
	require.NoError(t, err, "events must be there before Close")
	want, err := os.ReadFile(filepath.Join("testdata", "tensorboardx.tfevents"))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	require.Error(t, w.Scalar("step/loss", 8, 0))
}

// TestOrder checks that the names of later files sort after those of earlier ones, whatever the clock says.
func TestOrder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "run")
	var paths []string
	for _, second := range []int64{1000, 1000, 1001, 5, 2000} {
		w, err := create(dir, at(time.Unix(second, 0)))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		paths = append(paths, w.Path())
	}
	require.True(t, slices.IsSorted(paths), "%v", paths)
	require.Len(t, slices.Compact(paths), 5)
	require.Contains(t, filepath.Base(paths[4]), "events.out.tfevents.0000002000.")
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Create(filepath.Join(file, "run"))
	require.ErrorContains(t, err, file)
}
