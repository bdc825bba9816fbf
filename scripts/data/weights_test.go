package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// torchFile is a file that PyTorch wrote, see ratml/weights/testdata/torch_files.py.
func torchFile(name string) string {
	return filepath.Join("..", "..", "ratml", "weights", "testdata", name)
}

func weightsJob(args ...string) (status int, stdout, stderr string) {
	var out, errs strings.Builder
	status = command(context.Background(), append([]string{"weights"}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

func TestWeightsInspect(t *testing.T) {
	status, out, errs := weightsJob("inspect", torchFile("smallcnn.pth"))
	require.Zero(t, status, errs)
	for _, line := range []string{
		`format +PyTorch zip`, `tensors +20`, `parameters +24058, and 224 running statistics`, `fits +smallcnn_fashion_mnist, smallcnn_mnist`,
		`bn2\.running_var +F16 +32`, `conv2\.weight +F16 +32x16x3x3`, `bn1\.num_batches_tracked +I64 +scalar +not read`,
	} {
		require.Regexp(t, `(?m)^`+line+`$`, out)
	}
	a, err := nets.Lookup("smallcnn_mnist")
	require.NoError(t, err)
	require.Equal(t, 24058, a.ParamCount())

	status, out, errs = weightsJob("inspect", torchFile("mixed_checkpoint.pt"))
	require.Zero(t, status, errs)
	for _, line := range []string{`entry +net, not ema`, `metadata +epoch: 12`, `fits +no architecture that is known`} {
		require.Regexp(t, `(?m)^`+line+`$`, out)
	}
	_, out, _ = weightsJob("inspect", torchFile("mixed_dataparallel.pth"))
	require.Regexp(t, `(?m)^prefix +module\. \(not shown\)$`, out)

	path := filepath.Join(t.TempDir(), "bad.safetensors")
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	require.NoError(t, weights.Save(path, nets.Weights{"a": {Shape: []int{3}, Data: []float32{1, nan, inf}}, "b": nets.NewTensor(2)}, map[string]string{"note": "a\x1b[31mb"}))
	status, out, errs = weightsJob("inspect", path)
	require.Equal(t, exitFaulty, status)
	require.Contains(t, out, "a: 2 of 3 values are NaN or infinite")
	require.Contains(t, out, "note: a?[31mb")
	require.NotContains(t, out, "b: 0 of")
	require.Contains(t, errs, "1 tensors hold NaN or infinities")
}

func TestWeightsConvert(t *testing.T) {
	dir := t.TempDir()
	want, err := weights.Load(torchFile("smallcnn.pth")) // of float16: no type changes them
	require.NoError(t, err)
	from := torchFile("smallcnn.pth")
	for _, c := range []struct{ out, dtype, arch string }{
		{"a.safetensors", "f32", ""}, {"b.pth", "f16", ""}, {"c.pt", "F32", "smallcnn_mnist"}, {"d.safetensors", "f16", "smallcnn_mnist"},
	} {
		to := filepath.Join(dir, c.out)
		args := []string{"convert", from, to, "--dtype", c.dtype}
		if c.arch != "" {
			args = append(args, "--arch", c.arch)
		}
		status, out, errs := weightsJob(args...)
		require.Zero(t, status, errs)
		require.Equal(t, "wrote 17 tensors to "+to+"\n", out)
		got, err := weights.Load(to)
		require.NoError(t, err)
		require.Equal(t, want, got)
		f, err := weights.Inspect(to)
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(c.dtype), f.Tensors[0].Dtype)
		require.Empty(t, f.Entry, "torch.load is to give the state dict itself")
		if c.out == "d.safetensors" {
			require.Equal(t, "smallcnn_mnist", f.Metadata["arch"])
		}
		from = to
	}
	// Rounded to 8 bits, of which float16 has 11.
	status, _, errs := weightsJob("convert", from, filepath.Join(dir, "e.pth"), "--dtype", "bf16")
	require.Zero(t, status, errs)
	got, err := weights.Load(filepath.Join(dir, "e.pth"))
	require.NoError(t, err)
	require.NotEqual(t, want, got)
	for name, w := range want {
		for i, v := range w.Data {
			require.InDelta(t, v, got[name].Data[i], math.Abs(float64(v))/256)
		}
	}
}

// TestWeightsRename gives weights the names of an architecture, which are not those of the file.
func TestWeightsRename(t *testing.T) {
	a, err := nets.Lookup("wrn10_1_cifar10")
	require.NoError(t, err)
	w := a.Init(1)
	dir := t.TempDir()
	own, other, back := filepath.Join(dir, "own.pth"), filepath.Join(dir, "other.pth"), filepath.Join(dir, "back.safetensors")
	require.NoError(t, weights.SavePyTorch(own, w, nil))
	status, _, errs := weightsJob("convert", own, other, "--arch", "openmix_wrn10_1_cifar10")
	require.Zero(t, status, errs)
	require.Contains(t, errs, "own.pth has the names of pytorchcv's wide residual networks; images are normalised as openmix_wrn10_1_cifar10 does it")
	got, err := weights.Load(other)
	require.NoError(t, err)
	require.Equal(t, w["features.stage2.unit1.identity_conv.weight"], got["block2.layer.0.convShortcut.weight"])
	status, _, errs = weightsJob("convert", other, back, "--arch", "wrn10_1_cifar10")
	require.Zero(t, status, errs)
	got, err = weights.Load(back)
	require.NoError(t, err)
	require.Equal(t, w, got)
}

func TestWeightsErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, exitUsage, "want weights inspect FILE"},
		{[]string{"show"}, exitUsage, "want weights inspect FILE"},
		{[]string{"inspect"}, exitUsage, "FILE"},
		{[]string{"inspect", "nowhere.pth"}, exitError, "nowhere.pth"},
		{[]string{"inspect", torchFile("module.pth")}, exitError, "asks for torch.nn.modules.container.Sequential"},
		{[]string{"inspect", torchFile("integers.pth")}, exitError, `"index" is of type I32`},
		{[]string{"convert", torchFile("smallcnn.pth")}, exitUsage, "OUT"},
		{[]string{"convert", torchFile("smallcnn.pth"), filepath.Join(dir, "a.npz")}, exitError, `".npz"`},
		{[]string{"convert", torchFile("smallcnn.pth"), filepath.Join(dir, "a.pth"), "--dtype", "int8"}, exitUsage, "--dtype"},
		{[]string{"convert", torchFile("smallcnn.pth"), filepath.Join(dir, "a.pth"), "--arch", "nonesuch"}, exitUsage, "nonesuch"},
		{[]string{"convert", torchFile("smallcnn.pth"), filepath.Join(dir, "a.pth"), "--arch", "wrn10_1_cifar10"}, exitError, "do not fit"},
		{[]string{"convert", torchFile("mixed.pth"), filepath.Join(dir, "a.pth"), "--dtype", "f16"}, exitError, "too large for F16"},
	} {
		status, _, errs := weightsJob(c.args...)
		require.Equal(t, c.status, status, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.want)
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}
