package main

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
)

// runData runs the command line and returns its exit status and what it wrote.
func runData(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = command(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

// record is an image of CIFAR-10's binary version in one level of grey.
func record(label, grey byte) []byte {
	return append([]byte{label}, bytes.Repeat([]byte{grey}, 3072)...)
}

// cifar writes CIFAR-10 with two training images in each file.
func cifar(t *testing.T, test ...[]byte) (root string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "cifar10", "cifar-10-batches-bin")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	for k := range byte(5) {
		name := filepath.Join(dir, "data_batch_"+string('1'+rune(k))+".bin")
		require.NoError(t, os.WriteFile(name, append(record(k, k), record(k+5, k+5)...), 0o666))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test_batch.bin"), bytes.Join(test, nil), 0o666))
	return root
}

func TestList(t *testing.T) {
	root := cifar(t, record(0, 100))
	status, out, _ := runData("list", "--root", root)
	require.Zero(t, status)
	require.Contains(t, out, "found: "+filepath.Join(root, "cifar10", "cifar-10-batches-bin"))
	for _, d := range dataset.Catalog() {
		require.Contains(t, out, d.Name)
	}
	status, out, _ = runData("list", "svhn", "--root", root)
	require.Zero(t, status)
	require.Contains(t, out, "found: no")
	require.NotContains(t, out, "cifar10")
	status, _, errs := runData("list", "cifar11")
	require.Equal(t, exitUsage, status)
	require.Contains(t, errs, `"cifar11": no such data set`)
}

func TestVerify(t *testing.T) {
	root := cifar(t, record(3, 7), record(3, 100), record(4, 100))
	status, out, errs := runData("verify", "cifar10", "--root", root)
	require.Zero(t, status, errs)
	for _, want := range []string{
		"training images: 10, the whole set has 50000", "classes: 10 with 1 images each",
		"test images: 3, the whole set has 10000", "classes without images: 8",
		"test image 2 is test image 1, but labelled deer and not cat",
		"test image 0 is training image 5, but labelled cat and not horse",
		"checksums: of none of these files is one known",
	} {
		require.Contains(t, out, want)
	}
}

func TestVerifyFaults(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "cifar-10-python.tar.gz"), []byte("not it"), 0o666))
	status, out, errs := runData("verify", "cifar10", "--root", root)
	require.Equal(t, exitFaulty, status)
	require.Contains(t, out, "published is c58f30108f718f92721af3b95e74349a")
	require.Contains(t, out, "cannot be opened")
	require.Contains(t, errs, "faults were found")

	root = t.TempDir()
	dir := filepath.Join(root, "k")
	require.NoError(t, os.Mkdir(dir, 0o777))
	good := sheetOf(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.png"), good, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.png"), good[:len(good)/2], 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.png"), good, 0o666))
	status, out, _ = runData("verify", "folder:"+root)
	require.Equal(t, exitFaulty, status)
	require.Contains(t, out, "image 1 cannot be read: "+filepath.Join(dir, "b.png"))
	require.Contains(t, out, "test image 2 is test image 0")

	status, _, errs = runData("verify", "svhn", "--root", root)
	require.Equal(t, exitError, status)
	require.Contains(t, errs, "train_32x32.mat")
	status, _, _ = runData("verify")
	require.Equal(t, exitUsage, status)
}

// sheetOf returns a sheet as PNG.
func sheetOf(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sheet.png")
	status, _, errs := runData("show", "cifar10", "--root", cifar(t, record(1, 200), record(2, 50), record(2, 51)), "--columns", "2", "--first", "--out", out)
	require.Zero(t, status, errs)
	content, err := os.ReadFile(out)
	require.NoError(t, err)
	return content
}

func TestShow(t *testing.T) {
	img, err := png.Decode(bytes.NewReader(sheetOf(t)))
	require.NoError(t, err)
	require.Equal(t, 2*(96+gap)+gap, img.Bounds().Dx())
	require.Equal(t, 2*(96+caption+gap)+gap, img.Bounds().Dy())
	for i, want := range []uint32{200, 50, 51} {
		r, g, b, _ := img.At(gap+48+i%2*(96+gap), gap+48+i/2*(96+caption+gap)).RGBA()
		require.Equal(t, [3]uint32{want, want, want}, [3]uint32{r >> 8, g >> 8, b >> 8})
	}
	dark := 0
	for x := range 96 { // the caption below the first image
		for y := range caption {
			if r, _, _, _ := img.At(gap+x, gap+96+y).RGBA(); r < 0x8000 {
				dark++
			}
		}
	}
	require.Greater(t, dark, 50)
	root := cifar(t, record(1, 200))
	for want, args := range map[string][]string{
		"no such class": {"--class", "unicorn"}, "want test or train": {"--split", "all"}, "--count 0": {"--count", "0"},
	} {
		status, _, errs := runData(append([]string{"show", "cifar10", "--root", root, "--out", filepath.Join(root, "x.png")}, args...)...)
		require.Equal(t, exitUsage, status)
		require.Contains(t, errs, want)
	}
}

func TestConvert(t *testing.T) {
	root, out := cifar(t, record(1, 200), record(2, 50)), filepath.Join(t.TempDir(), "packed")
	status, text, errs := runData("convert", "cifar10", "--root", root, "--out", out)
	require.Zero(t, status, errs)
	require.Contains(t, text, "10 images of 32x32x3")
	data, err := dataset.Open("packed:"+out, dataset.Config{})
	require.NoError(t, err)
	pixels := make([]float32, 3072)
	label, err := data.Test.Read(1, pixels)
	require.NoError(t, err)
	require.Equal(t, 2, label)
	require.Equal(t, float32(50)/255, pixels[77])

	status, text, errs = runData("convert", "cifar10", "--root", root, "--out", out, "--arch", "resnet18")
	require.Zero(t, status, errs)
	require.Contains(t, text, "2 images of 224x224x3")
	for want, args := range map[string][]string{"no": {"--arch", "no"}, "give one": {"--arch", "resnet18", "--crop", "3"}, "--resize -1": {"--resize", "-1"}} {
		status, _, errs := runData(append([]string{"convert", "cifar10", "--root", root, "--out", out}, args...)...)
		require.Equal(t, exitUsage, status, strings.Join(args, " "))
		require.Contains(t, errs, want)
	}
}
