package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// bench runs the command on a small net and returns its report and what it printed.
func bench(t *testing.T, args ...string) (report, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bench.json")
	args = append([]string{"--arch", "smallcnn_mnist", "--batch", "4", "--seconds", "0.001", "--json", file}, args...)
	var stdout, stderr bytes.Buffer
	require.Zero(t, command(t.Context(), args, &stdout, &stderr), "%s", &stderr)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var rep report
	require.NoError(t, json.Unmarshal(text, &rep))
	return rep, stdout.String()
}

func find(t *testing.T, rep report, engine, operation string) result {
	t.Helper()
	for _, r := range rep.Results {
		if r.Engine == engine && r.Operation == operation {
			return r
		}
	}
	t.Fatalf("no %s on %s", operation, engine)
	return result{}
}

func TestEveryRow(t *testing.T) {
	rep, text := bench(t, "--backend", "go", "--repeats", "2")
	require.Len(t, rep.Results, len(operations))
	for _, op := range operations {
		r := find(t, rep, "go", op.name)
		require.Len(t, r.Rates, 2, op.name)
		require.Positive(t, min(r.Rates[0], r.Rates[1], r.Median, r.First), op.name)
		require.Contains(t, text, op.title)
	}
	require.Greater(t, find(t, rep, "go", "rr_bs").Evaluations, 1.0)

	rat, plain, bare := find(t, rep, "go", "rat"), find(t, rep, "go", "plain"), find(t, rep, "go", "bare")
	require.Len(t, rep.Ratios, 2)
	for _, want := range []struct {
		name        string
		slow, quick result
	}{{plainBare, plain, bare}, {ratPlain, rat, plain}} {
		a, b := want.quick.Rates[0]/want.slow.Rates[0], want.quick.Rates[1]/want.slow.Rates[1]
		i := 0
		if want.name == ratPlain {
			i = 1
		}
		r := rep.Ratios[i]
		require.Equal(t, want.name, r.Name)
		require.InDelta(t, (a+b)/2, r.Value, 1e-9)
		require.InDelta(t, min(a, b), r.Lowest, 1e-9)
		require.InDelta(t, max(a, b), r.Most, 1e-9)
		require.Regexp(t, fmt.Sprintf(`go +4 +%s +%.2f +%.2f to %.2f`, want.name, r.Value, r.Lowest, r.Most), text)
	}
}

func TestOnly(t *testing.T) {
	rep, text := bench(t, "--backend", "go", "--repeats", "1", "--only", "rr_fast", "forward")
	require.Len(t, rep.Results, 2)
	require.Empty(t, rep.Ratios)
	require.NotContains(t, text, "RAT step")
}

// On several devices everything but the bare graph is measured.
func TestDevices(t *testing.T) {
	rep, text := bench(t, "--backend", "xla:cpu", "--repeats", "1", "--devices", "2", "--only", "bare", "rat", "rr_bs")
	require.Len(t, rep.Results, 2)
	for _, r := range rep.Results {
		require.Equal(t, 2, r.Devices)
		require.Positive(t, r.Median)
	}
	require.Contains(t, text, "the bare graph is for one device only")
}

// The bare graph is the training step that it is compared with: same losses, step by step.
func TestBareGraph(t *testing.T) {
	for _, name := range []string{"xla:cpu", "go"} {
		be, err := backend.OpenConfig(backend.Config{Name: name, Quiet: true})
		require.NoError(t, err)
		defer be.Finalize()
		a, err := nets.Lookup("smallcnn_mnist")
		require.NoError(t, err)
		s, err := newSubject(engine{be, 1}, a, 16, 3)
		require.NoError(t, err)
		g, err := newBareGraph(be, a, s.clf.Weights(), 0.1, 0.01)
		require.NoError(t, err)
		defer g.free()
		set, err := s.set(1)
		require.NoError(t, err)

		cfg := settings(s, train.Plain{})
		cfg.Epochs, cfg.LearningRate, cfg.WeightDecay = 5, 0.1, 0.01
		var first, last float64
		cfg.OnStep = func(step train.Step) error {
			loss, err := g.step(s.images, s.labels)
			require.NoError(t, err)
			require.InEpsilon(t, step.Loss, loss, 1e-4, "step %d", step.Step)
			if last = step.Loss; step.Step == 1 {
				first = last
			}
			return nil
		}
		_, err = train.Fit(t.Context(), s.clf, set, cfg)
		require.NoError(t, err)
		require.Less(t, last, first-0.1, "trained")
	}
}

// python writes an interpreter that answers as the script would, with rates by its own arithmetic.
func python(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "python")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755))
	return file
}

