package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
)

// asCommand is set in the environment of a test binary that is to be the command itself.
const asCommand = "RAT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func silent(ctx context.Context, o options) error { return run(ctx, o, io.Discard, io.Discard) }

// quick returns a command line for a short training on the Go backend.
func quick(out string, more ...string) []string {
	return append([]string{"--dataset", "synthetic", "--backend", "go", "--train_size", "64", "--batch_size", "16", "--out", out}, more...)
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "folder")
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), parse(t, quick(out, "--epochs", "2", "--val_size", "20")...), &stdout, &stderr))
	require.Regexp(t, `epoch 2: loss \d.*adversarial \d.*validation \d`, stdout.String())
	require.Regexp(t, `test accuracy \d+\.\d\d % \(loss \d+\.\d+, 500 images\)`, stdout.String())
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line about the backend: %q", stderr.String())

	log, err := os.ReadFile(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	require.Len(t, lines, 2)
	var e map[string]float64
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &e))
	require.Equal(t, []float64{2, 8}, []float64{e["epoch"], e["steps"]})
	for _, key := range []string{"lr", "loss", "adv_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second"} {
		require.Contains(t, e, key)
	}

	path := filepath.Join(out, "weights.safetensors")
	w, err := weights.Load(path)
	require.NoError(t, err)
	arch, err := nets.Lookup("smallcnn_mnist")
	require.NoError(t, err)
	require.NoError(t, arch.Check(w))
	meta, err := weights.Metadata(path)
	require.NoError(t, err)
	require.Equal(t, []string{"smallcnn_mnist", "rat", "0.001", "8"}, []string{meta["arch"], meta["objective"], meta["step_size"], meta["steps"]})

	// Going on from these weights with hardly any learning rate keeps them.
	again := filepath.Join(t.TempDir(), "again")
	require.NoError(t, silent(t.Context(), parse(t, quick(again, "--epochs", "1", "--init", path, "--learning_rate", "1e-30", "--objective", "plain")...)))
	w2, err := weights.Load(filepath.Join(again, "weights.safetensors"))
	require.NoError(t, err)
	require.Equal(t, w["fc.weight"], w2["fc.weight"])
}

// TestDiverged checks that the last good weights are saved, and the error says where they are.
func TestDiverged(t *testing.T) {
	out := t.TempDir()
	err := silent(t.Context(), parse(t, quick(out, "--learning_rate", "1e30", "--scheduler", "constant")...))
	require.ErrorIs(t, err, train.ErrDiverged)
	require.NotContains(t, err.Error(), "\n")
	require.ErrorContains(t, err, "(step 2)")
	require.ErrorContains(t, err, "the weights of step 1 are in "+filepath.Join(out, "weights.safetensors"))
	_, err = weights.Load(filepath.Join(out, "weights.safetensors"))
	require.NoError(t, err)
}

// TestInterrupt sends the command a SIGINT when it has trained for an epoch.
func TestInterrupt(t *testing.T) {
	out := t.TempDir()
	cmd := exec.Command(os.Args[0], quick(out, "--epochs", "100000")...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	require.Eventually(t, func() bool {
		log, _ := os.ReadFile(filepath.Join(out, "log.jsonl"))
		return bytes.Contains(log, []byte("\n"))
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 1, exit.ExitCode(), stderr.String())
	require.Regexp(t, `(?m)^train: dataset: .*context canceled; the weights of step \d+ are in `, stderr.String())
	w, err := weights.Load(filepath.Join(out, "weights.safetensors"))
	require.NoError(t, err)
	arch, err := nets.Lookup("smallcnn_mnist")
	require.NoError(t, err)
	require.NoError(t, arch.Check(w))
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"--out", "x", "--mixup"}, {"--out", "x", "--epochs", "many"}} {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		text, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(text), "error: ")
	}
}
