package onnx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/weights/onnx"
)

// TestFolder compares the files of the folder $ONNX_MODELS, made by testdata/export.py DIR or testdata/tensorflow_export.py
// DIR, with the logits and gradients beside them: NAME_EXPORTER.onnx with NAME.json. They are too large to be kept here.
func TestFolder(t *testing.T) {
	folder := os.Getenv("ONNX_MODELS")
	if folder == "" {
		t.Skip("$ONNX_MODELS is not set")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	be := backendtest.XLA(t)
	for _, file := range files {
		name := strings.TrimSuffix(file, ".onnx")
		if i := strings.LastIndex(name, "_"); i > 0 {
			name = name[:i]
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			r := loadReference(t, name+".json")
			start := time.Now()
			c, err := onnx.Open(be, file, onnx.Options{})
			require.NoError(t, err)
			opened := time.Since(start)
			logits, gradient, length := r.differences(t, c)
			t.Logf("logits %.1e, gradient %.1e, its length %.1e (opened in %v, all %v)", logits, gradient, length,
				opened.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
			if logits > 1e-5 || gradient > 1e-4 {
				t.Error("not the same; where a maximum or a ReLU decides between numbers that are the same but for rounding, gradients differ at some pixels")
			}
		})
	}
}