func TestTorchRatios(t *testing.T) {
	file := python(t, `case "$3" in
*'"operations":null'*) echo '{"version": "9.9", "nets": {"smallcnn_mnist": {"parameters": 24058, "source": "own"}}}' ;;
*'"operations":["forward","rat"]'*) echo '[
	{"layout": "NCHW", "operation": "forward", "first_seconds": 1, "images_per_second": [100, 300]},
	{"layout": "NCHW", "operation": "rat", "first_seconds": 1, "images_per_second": [10, 10]},
	{"layout": "channels_last", "operation": "forward", "first_seconds": 1, "images_per_second": [400, 400]},
	{"layout": "channels_last", "operation": "rat", "first_seconds": 1, "images_per_second": [20, 20]}]' ;;
esac
`)
	rep, text := bench(t, "--backend", "go", "--repeats", "2", "--only", "forward", "bare", "rat", "--torch", file)
	require.Len(t, rep.Results, 3+4)
	const nchw, last = "PyTorch 9.9 (own), NCHW", "PyTorch 9.9 (own), channels_last"
	require.Equal(t, 200.0, find(t, rep, nchw, "forward").Median)
	require.Equal(t, 0.5, find(t, rep, nchw, "forward").Spread)
	want := map[string]float64{
		"forward/" + nchw: find(t, rep, "go", "forward").Median / 200, "forward/" + last: find(t, rep, "go", "forward").Median / 400,
		"rat/" + nchw: find(t, rep, "go", "rat").Median / 10, "rat/" + last: find(t, rep, "go", "rat").Median / 20,
	}
	require.Len(t, rep.Ratios, len(want))
	for _, r := range rep.Ratios {
		require.InEpsilon(t, want[r.Name+"/"+r.Peer], r.Value, 1e-9, "%s to %s", r.Name, r.Peer)
	}
	require.Regexp(t, fmt.Sprintf(`over those of PyTorch 9.9 \(own\), NCHW\nengine.*\ngo +4 +%.2f +- +%.2f\n`, want["forward/"+nchw], want["rat/"+nchw]), text)
}

// What was measured before something failed is printed.
func TestPartOfANetwork(t *testing.T) {
	file := python(t, `case "$3" in
*'"operations":null'*) echo '{"version": "9.9", "nets": {"smallcnn_mnist": {"parameters": 24058, "source": "own"}}}' ;;
*) echo "out of memory" >&2; exit 1 ;;
esac
`)
	var stdout, stderr bytes.Buffer
	args := strings.Fields("--arch smallcnn_mnist --backend go --batch 4 --seconds 0.001 --repeats 1 --only forward --torch " + file)
	require.Equal(t, exitError, command(t.Context(), args, &stdout, &stderr))
	require.Regexp(t, `\ngo +4 +\d`, stdout.String())
	require.Contains(t, stderr.String(), "smallcnn_mnist, PyTorch, batch 4: --torch "+file+": exit status 1: out of memory")
}

func TestMistakes(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"--repeats 0", exitUsage, "--repeats 0"},
		{"--seconds 0", exitUsage, "--seconds 0"},
		{"--batch 0", exitUsage, "--batch 0"},
		{"--arch lenet", exitUsage, `unknown architecture "lenet"`},
		{"--only foward", exitUsage, "--only foward: want some of forward gradient bare plain rat rr_fast rr_bs"},
		{"--devices 2", exitUsage, "--devices 2: go has 1"},
		{"--devices some", exitUsage, "--devices some"},
		{"--backend abacus", exitError, "abacus"},
		{"--torch " + folder + "/none", exitError, "--torch " + folder + "/none: fork/exec " + folder + "/none: no such file or directory; want the path of a Python with PyTorch"},
		{"--torch no-such-python", exitError, `executable file not found in $PATH; want the path of a Python with PyTorch`},
		{"--torch " + python(t, "echo Traceback >&2\necho \"No module named 'torch'; install PyTorch\" >&2\nexit 1\n"), exitError, "exit status 1: No module named 'torch'; install PyTorch"},
		{"--torch " + python(t, "echo 3.14"), exitError, `answer "3.14\n"`},
		{"--torch " + python(t, "echo '{}'"), exitError, "smallcnn_mnist has 0 parameters, ours 24058"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append(strings.Fields("--arch smallcnn_mnist --backend go --batch 4 --repeats 1"), strings.Fields(c.args)...)
			require.Equal(t, c.status, command(t.Context(), args, &stdout, &stderr), "%s", &stderr)
			require.Contains(t, stderr.String(), c.want)
			if !strings.Contains(c.want, "unknown architecture") { // whose names are listed below
				require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", &stderr)
			}
			require.Empty(t, stdout.String())
		})
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	args := strings.Fields("--arch smallcnn_mnist --backend go --batch 4 --only forward")
	require.Equal(t, exitInterrupted, command(ctx, args, &stdout, &stderr), "%s", &stderr)
}
