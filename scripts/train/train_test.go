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

// process returns the command as a process of its own.
func process(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func silent(ctx context.Context, o options) error { return run(ctx, o, io.Discard, io.Discard) }

// quick returns a command line for a short training on the Go backend.
func quick(out string, more ...string) []string {
	return append([]string{"--dataset", "synthetic", "--backend", "go", "--train_size", "64", "--batch_size", "16", "--out", out}, more...)
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "folder")
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), flags(t, quick(out, "--epochs", "2", "--val_size", "20", "--profile", "--tensorboard", "--log_every", "3")...), &stdout, &stderr))
	require.Regexp(t, `epoch 2: loss \d.*adversarial \d.*validation \d`, stdout.String())
	require.Regexp(t, `test accuracy \d+\.\d\d % \(loss \d+\.\d+, 500 images\)`, stdout.String())
	require.Regexp(t, `(?m)^8 steps in .*device idle`, stdout.String())
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line about the backend: %q", stderr.String())

	log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	require.Equal(t, "smallcnn_mnist", log.Run.Settings.(map[string]any)["architecture"])
	require.Regexp(t, "^go ", log.Run.Backend)
	require.Len(t, log.Epochs, 2)
	require.Equal(t, 8, log.Epochs[1].Steps)
	require.Greater(t, log.Epochs[1].ValAccuracy, 0.0)
	require.Equal(t, []int{3, 6}, []int{log.Steps[0].Step, log.Steps[1].Step})
	events, err := filepath.Glob(filepath.Join(out, "tensorboard", "events.*"))
	require.NoError(t, err)
	require.Len(t, events, 1)
	var p map[string]float64
	file, err := os.ReadFile(filepath.Join(out, "profile.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(file, &p))
	require.Equal(t, 8.0, p["steps"])
	require.InDelta(t, p["total"], p["first_step"]+p["compute"]+p["wait"]+p["feed"]+p["upload"]+p["evaluate"]+p["checkpoint"], p["total"]/2)

	path := filepath.Join(out, "weights.safetensors")
	w := fitting(t, path, "smallcnn_mnist")
	meta, err := weights.Metadata(path)
	require.NoError(t, err)
	require.Equal(t, []string{"smallcnn_mnist", "rat", "0.001", "8"}, []string{meta["arch"], meta["objective"], meta["step_size"], meta["steps"]})

	// Going on from these weights with hardly any learning rate keeps them, whatever flag names them and whoever wrote them.
	other := filepath.Join(out, "of_pytorch.ckpt")
	require.NoError(t, weights.SavePyTorch(other, w, map[string]string{"arch": "ours"}))
	for _, from := range [][]string{{"--init", path}, {"--ckpt", path}, {"--ckpt", other}} {
		again := filepath.Join(t.TempDir(), "again")
		require.NoError(t, silent(t.Context(), flags(t, quick(again, "--epochs", "1", from[0], from[1], "--learning_rate", "1e-30", "--objective", "plain")...)))
		require.Equal(t, w["fc.weight"], fitting(t, filepath.Join(again, "weights.safetensors"), "smallcnn_mnist")["fc.weight"])
	}
	args := quick(t.TempDir(), "--init", path, "--arch", "wrn10_1_cifar10")
	require.EqualError(t, silent(t.Context(), flags(t, args...)), path+" holds weights of smallcnn_mnist, not of wrn10_1_cifar10")
	require.NoError(t, weights.Save(path, w, nil))
	err = silent(t.Context(), flags(t, args...))
	require.ErrorContains(t, err, path+": nets: weights do not fit wrn10_1_cifar10: missing features.init_block.weight [16 3 3 3]; ")
	require.Regexp(t, `; and \d+ more$`, err.Error())
	require.Less(t, len(err.Error()), 600)
}

// fitting returns the weights in a file, which must be those of an architecture.
func fitting(t *testing.T, path, arch string) nets.Weights {
	t.Helper()
	w, err := weights.Load(path)
	require.NoError(t, err)
	a, err := nets.Lookup(arch)
	require.NoError(t, err)
	require.NoError(t, a.Check(w))
	return w
}

// TestEveryObjective trains a step with each objective and some of the other settings.
func TestEveryObjective(t *testing.T) {
	for _, args := range []string{
		"--objective plain --mixup --ema 0.9 --augment crop,flip,erasing,cutout,resized_crop",
		"--objective at --pgd --pgd_steps 2 --optimizer adam --clip_norm 1",
		"--objective rat --reverse_at --bf16 --accumulate 2 --nesterov",
		"--objective crl --rank_target entropy --no_decay_norm --scheduler onecycle",
		"--objective fmfp --label_smoothing 0.1",
		"--objective sam --swa_from 1 --swa_lr 0.01",
		"--objective openmix --outliers synthetic --val_size 8 --val_check_interval 1",
		"--objective logitnorm --drop_last --scheduler linear",
		"--objective regmixup --num_workers 1 --logging_dir BOARD",
	} {
		t.Run(args, func(t *testing.T) {
			out := t.TempDir()
			board := filepath.Join(out, "board")
			args := strings.Fields(strings.Replace(args, "BOARD", board, 1))
			require.NoError(t, silent(t.Context(), flags(t, quick(out, append(args, "--train_size", "40", "--epochs", "2", "--arch", "smallcnn_mnist")...)...)))
			fitting(t, filepath.Join(out, "weights.safetensors"), "smallcnn_mnist")
			if strings.Contains(strings.Join(args, " "), board) {
				require.DirExists(t, board)
			}
		})
	}
}

// TestOfficialTraining trains as the official command says, but for network and number of epochs, on a folder of images.
func TestOfficialTraining(t *testing.T) {
	out, data := filepath.Join(t.TempDir(), "out"), t.TempDir()
	writeCIFAR10(t, data)
	t.Setenv("DATASET_ROOT_DIR", data)
	args := strings.Fields(strings.NewReplacer("wrn28_10_cifar10", "wrn10_1_cifar10", "--max_epochs 500", "--max_epochs 12").Replace(strings.Join(official, " ")))
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), append(args, "--out", out, "--backend", "go", "--log_every", "1"), &stdout, &stderr), stderr.String())
	fitting(t, filepath.Join(out, "weights.safetensors"), "wrn10_1_cifar10")
	log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	require.Len(t, log.Epochs, 12)
	require.Len(t, log.Steps, 24, "70 images are two batches of up to 64")
	require.Equal(t, 0.2, log.Steps[10].LearningRate, "after five epochs of warm-up")
	require.Greater(t, log.Epochs[1].Loss, log.Epochs[11].Loss)
	require.Contains(t, stdout.String(), "test accuracy")

	args = append(args, "--out", filepath.Join(out, "quirks"), "--backend", "go", "--log_every", "1", "--protocol", "official", "--epochs", "6", "--val_check_interval", "1", "--rand_erase", "0.5")
	require.Zero(t, command(t.Context(), args, &stdout, &stderr), stderr.String())
	require.Contains(t, stderr.String(), "--rand_erase is ignored for cifar10")
	log, err = train.ReadLog(filepath.Join(out, "quirks", "log.jsonl"))
	require.NoError(t, err)
	require.Equal(t, log.Steps[2].LearningRate, log.Steps[3].LearningRate, "the rate is that of the epoch")
	require.Greater(t, log.Steps[3].ValLoss, 0.0, "validation is on the test images")
}

