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

	"github.com/ratml/rat/ratml/train"
)

// officialCommand is the training command of the official README, for another set, net and length.
const officialCommand = "--weight_decay 0.0001 --step_size 0.001 --scheduler cosine --ori_lam 1.0 --flex_direction --learning_rate 0.2 " +
	"--from_scratch --optimizer sgd --mixup --mixup_alpha 1.0"

// officialRoot is a DATASET_ROOT_DIR with tiny sets in the layouts of the official README: CIFAR-100 as torchvision downloads
// it, 6 training and 4 test images, and ImageNet in folders, 2 photographs of two classes in either.
func officialRoot(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	archive, err := os.ReadFile("../../ratml/dataset/testdata/sets/cifar-100-python.tar.gz")
	require.NoError(t, err)
	put := func(name string, content []byte) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, content, 0o666))
	}
	put("cifar100/cifar-100-python.tar.gz", archive)
	for i := range 4 {
		img := image.NewRGBA(image.Rect(0, 0, 60+10*i, 80-5*i))
		for p := range img.Bounds().Dx() * img.Bounds().Dy() {
			x, y := p%img.Bounds().Dx(), p/img.Bounds().Dx()
			img.Set(x, y, color.RGBA{uint8(3 * x), uint8(2*y + 9*i), uint8(x * y / 8), 255})
		}
		var out bytes.Buffer
		require.NoError(t, jpeg.Encode(&out, img, nil))
		put(fmt.Sprintf("imagenet/%s/n0%d/%d.JPEG", []string{"train", "val"}[i/2], i%2, i), out.Bytes())
	}
	return root
}

func TestOfficialCIFAR100(t *testing.T) {
	t.Setenv("DATASET_ROOT_DIR", officialRoot(t))
	out := filepath.Join(t.TempDir(), "out")
	args := append(strings.Fields(officialCommand), "--dataset", "cifar100", "--model", "wrn10_1_cifar100", "--max_epochs", "3", "--batch_size", "2",
		"--final_epochs_no_mixup", "1", "--warmup_epochs", "1", "--backend", "go", "--out", out)
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), args, &stdout, &stderr), stderr.String())
	require.Regexp(t, `test accuracy .*4 images`, stdout.String())
	log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	require.Equal(t, "crop_flip", log.Run.Settings.(map[string]any)["augmentation"])
	require.Equal(t, 3, log.Epochs[0].Steps)
	fitting(t, filepath.Join(out, "weights.safetensors"), "wrn10_1_cifar100")
}

// Photographs of other sizes are cut at random for training and from the middle for testing.
func TestOfficialImageNet(t *testing.T) {
	t.Setenv("DATASET_ROOT_DIR", officialRoot(t))
	out := filepath.Join(t.TempDir(), "out")
	args := append(strings.Fields(officialCommand), "--dataset", "imagenet", "--model", "resnet18", "--max_epochs", "1", "--batch_size", "2",
		"--num_workers", "2", "--backend", "go", "--out", out)
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), args, &stdout, &stderr), stderr.String())
	require.Regexp(t, `test accuracy .*2 images`, stdout.String())
	log, err := train.ReadLog(filepath.Join(out, "log.jsonl"))
	require.NoError(t, err)
	require.Equal(t, "resized_crop,flip", log.Run.Settings.(map[string]any)["augmentation"])
	require.Equal(t, 1, log.Epochs[0].Steps)
}
