package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInspectONNX(t *testing.T) {
	file := filepath.Join("..", "..", "ratml", "weights", "onnx", "testdata", "mnist_outside.onnx")
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, command(t.Context(), []string{"weights", "inspect", file}, &stdout, &stderr), "%s", &stderr)
	require.Regexp(t, `(?m)^format +ONNX$`, stdout.String())
	require.Regexp(t, `(?m)^images +28x28x1$`, stdout.String())
	require.Regexp(t, `(?m)^classes +10$`, stdout.String())
	require.Regexp(t, `(?m)^note +.*layout NCHW`, stdout.String())

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	short := filepath.Join(t.TempDir(), "short.onnx")
	require.NoError(t, os.WriteFile(short, data[:len(data)/2], 0o666))
	stderr.Reset()
	require.Equal(t, exitError, command(t.Context(), []string{"weights", "inspect", short}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "short.onnx")
}
