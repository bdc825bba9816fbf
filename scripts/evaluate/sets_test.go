package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/weights"
)

// setsRoot is a DATASET_ROOT_DIR with tiny sets as the official README and torchvision lay them out: CIFAR-100 with 4 test
// images, SVHN with 4, and 3 photographs of two classes of ImageNet.
func setsRoot(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	put := func(name string, content []byte) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, content, 0o666))
	}
	for dir, name := range map[string]string{"cifar100": "cifar-100-python.tar.gz", "svhn": "test_32x32.mat"} {
		content, err := os.ReadFile(filepath.Join("../../ratml/dataset/testdata/sets", name))
		require.NoError(t, err)
		put(filepath.Join(dir, name), content)
	}
	for i := range 3 {
		img := image.NewRGBA(image.Rect(0, 0, 60+10*i, 80-5*i))
		for p := range img.Bounds().Dx() * img.Bounds().Dy() {
			x, y := p%img.Bounds().Dx(), p/img.Bounds().Dx()
			img.Set(x, y, color.RGBA{uint8(3 * x), uint8(2*y + 40*i), uint8(x * y / 8), 255})
		}
		var out bytes.Buffer
		require.NoError(t, jpeg.Encode(&out, img, nil))
		put(fmt.Sprintf("imagenet/val/n0%d/%d.JPEG", i%2, i), out.Bytes())
	}
	return root
}

// untrained writes random weights of an architecture.
func untrained(t *testing.T, arch string) (path string) {
	t.Helper()
	a, err := nets.Lookup(arch)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "net.safetensors")
	require.NoError(t, weights.Save(path, a.Init(1), nil))
	return path
}

// The evaluation command of the official README, for CIFAR-100 and a small net.
func TestOfficialCIFAR100(t *testing.T) {
	t.Setenv("DATASET_ROOT_DIR", setsRoot(t))
	net, out := untrained(t, "wrn10_1_cifar100"), filepath.Join(t.TempDir(), "out")
	args := "--robust_radius --arch wrn10_1_cifar100 --dataset cifar100 --confid_scores MSR ODIN RR_fast --perturb_level -1 --n_exp 3 --data-parallel " +
		"--val_split 0.5 --test_batch 2 --backend go --resamples 0"
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), append(strings.Fields(args), "--ckpt", net, "--out", out), &stdout, &stderr), stderr.String())
	for k := 1; k <= 3; k++ {
		run, err := report.ReadScoresNPZ(filepath.Join(out, fmt.Sprintf("split_%d", k), "scores.npz"))
		require.NoError(t, err)
		require.Equal(t, 2, run.Len())
		require.Equal(t, 100, run.Classes)
	}
	shifted := filepath.Join(t.TempDir(), "shifted")
	args = "--arch wrn10_1_cifar100 --dataset cifar100 --ood_dataset svhn --test_batch 2 --confid_scores MSR --backend go --resamples 0"
	require.Zero(t, command(t.Context(), append(strings.Fields(args), "--ckpt", net, "--out", shifted), &stdout, &stderr), stderr.String())
	run, err := report.ReadScoresNPZ(filepath.Join(shifted, "ood", "scores.npz"))
	require.NoError(t, err)
	require.Equal(t, 4, run.Len())

	// A network for fewer classes than the set has is refused.
	args = "--arch wrn10_1_cifar10 --dataset cifar100 --backend go"
	require.Equal(t, exitError, command(t.Context(), append(strings.Fields(args), "--ckpt", untrained(t, "wrn10_1_cifar10"), "--out", shifted), &stdout, &stderr))
	require.Contains(t, stderr.String(), "data set cifar100 has 100 classes, wrn10_1_cifar10 tells 10 apart")
}

func TestOfficialImageNet(t *testing.T) {
	t.Setenv("DATASET_ROOT_DIR", setsRoot(t))
	net, out := untrained(t, "resnet18"), filepath.Join(t.TempDir(), "out")
	args := "--arch resnet18 --dataset imagenet --confid_scores MSR RR_fast --test_batch 3 --backend go --resamples 0"
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), append(strings.Fields(args), "--ckpt", net, "--out", out), &stdout, &stderr), stderr.String())
	run, err := report.ReadScoresNPZ(filepath.Join(out, "scores.npz"))
	require.NoError(t, err)
	require.Equal(t, 1000, run.Classes)
	require.Equal(t, []int{0, 0, 1}, run.Label)
}
