package main

import (
	"path/filepath"
	"testing"

	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/weights"
)

// tinyNet writes untrained weights of the small net for MNIST, which knows little but differs from image to image.
func tinyNet(t testing.TB, seed uint64) (path string) {
	t.Helper()
	a, err := nets.Lookup("smallcnn_mnist")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "net.safetensors")
	if err := weights.Save(path, a.Init(seed), nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// tiny returns a command line that scores 100 images in chunks of 16, by few scores on the Go backend.
func tiny(net, out string, more ...string) []string {
	return append([]string{"--dataset", "mnist", "--ckpt", net, "--images", "100", "--chunk_size", "16", "--batch_size", "8",
		"--confid_scores", "MSR", "ODIN", "RR_fast", "--robust_radius", "--backend", "go", "--resamples", "20", "--out", out}, more...)
}
