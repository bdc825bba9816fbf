package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// root holds what tests share.
var root string

func TestMain(m *testing.M) {
	if args := os.Getenv("FIGURES_TEST_ARGS"); args != "" { // a process that a test started
		os.Exit(limited(strings.Split(args, "\n")))
	}
	status := 1
	var err error
	if root, err = os.MkdirTemp("", "figures"); err == nil {
		status = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	os.RemoveAll(root)
	os.Exit(status)
}

// small is a command line for a small job, with the folders for runs and figures.
func small(runs, out string, more ...string) []string {
	return append(strings.Fields("--train_size 640 --val_size 200 --test_size 300 --epochs 2 --step_sizes 0.001 0.01"+
		" --resamples 20 --backend go --runs "+runs+" --out "+out), more...)
}

// call runs the command.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	var out, log bytes.Buffer
	status = command(t.Context(), args, &out, &log)
	return status, out.String(), log.String()
}

// job is what the first small job said. Its files are in root.
var job = sync.OnceValue(func() (j struct {
	status      int
	out, stderr string
}) {
	var out, log bytes.Buffer
	j.status = command(context.Background(), small(filepath.Join(root, "runs"), filepath.Join(root, "out")), &out, &log)
	j.out, j.stderr = out.String(), log.String()
	return j
})

// The whole job, small: the leaderboard holds both nets and every score, figures and their data are there.
func TestWholeJob(t *testing.T) {
	j := job()
	require.Zero(t, j.status, j.stderr)
	for _, want := range []string{"MSR", "RR_fgsm", "plain on mnist: 300 images", "RAT 0.0"} {
		require.Contains(t, j.out, want)
	}
	require.Contains(t, j.stderr, "chosen on validation images: RAT 0.0")
	require.NotContains(t, j.stderr, "already")
	for _, d := range gallery() {
		f, err := os.Open(filepath.Join(root, "out", d.name+".png"))
		require.NoError(t, err)
		img, err := png.Decode(f)
		f.Close()
		require.NoError(t, err, d.name)
		require.Greater(t, img.Bounds().Dx(), 500, d.name)
		data, err := os.ReadFile(filepath.Join(root, "out", d.name+".csv"))
		require.NoError(t, err)
		require.Regexp(t, "^# go run ./scripts/figures --dataset mnist --train_size 640 .*--seed 1\n", string(data), d.name)
		require.Greater(t, bytes.Count(data, []byte("\n")), 6, d.name)
	}
	for _, name := range []string{"leaderboard.md", "leaderboard.csv", "leaderboard.json"} {
		require.FileExists(t, filepath.Join(root, "out", name))
	}
}

// Drawing from what is kept gives the bytes of before, and so does training anew.
func TestSameBytes(t *testing.T) {
	j := job()
	require.Zero(t, j.status, j.stderr)
	for _, more := range [][]string{nil, {"--fresh"}} {
		out := t.TempDir()
		status, stdout, stderr := call(t, small(filepath.Join(root, "runs"), out, more...)...)
		require.Zero(t, status, stderr)
		require.Equal(t, j.out, stdout, more)
		for _, what := range []string{"plain: trained already", "RAT 0.01: trained already", "plain: scored already", "method: trained already"} {
			require.Equal(t, more == nil, strings.Contains(stderr, what), "%v %s", more, what)
		}
		requireSameFiles(t, filepath.Join(root, "out"), out)
	}
}

func requireSameFiles(t *testing.T, a, b string) {
	files, err := os.ReadDir(a)
	require.NoError(t, err)
	others, err := os.ReadDir(b)
	require.NoError(t, err)
	require.Len(t, others, len(files))
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(a, f.Name()))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(b, f.Name()))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), f.Name())
	}
}

// With --only nothing else is drawn, and a figure is the same as in the whole job. What is damaged is made anew.
func TestOnly(t *testing.T) {
	require.Zero(t, job().status)
	runs := filepath.Join(root, "runs_damaged")
	require.NoError(t, os.CopyFS(runs, os.DirFS(filepath.Join(root, "runs"))))
	planes, err := filepath.Glob(filepath.Join(runs, "method_*", planesFile))
	require.NoError(t, err)
	require.Len(t, planes, 1)
	data, err := os.ReadFile(planes[0])
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(planes[0], data, 0o666))

	out := t.TempDir()
	status, stdout, stderr := call(t, small(runs, out, "--only", "roc", "method")...)
	require.Zero(t, status, stderr)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "made anew: "+planes[0]+" is not the file that was written")
	files, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(root, "out", f.Name()))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(out, f.Name()))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), f.Name())
	}
}

