package onnx

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ratml/rat/ratml/nets"
)

// FuzzParse reads damaged files as far as there is no graph to build, many in a second.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"normalised_script", "normalised_external", "sklearn_mlp", "sklearn_logistic", "residual_unfolded", "transformer_batch1", "keras_tf2onnx"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".onnx"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	folder := f.TempDir()
	path := filepath.Join(folder, "fuzzed.onnx")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := load(path)
		if err == nil {
			_, _, err = parse(file, folder, Options{Input: nets.Input{Height: 8, Width: 8, Channels: 3}})
		}
		runtime.ReadMemStats(&after)
		// A packed number of one byte becomes eight, and a scalar's name and tensor some hundred.
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20+2000*uint64(len(data)) {
			t.Errorf("%d bytes allocated for a file of %d: %v", got, len(data), err)
		}
	})
}
