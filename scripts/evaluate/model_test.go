package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// smallNet is a network for MNIST that PyTorch saved, see ratml/weights/testdata/torch_files.py.
var smallNet = filepath.Join("..", "..", "ratml", "weights", "testdata", "smallcnn.pth")

// TestModel scores with a file of PyTorch, whose architecture is found out, and with the same weights as safetensors and
// as a checkpoint: the scores are the same bytes.
func TestModel(t *testing.T) {
	w, err := weights.Load(smallNet)
	require.NoError(t, err)
	dir := t.TempDir()
	same := filepath.Join(dir, "same.safetensors")
	require.NoError(t, weights.Save(same, w, nil))
	checkpoint := filepath.Join(dir, "last.ckpt")
	wrapped := nets.Weights{}
	for name, v := range w {
		wrapped["backbone."+name] = v
	}
	require.NoError(t, weights.SavePyTorch(checkpoint, wrapped, map[string]string{"epoch": "3"}))
	var scores []string
	for i, flags := range [][]string{{"--model", smallNet}, {"--ckpt", same}, {"--model", checkpoint}, {"--ckpt", smallNet, "--arch", "smallcnn_mnist"}} {
		out := filepath.Join(dir, "out", string(rune('a'+i)))
		stderr := evaluateOK(t, append(flags, "--dataset", "mnist", "--images", "20", "--confid_scores", "MSR", "RR_fast", "--backend", "go",
			"--resamples", "0", "--out", out)...)
		if flags[0] == "--model" {
			require.Contains(t, stderr, filepath.Base(flags[1])+" holds smallcnn_mnist\n")
		}
		b, err := os.ReadFile(filepath.Join(out, "scores.csv"))
		require.NoError(t, err)
		require.Greater(t, strings.Count(string(b), "\n"), 20)
		scores = append(scores, string(b))
	}
	for _, s := range scores[1:] {
		require.Equal(t, scores[0], s)
	}
}

func evaluateOK(t *testing.T, args ...string) (stderr string) {
	t.Helper()
	var out, errs strings.Builder
	require.Zero(t, command(t.Context(), args, &out, &errs), "%s", &errs)
	return errs.String()
}

func TestModelErrors(t *testing.T) {
	module := filepath.Join(filepath.Dir(smallNet), "module.pth")
	for _, c := range []struct {
		flags []string
		want  string
		code  int
	}{
		{[]string{"--model", smallNet, "--ckpt", smallNet}, "both name weights", exitUsage},
		{[]string{"--model", module}, "asks for torch.nn.modules.container.Sequential", exitError},
		{[]string{"--model", "nowhere.pth"}, "nowhere.pth", exitError},
		{[]string{"--model", smallNet, "--arch", "wrn10_1_cifar10"}, "do not fit wrn10_1_cifar10", exitError},
		{nil, "--model or --ckpt is required", exitUsage},
		{[]string{"--custom_model", "pgd"}, `--custom_model "pgd": want openmix`, exitUsage},
		{[]string{"--custom_model", "openmix", "--dataset", "cifar10"}, filepath.Join("third_party", "openmix", "checkpoints"), exitError},
		{[]string{"--ckpt", t.TempDir(), "--dataset", "cifar100"}, filepath.Join("cifar100", "wrn28.pth"), exitError},
		{[]string{"--ckpt", t.TempDir(), "--arch", "smallcnn_mnist"}, "is a folder", exitUsage},
	} {
		var out, errs strings.Builder
		args := append([]string{"--images", "20", "--backend", "go", "--out", t.TempDir()}, c.flags...)
		require.Equal(t, c.code, command(t.Context(), args, &out, &errs), "%v", c.flags)
		require.Contains(t, errs.String(), c.want)
	}
}

// TestOpenMixFolder finds networks where the official code does.
func TestOpenMixFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoints")
	for _, name := range []string{"cifar10/wrn28.pth", "cifar10/resnet110.pth", "cifar100/wrn28.pth"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, nil, 0o666))
	}
	for _, c := range []struct{ dataset, arch, wantArch, want string }{
		{"cifar10", "", "openmix_wrn28_10_cifar10_outlier", "cifar10/wrn28.pth"},
		{"cifar10c:fog:3", "", "openmix_wrn28_10_cifar10_outlier", "cifar10/wrn28.pth"},
		{"cifar10", "openmix_resnet110_cifar10", "openmix_resnet110_cifar10", "cifar10/resnet110.pth"},
		{"cifar100", "", "openmix_wrn28_10_cifar100_outlier", "cifar100/wrn28.pth"},
	} {
		s := source{Dataset: c.dataset, Checkpoint: dir}
		arch := c.arch
		require.NoError(t, s.settle(&arch))
		require.Equal(t, c.wantArch, arch)
		require.Equal(t, filepath.Join(dir, c.want), s.Checkpoint)
	}
	o := options{source: source{Dataset: "cifar100"}, official: official{CustomModel: "openmix"}}
	require.NoError(t, o.custom())
	require.Equal(t, "openmix_wrn28_10_cifar100_outlier", o.Arch)
	require.Equal(t, openMixFolder, o.Checkpoint)
}