func TestFormats(t *testing.T) {
	require.Zero(t, job().status)
	out := t.TempDir()
	status, _, stderr := call(t, small(filepath.Join(root, "runs"), out, "--only", "roc", "--format", "svg", "pdf", "--theme", "dark", "--size", "slide")...)
	require.Zero(t, status, stderr)
	svg, err := os.ReadFile(filepath.Join(out, "roc.svg"))
	require.NoError(t, err)
	require.True(t, bytes.Contains(svg, []byte(`width="720pt"`)), "ten inches")
	require.True(t, bytes.Contains(svg, []byte("#0D1117")), "the dark ground")
	pdf, err := os.ReadFile(filepath.Join(out, "roc.pdf"))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF")))
	require.NoFileExists(t, filepath.Join(out, "roc.png"))
	data, err := os.ReadFile(filepath.Join(out, "roc.csv"))
	require.NoError(t, err)
	require.Regexp(t, "^# .* --size slide --theme dark\n", string(data))
}

func TestList(t *testing.T) {
	status, stdout, _ := call(t, "--list")
	require.Zero(t, status)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, len(names())+len(elsewhere))
	for i, name := range names() {
		require.Regexp(t, "^"+name+"  +.{10}", lines[i])
	}
	require.Contains(t, stdout, "ablation")
}

// Plain training has one loss of weight 1; README says that RAT's gradients are of the same size.
func TestObjective(t *testing.T) {
	o := objective(0.01)
	require.Equal(t, 1.0, o.Lambda+o.OriginalLambda)
	require.Equal(t, o.Lambda, o.OriginalLambda)
	require.Equal(t, 0.01, o.StepSize)
}

func TestBadInput(t *testing.T) {
	file := filepath.Join(root, "a_file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"--step_sizes NaN", exitUsage, "--step_sizes"},
		{"--step_sizes 0.1 0.1", exitUsage, "each once"},
		{"--val_size 0", exitUsage, "validation images"},
		{"--epochs 0", exitUsage, "--epochs 0"},
		{"--resamples -1", exitUsage, "--resamples -1"},
		{"--only roc rock", exitUsage, `no figure "rock", only method, `},
		{"--size poster", exitUsage, "column, page or slide"},
		{"--theme pink", exitUsage, "light or dark"},
		{"--format png gif", exitUsage, `--format "gif"`},
		{"--from x --fresh", exitUsage, "leave one out"},
		{"--nothing", exitUsage, "--nothing"},
		{"--train_size 100000", exitError, "--train_size"},
		{"--data_dir no-such-folder", exitError, "no-such-folder"},
		{"--dataset cifar11", exitError, "cifar11"},
		{"--backend tpu", exitError, "unknown backend"},
		{"--out " + file + "/sub", exitError, "--out: "},
		{"--runs " + file, exitError, "--runs: "},
	} {
		args := append([]string{"--runs", t.TempDir(), "--out", t.TempDir()}, strings.Fields(c.args)...)
		status, stdout, stderr := call(t, args...)
		require.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		require.Contains(t, stderr, c.want, c.args)
		require.Empty(t, stdout, c.args)
		require.Equal(t, 1, strings.Count(stderr, "\n"), "%s: more than one line: %s", c.args, stderr)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	require.Equal(t, exitInterrupted, command(ctx, small(t.TempDir(), t.TempDir()), &log, &log))
	require.Contains(t, log.String(), "figures: interrupted")
	require.NotContains(t, log.String(), "context")
}

func TestCommand(t *testing.T) {
	o := options{From: []string{"runs/a b", "it's", "plain-1.0_x"}, Resamples: 3, Seed: 4, Theme: "light"}
	require.Equal(t, `go run ./scripts/figures --from 'runs/a b' 'it'\''s' plain-1.0_x --resamples 3 --seed 4`, o.command())
}
