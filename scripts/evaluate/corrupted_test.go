package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/dataset/corrupt"
)

// The flag corrupts what is scored, names it in the record, and image i is corrupted alike whatever --images says.
func TestCorruption(t *testing.T) {
	net, dir := tinyNet(t, 1), t.TempDir()
	out := filepath.Join(dir, "out")
	var stdout, stderr bytes.Buffer
	if status := command(context.Background(), tiny(net, out, "--corruption", "fog", "--severity", "2"), &stdout, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, stderr.String())
	}
	data, err := os.ReadFile(filepath.Join(out, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data) || !strings.Contains(string(data), `"mnist+fog:2"`) {
		t.Errorf("the record does not name the corruption:\n%s", data)
	}

	digits, err := dataset.Open("mnist", dataset.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := corrupt.Apply(digits.Test, "fog", 2, 7)
	if err != nil {
		t.Fatal(err)
	}
	s := source{Dataset: "mnist", Seed: 7, corruption: corruption{Corruption: "fog", Severity: 2}}
	got, err := s.corrupted(digits.Test)
	if err != nil {
		t.Fatal(err)
	}
	part, err := between(got, 5, 9)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]float32, 28*28), make([]float32, 28*28)
	if _, err := part.Read(1, a); err != nil {
		t.Fatal(err)
	}
	if _, err := want.Read(6, b); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("value %d: %v, want %v", i, a[i], b[i])
		}
	}

	for flags, want := range map[string]string{
		"--corruption fog":                                 "needs --severity",
		"--corruption fog --severity 6":                    "needs --severity",
		"--severity 3":                                     "are for --corruption",
		"--corruption mist --severity 1":                   `"mist"`,
		"--corruption frost --severity 1 --frost_dir none": "frost1.png",
	} {
		stderr.Reset()
		if status := command(context.Background(), tiny(net, t.TempDir(), strings.Fields(flags)...), &stdout, &stderr); status == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %q, want %q", flags, status, stderr.String(), want)
		}
	}
}
