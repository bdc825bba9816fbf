package main

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func small(dir string) options {
	return options{
		Dataset: "mnist", TrainSize: 640, ValSize: 200, TestSize: 300, Epochs: 2, StepSizes: []float64{0.001, 0.01},
		BatchSize: 64, Resamples: 20, Backend: "go", Seed: 1, Out: dir,
	}
}

// The whole job, small: the leaderboard holds both nets and every score, figures and their data are there, and doing it
// again gives the same numbers.
func TestWholeJob(t *testing.T) {
	dir := t.TempDir()
	var out, log bytes.Buffer
	if err := run(context.Background(), small(dir), &out, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MSR", "RR_fgsm", "plain on mnist: 300 images", "RAT 0.0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the leaderboard lacks %q:\n%s", want, out.String())
		}
	}
	if !strings.Contains(log.String(), "chosen on validation images: RAT 0.0") {
		t.Errorf("the chosen step size is not stated:\n%s", log.String())
	}
	for _, d := range gallery() {
		f, err := os.Open(filepath.Join(dir, d.file+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(f); err != nil || img.Bounds().Dx() < 500 {
			t.Errorf("%s: %v", d.file, err)
		}
		f.Close()
		data, err := os.ReadFile(filepath.Join(dir, d.file+".csv"))
		if err != nil || !bytes.HasPrefix(data, []byte("# go run ./scripts/figures --dataset mnist --train_size 640")) {
			t.Errorf("%s.csv: %v, starts with %.80q", d.file, err, data)
		}
	}
	var again bytes.Buffer
	if err := run(context.Background(), small(t.TempDir()), &again, io.Discard); err != nil {
		t.Fatal(err)
	}
	if again.String() != out.String() {
		t.Errorf("a second run gives\n%s\nthe first gave\n%s", again.String(), out.String())
	}
}

// Plain training has one loss of weight 1; README says that RAT's gradients are of the same size.
func TestObjective(t *testing.T) {
	if o := objective(0.01); o.Lambda+o.OriginalLambda != 1 || o.Lambda != o.OriginalLambda || o.StepSize != 0.01 {
		t.Errorf("%+v is not the mean of both losses", o)
	}
}

func TestBadInput(t *testing.T) {
	for want, change := range map[string]func(*options){
		"--step_sizes":      func(o *options) { o.StepSizes = []float64{math.NaN()} },
		"--train_size":      func(o *options) { o.TrainSize = 100_000 },
		"no-such-folder":    func(o *options) { o.DataDir = "no-such-folder" },
		"cifar11":           func(o *options) { o.Dataset = "cifar11" },
		"unknown backend":   func(o *options) { o.Backend = "tpu" },
		"not a directory":   func(o *options) { o.Out = "main.go/sub" },
		"validation images": func(o *options) { o.ValSize = 0 },
	} {
		o := small(t.TempDir())
		change(&o)
		err := run(context.Background(), o, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, small(t.TempDir()), io.Discard, io.Discard); err == nil {
		t.Error("a cancelled run ended without error")
	}
}
