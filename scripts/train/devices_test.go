package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/train"
)

// TestDevices trains on one and on two of the host devices of XLA's CPU plugin. A batch of the same images gives the same
// loss, but where each device normalises with the statistics of its own images.
func TestDevices(t *testing.T) {
	if !backend.HasXLA() {
		t.Skip("a build without XLA")
	}
	loss := map[string]float64{}
	for _, args := range []string{"--batch_size 16", "--batch_size 8 --devices 2", "--batch_size 8 --devices 2 --local_bn"} {
		out := t.TempDir()
		all := append(quick(out, "--backend", "xla:cpu", "--train_size", "16", "--epochs", "1", "--objective", "plain"), strings.Fields(args)...)
		require.NoError(t, silent(t.Context(), flags(t, all...)))
		log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
		require.NoError(t, err)
		require.Equal(t, "16", log.Run.Settings.(map[string]any)["batch size"])
		require.Equal(t, 1, log.Epochs[0].Steps)
		loss[args] = log.Epochs[0].Loss
	}
	require.InEpsilon(t, loss["--batch_size 16"], loss["--batch_size 8 --devices 2"], 1e-6)
	require.Greater(t, math.Abs(loss["--batch_size 8 --devices 2 --local_bn"]-loss["--batch_size 16"]), 1e-5)
	err := silent(t.Context(), flags(t, quick(t.TempDir(), "--backend", "xla:cpu", "--devices", "99")...))
	require.ErrorContains(t, err, "--devices 99: the backend xla:cpu has ")
}
