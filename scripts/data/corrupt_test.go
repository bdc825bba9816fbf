package main

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
)

// corruptTo runs the job on a few generated images and returns its exit status and what it printed.
func corruptTo(t *testing.T, dir string, flags ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{"corrupt", "synthetic", "--limit", "7", "--seed", "3", "--out", dir}, flags...)
	status = command(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestCorruptArrays(t *testing.T) {
	dir := t.TempDir()
	status, out, errs := corruptTo(t, dir, "--corruption", "fog,gaussian_noise", "fog", "--workers", "3")
	require.Zero(t, status, errs)
	require.Contains(t, out, "2 corruptions of 7 images")

	data, err := dataset.Open("synthetic", dataset.Config{})
	require.NoError(t, err)
	shape := data.Test.Shape()
	read := func(name string) (values []uint8, sizes []int) {
		file, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		defer file.Close()
		r, err := npyio.NewReader(file)
		require.NoError(t, err)
		require.NoError(t, r.Read(&values))
		return values, r.Header.Descr.Shape
	}
	labels, sizes := read("labels.npy")
	require.Equal(t, []int{35}, sizes)
	for _, name := range []string{"fog", "gaussian_noise"} {
		pixels, sizes := read(name + ".npy")
		require.Equal(t, []int{35, shape.Height, shape.Width, shape.Channels}, sizes)
		for severity := 1; severity <= 5; severity++ {
			set, err := corrupt.Apply(data.Test, name, severity, 3)
			require.NoError(t, err)
			want := make([]uint8, shape.Size())
			for i := range 7 {
				label, err := readBytes(set, i, want)
				require.NoError(t, err)
				row := (severity-1)*7 + i
				require.Equal(t, want, pixels[row*shape.Size():(row+1)*shape.Size()], "%s %d, image %d", name, severity, i)
				require.EqualValues(t, label, labels[row])
			}
		}
	}

	// Again: what is whole stays, what is not is written anew.
	fog := filepath.Join(dir, "fog.npy")
	whole, err := os.ReadFile(fog)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(fog, whole[:100], 0o666))
	status, out, errs = corruptTo(t, dir, "--corruption", "fog", "gaussian_noise")
	require.Zero(t, status, errs)
	require.Contains(t, out, "35 were there already")
	again, err := os.ReadFile(fog)
	require.NoError(t, err)
	require.Equal(t, whole, again)

	// Other settings are refused.
	status, _, errs = corruptTo(t, dir, "--parameters", "imagenet")
	require.Equal(t, exitError, status)
	require.Contains(t, errs, "other settings")
}

func TestCorruptFiles(t *testing.T) {
	dir := t.TempDir()
	status, _, errs := corruptTo(t, dir, "--corruption", "contrast", "--severity", "2", "4", "--format", "png")
	require.Zero(t, status, errs)
	data, err := dataset.Open("synthetic", dataset.Config{})
	require.NoError(t, err)
	set, err := corrupt.Apply(data.Test, "contrast", 4, 3)
	require.NoError(t, err)
	want := make([]uint8, set.Shape().Size())
	label, err := readBytes(set, 5, want)
	require.NoError(t, err)
	path := filepath.Join(dir, "contrast", "4", set.Classes()[label], "00000005.png")
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	img, err := png.Decode(file)
	require.NoError(t, err)
	require.Equal(t, asImage(set.Shape(), want), img)

	require.NoError(t, os.Remove(path))
	status, out, errs := corruptTo(t, dir, "--corruption", "contrast", "--severity", "2", "4", "--format", "png")
	require.Zero(t, status, errs)
	require.Contains(t, out, "13 were there already")
	require.FileExists(t, path)

	jpegs := t.TempDir()
	status, _, errs = corruptTo(t, jpegs, "--corruption", "fog", "--severity", "1", "--format", "jpeg")
	require.Zero(t, status, errs)
	found, err := filepath.Glob(filepath.Join(jpegs, "fog", "1", "*", "*.JPEG"))
	require.NoError(t, err)
	require.Len(t, found, 7)
}

func TestCorruptSheet(t *testing.T) {
	dir := t.TempDir()
	status, _, errs := corruptTo(t, dir, "--sheet", "--corruption", "common", "--severity", "5")
	require.Zero(t, status, errs)
	file, err := os.Open(filepath.Join(dir, "sheet.png"))
	require.NoError(t, err)
	defer file.Close()
	img, err := png.DecodeConfig(file)
	require.NoError(t, err)
	data, err := dataset.Open("synthetic", dataset.Config{})
	require.NoError(t, err)
	require.Equal(t, 16*(data.Test.Shape().Width+2), img.Width)
	require.Equal(t, data.Test.Shape().Height+2, img.Height)
}

func TestCorruptCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	dir := t.TempDir()
	require.Equal(t, exitInterrupted, command(ctx, []string{"corrupt", "synthetic", "--out", dir, "--corruption", "fog"}, &out, &errs))
	require.NoFileExists(t, filepath.Join(dir, "fog.npy"))
}

func TestCorruptMistakes(t *testing.T) {
	for _, c := range []struct {
		flags  string
		status int
		want   string
	}{
		{"--corruption mist", exitUsage, `"mist"`},
		{"--severity 6", exitUsage, "--severity 6"},
		{"--severity 0", exitUsage, "--severity 0"},
		{"--severity 3", exitUsage, "--format png"},
		{"--format gif", exitUsage, `"gif"`},
		{"--parameters tiny", exitUsage, "imagenet"},
		{"--limit -2", exitUsage, "--limit"},
		{"--corruption frost --frost_dir nowhere", exitError, "frost1.png"},
	} {
		status, _, errs := corruptTo(t, t.TempDir(), strings.Fields(c.flags)...)
		require.Equal(t, c.status, status, c.flags)
		require.Contains(t, errs, c.want, c.flags)
	}
	_, err := classFolders([]string{"a/b", "a_b"})
	require.ErrorContains(t, err, "share the folder")
	folders, err := classFolders([]string{"..", "", "x:y", "café"})
	require.NoError(t, err)
	require.Equal(t, []string{"class0", "class1", "x_y", "café"}, folders)
}

// What is written for CIFAR-10 is read as CIFAR-10-C.
func TestCorruptReadBack(t *testing.T) {
	const sets = "../../ratml/dataset/testdata/sets"
	root := t.TempDir()
	var out, errs bytes.Buffer
	status := command(context.Background(), []string{"corrupt", "cifar10", "--root", sets, "--corruption", "common", "--seed", "5", "--out", filepath.Join(root, "CIFAR-10-C")}, &out, &errs)
	require.Zero(t, status, errs.String())
	clean, err := dataset.Open("cifar10", dataset.Config{Dir: sets})
	require.NoError(t, err)
	want, err := corrupt.Apply(clean.Test, "snow", 3, 5)
	require.NoError(t, err)
	got, err := dataset.Open("cifar10c:snow:3", dataset.Config{Dir: root})
	require.NoError(t, err)
	require.Equal(t, want.Len(), got.Test.Len())
	require.Equal(t, want.Classes(), got.Test.Classes())
	a, b := make([]float32, 3072), make([]float32, 3072)
	for i := range want.Len() {
		labelA, err := want.Read(i, a)
		require.NoError(t, err)
		labelB, err := got.Test.Read(i, b)
		require.NoError(t, err)
		require.Equal(t, labelA, labelB)
		require.Equal(t, a, b)
	}
}