// writeCIFAR10 writes a few images in the official binary format, each of the shade of its class.
func writeCIFAR10(t *testing.T, folder string) {
	write := func(name string, images int) {
		var b []byte
		for i := range images {
			b = append(b, byte(i%10))
			for range 3072 {
				b = append(b, byte(25*(i%10)+rng.IntN(30)))
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), b, 0o666))
	}
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		write("data_batch_"+n+".bin", 14)
	}
	write("test_batch.bin", 20)
}

// TestDiverged checks that the last good weights are saved, and the error says where they are.
func TestDiverged(t *testing.T) {
	out := t.TempDir()
	err := silent(t.Context(), flags(t, quick(out, "--learning_rate", "1e30", "--scheduler", "constant")...))
	require.ErrorIs(t, err, train.ErrDiverged)
	require.NotContains(t, err.Error(), "\n")
	require.ErrorContains(t, err, "(step 2)")
	require.ErrorContains(t, err, "the weights of step 1 are in "+filepath.Join(out, "weights.safetensors"))
	_, err = weights.Load(filepath.Join(out, "weights.safetensors"))
	require.NoError(t, err)
}

// TestInterrupt sends the command a SIGINT, twice at a time, when it has trained for an epoch.
func TestInterrupt(t *testing.T) {
	out := t.TempDir()
	cmd := process(quick(out, "--epochs", "100000")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	require.Eventually(t, func() bool {
		log, _ := train.ReadLog(filepath.Join(out, "log.jsonl"))
		return log != nil && len(log.Epochs) > 0
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	cmd.Process.Signal(os.Interrupt) // as timeout(1) does; the process may be gone by now
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, exitInterrupted, exit.ExitCode(), stderr.String())
	require.Regexp(t, `(?m)^train: interrupted after step (\d+), whose weights are in .*weights.safetensors; the same command with --resume goes on$`, stderr.String())
	fitting(t, filepath.Join(out, "weights.safetensors"), "smallcnn_mnist")
	checkpoints, err := filepath.Glob(filepath.Join(out, "checkpoints", "checkpoint-*"))
	require.NoError(t, err)
	require.NotEmpty(t, checkpoints)
}

func TestInterruptAtTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := t.TempDir()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitInterrupted, command(ctx, quick(out, "--epochs", "1"), &stdout, &stderr))
	require.Contains(t, stderr.String(), "\ntrain: interrupted before the first step\n")
	require.NoFileExists(t, filepath.Join(out, "weights.safetensors"))
	require.NoError(t, silent(t.Context(), flags(t, quick(out, "--epochs", "1", "--resume")...)))
}

func TestUsage(t *testing.T) {
	text, err := process("--epochs", "many").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, exitUsage, exit.ExitCode())
	require.Contains(t, string(text), "(--help lists the flags)")
}
