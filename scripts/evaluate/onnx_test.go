package main

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onnxFile is a network for MNIST, see ratml/weights/onnx/testdata/export.py.
func onnxFile(name string) string {
	return filepath.Join("..", "..", "ratml", "weights", "onnx", "testdata", name)
}

// TestONNX scores with a network whose normalisation is stated, and with the same one that has it inside.
func TestONNX(t *testing.T) {
	var tables [][][]string
	for _, c := range []struct {
		flags []string
		notes []string
	}{
		{[]string{"--model", onnxFile("mnist_outside.onnx"), "--mean", "0.1307", "--std", "0.3081"}, []string{"layout NCHW"}},
		{[]string{"--model", onnxFile("mnist_inside.onnx")}, []string{"layout NHWC", "normalisation is taken to be inside", "batches of 1"}},
		{[]string{"--ckpt", onnxFile("mnist_inside.onnx"), "--layout", "NHWC", "--output", "logits"}, nil},
	} {
		out := t.TempDir()
		log := evaluateOK(t, append(c.flags, "--dataset", "mnist", "--images", "20", "--confid_scores", "MSR", "RR_fast", "ODIN", "--val_split", "0.5",
			"--backend", "go", "--resamples", "0", "--out", out)...)
		for _, note := range c.notes {
			require.Contains(t, log, note)
		}
		f, err := os.Open(filepath.Join(out, "scores.csv"))
		require.NoError(t, err)
		table, err := csv.NewReader(f).ReadAll()
		f.Close()
		require.NoError(t, err)
		require.Len(t, table, 11)
		tables = append(tables, table)
	}
	for _, table := range tables[1:] {
		for i, row := range table {
			for j, cell := range row {
				v, err := strconv.ParseFloat(cell, 64)
				if err != nil {
					require.Equal(t, tables[0][i][j], cell)
					continue
				}
				want, err := strconv.ParseFloat(tables[0][i][j], 64)
				require.NoError(t, err)
				require.LessOrEqual(t, math.Abs(v-want), 1e-4*max(1, math.Abs(want)), "row %d column %d", i, j)
			}
		}
	}
}

func TestONNXFlags(t *testing.T) {
	for _, c := range []struct {
		flags []string
		want  string
		code  int
	}{
		{[]string{"--model", smallNet, "--mean", "0.5"}, "--mean: only for ONNX files", exitUsage},
		{[]string{"--model", onnxFile("mnist_outside.onnx"), "--layout", "CHWN"}, `--layout "CHWN"`, exitUsage},
		{[]string{"--model", onnxFile("mnist_outside.onnx"), "--output", "elsewhere"}, `no output "elsewhere"`, exitError},
		{[]string{"--model", onnxFile("mnist_outside.onnx"), "--input_size", "32x32x1"}, "does not take images", exitError},
		{[]string{"--model", onnxFile("mnist_outside.onnx"), "--input_size", "32"}, "such as 224x224x3", exitUsage},
	} {
		var out, errs strings.Builder
		args := append([]string{"--images", "5", "--backend", "go", "--out", t.TempDir()}, c.flags...)
		require.Equal(t, c.code, command(t.Context(), args, &out, &errs), "%s", &errs)
		require.Contains(t, errs.String(), c.want)
	}
}
