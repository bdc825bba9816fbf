package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Scores on the four host devices of XLA's CPU plugin are those on one.
func TestDevices(t *testing.T) {
	net := tinyNet(t, 1)
	var columns []map[string][]float64
	for used, flags := range map[string][]string{
		"1 devices": {"--devices", "1"}, "2 devices": {"--devices", "2"}, "4 devices": {"--data-parallel"},
	} {
		out := t.TempDir()
		args := append([]string{"--ckpt", net, "--backend", "xla:cpu", "--images", "50", "--batch_size", "16", "--resamples", "0",
			"--confid_scores", "MSR", "RR_fast", "--robust_radius", "--out", out}, flags...)
		must(t, args...)
		record, err := os.ReadFile(filepath.Join(out, "run.json"))
		if err != nil || !strings.Contains(string(record), used) {
			t.Errorf("%v: run.json does not say %s (%v)", flags, used, err)
		}
		columns = append(columns, readCSV(t, filepath.Join(out, "scores.csv")))
	}
	for _, other := range columns[1:] {
		for name, want := range columns[0] {
			for i, w := range want {
				if got := other[name][i]; math.Abs(got-w) > 1e-3*math.Abs(w) {
					t.Errorf("%s of image %d is %v on several devices, %v on one", name, i, got, w)
				}
			}
		}
	}
}

func TestBadDevices(t *testing.T) {
	net := tinyNet(t, 1)
	for want, flags := range map[string][]string{
		`--devices "9"`: {"--devices", "9"}, `--devices "0"`: {"--devices", "0"}, `--devices "many"`: {"--devices", "many"},
		"--batch_size 6": {"--devices", "4", "--batch_size", "6"},
	} {
		args := append([]string{"--ckpt", net, "--backend", "xla:cpu", "--images", "8", "--out", t.TempDir()}, flags...)
		if status, _, stderr := evaluateWith(args...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: status %d, no %s in\n%s", flags, status, want, stderr)
		}
	}
}
