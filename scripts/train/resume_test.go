package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/train"
)

// killed is a training with as much state as there can be: RAT with mixup, momentum, an average of the weights.
func killed(out string) []string {
	return []string{
		"--dataset", "synthetic", "--arch", "smallcnn_mnist", "--backend", "go", "--train_size", "200", "--val_size", "20", "--batch_size", "16",
		"--epochs", "16", "--mixup", "--final_epochs_no_mixup", "2", "--ema", "0.95", "--augment", "crop", "--seed", "3",
		"--log_every", "1", "--checkpoint_every", "3", "--tensorboard", "--resume", "--out", out,
	}
}

// TestKilled kills a training 20 times with SIGKILL, at random moments from the start of the process on. Log and weights
// must be those of one that was left alone.
func TestKilled(t *testing.T) {
	calm, rough := t.TempDir(), t.TempDir()
	begin := time.Now()
	text, err := process(killed(calm)...).CombinedOutput()
	require.NoError(t, err, string(text))
	whole := time.Since(begin)

	rng := rand.New(rand.NewPCG(7, 7))
	kills, starting := 0, 0
	for kills < 20 {
		cmd := process(killed(rough)...)
		require.NoError(t, cmd.Start())
		if rng.IntN(4) == 0 { // while it starts, most likely
			time.Sleep(time.Duration(rng.Int64N(int64(whole) / 8)))
			starting++
		} else {
			waitForLines(t, cmd, filepath.Join(rough, "log.jsonl"), 1+rng.IntN(4))
			time.Sleep(time.Duration(rng.Int64N(int64(whole) / 100)))
		}
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL), "after %d kills", kills)
		err := cmd.Wait()
		require.Equal(t, -1, cmd.ProcessState.ExitCode(), "the training came to its end after %d kills: %v", kills, err)
		kills++
	}
	text, err = process(killed(rough)...).CombinedOutput()
	require.NoError(t, err, string(text))
	t.Logf("%d kills, %d of them at the start; a training left alone takes %v", kills, starting, whole)

	want, got := timeless(t, calm), timeless(t, rough)
	require.Len(t, want.Steps, 16*13)
	require.Empty(t, got.Resumed)
	require.Equal(t, want.Steps, got.Steps)
	require.Equal(t, want.Epochs, got.Epochs)
	require.Equal(t, lines(t, calm), lines(t, rough), "no step or epoch is logged twice")
	require.Equal(t, read(t, calm, "weights.safetensors"), read(t, rough, "weights.safetensors"))
}

// waitForLines waits until a process has added n lines to a file.
func waitForLines(t *testing.T, cmd *exec.Cmd, path string, n int) {
	count := func() int {
		file, _ := os.ReadFile(path)
		return bytes.Count(file, []byte("\n"))
	}
	before := count()
	require.Eventually(t, func() bool { return count() >= before+n || cmd.ProcessState != nil }, time.Minute, 2*time.Millisecond)
}

// timeless returns the log in a folder without times, and without NaN, which is not equal to itself.
func timeless(t *testing.T, folder string) *train.RunLog {
	log, err := train.ReadLog(filepath.Join(folder, "log.jsonl"))
	require.NoError(t, err)
	for i := range log.Steps {
		s := &log.Steps[i]
		require.True(t, s.Loss > 0 && s.AdversarialLoss > 0)
		s.ImagesPerSecond, s.ValLoss, s.ValAccuracy = 0, 0, 0
	}
	for i := range log.Epochs {
		log.Epochs[i].Seconds, log.Epochs[i].ImagesPerSecond = 0, 0
	}
	return log
}

func lines(t *testing.T, folder string) int {
	return bytes.Count(read(t, folder, "log.jsonl"), []byte("\n"))
}

func read(t *testing.T, folder, name string) []byte {
	file, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return file
}

// TestDamagedCheckpoint damages the newest checkpoint: it is named, and the training goes on from the one before.
func TestDamagedCheckpoint(t *testing.T) {
	out := t.TempDir()
	args := quick(out, "--epochs", "3", "--log_every", "1")
	require.NoError(t, silent(t.Context(), flags(t, args...)))
	want, weights := lines(t, out), read(t, out, "weights.safetensors")
	newest := filepath.Join(out, "checkpoints", "checkpoint-00000012.safetensors")
	file, err := os.ReadFile(newest)
	require.NoError(t, err)
	file[len(file)/2] ^= 1
	require.NoError(t, os.WriteFile(newest, file, 0o666))
	require.NoError(t, os.Remove(filepath.Join(out, "weights.safetensors")))

	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), append(args, "--resume"), &stdout, &stderr), stderr.String())
	require.Regexp(t, `(?m)^train: warning: .*checkpoint-00000012.safetensors: damaged`, stderr.String())
	require.Equal(t, weights, read(t, out, "weights.safetensors"))
	require.Equal(t, want, lines(t, out), "steps that are taken again are logged once")
}

// TestResumeRefuses checks that a training is neither overwritten nor gone on with by another.
func TestResumeRefuses(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, silent(t.Context(), flags(t, quick(out, "--epochs", "1")...)))
	before := read(t, out, "log.jsonl")
	for args, want := range map[string]string{
		"":                                   "holds a training already: go on with it (--resume), or choose another folder",
		"--resume --epochs 2":                "has other settings (epochs: 1, now 2)",
		"--resume --step_size 0.01":          "objective: RAT{StepSize 0.001}, now RAT{StepSize 0.01}",
		"--resume --augment flip":            "augmentation: none, now flip",
		"--resume --val_size 7":              "validation images: 0, now 7",
		"--resume --arch wrn10_1_cifar10":    "architecture: smallcnn_mnist, now wrn10_1_cifar10",
		"--resume --weight_decay 0.3":        "weight decay: 0.0001 of all parameters, now 0.3 of all parameters",
		"--resume --scheduler constant":      "learning rates: ",
		"--resume --ckpt weights --seed 2":   "weights",
		"--resume --batch_size 16 --seed 99": "seed: 0, now 99",
	} {
		var stdout, stderr bytes.Buffer
		all := append(quick(out, "--epochs", "1"), strings.Fields(args)...)
		require.Equal(t, exitError, command(t.Context(), all, &stdout, &stderr), args)
		require.Contains(t, stderr.String(), want, args)
		require.Equal(t, 1, strings.Count(stderr.String(), "train: "), stderr.String())
		require.Equal(t, before, read(t, out, "log.jsonl"))
	}
	require.NoError(t, silent(t.Context(), flags(t, quick(out, "--epochs", "1", "--resume")...)), "nothing is left to do")
}

// TestCheckpointOfAnotherTraining goes on from a checkpoint in a new folder and ends like the training that it is of.
func TestCheckpointOfAnotherTraining(t *testing.T) {
	whole, part := t.TempDir(), t.TempDir()
	require.NoError(t, silent(t.Context(), flags(t, quick(whole, "--epochs", "3", "--keep", "9")...)))
	file := filepath.Join(whole, "checkpoints", "checkpoint-00000004.safetensors")
	args := quick(part, "--epochs", "3", "--log_every", "1", "--ckpt", file)
	require.NoError(t, silent(t.Context(), flags(t, args...)))
	require.Equal(t, read(t, whole, "weights.safetensors"), read(t, part, "weights.safetensors"))
	require.Equal(t, 5, timeless(t, part).Steps[0].Step)
	require.NoError(t, silent(t.Context(), flags(t, append(args, "--resume")...)), "from its own checkpoints now")

	err := silent(t.Context(), flags(t, quick(t.TempDir(), "--epochs", "4", "--ckpt", file)...))
	require.ErrorContains(t, err, "epochs: 3, now 4")
}

// TestUnwritable takes away the folders while the command trains, and the log before.
func TestUnwritable(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(out, "log.jsonl"), 0o777))
	err := silent(t.Context(), flags(t, quick(out)...))
	require.ErrorContains(t, err, filepath.Join(out, "log.jsonl"))
	out = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "checkpoints"), nil, 0o666))
	err = silent(t.Context(), flags(t, quick(out)...))
	require.ErrorContains(t, err, filepath.Join(out, "checkpoints"))
	require.NotContains(t, err.Error(), "\n")
}
