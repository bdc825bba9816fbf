package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// runFolder returns the folder of a net of the small job.
func runFolder(t *testing.T, runs, name string) string {
	found, err := filepath.Glob(filepath.Join(runs, name+"_*", runRecord))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return filepath.Dir(found[0])
}

// The runs of the whole job, drawn by --from, give the same figures but for the command in their data.
func TestFromWholeJob(t *testing.T) {
	j := job()
	require.Zero(t, j.status, j.stderr)
	runs, out := filepath.Join(root, "runs"), t.TempDir()
	rat, err := filepath.Glob(filepath.Join(runs, "mnist_rat_*", runRecord))
	require.NoError(t, err)
	require.Len(t, rat, 1)
	plain := runFolder(t, runs, "mnist_plain")
	status, stdout, stderr := call(t, "--from", plain, filepath.Dir(rat[0]), "--resamples", "20", "--out", out)
	require.Zero(t, status, stderr)
	require.Equal(t, j.out, stdout)
	require.Contains(t, stderr, "method is not drawn: ")
	require.Equal(t, 1, strings.Count(stderr, "is not drawn"))
	for _, d := range gallery() {
		if d.name == "method" {
			require.NoFileExists(t, filepath.Join(out, "method.png"))
			continue
		}
		want, err := os.ReadFile(filepath.Join(root, "out", d.name+".csv"))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(out, d.name+".csv"))
		require.NoError(t, err)
		command, data, _ := strings.Cut(string(got), "\n")
		_, wanted, _ := strings.Cut(string(want), "\n")
		require.Equal(t, wanted, data, d.name)
		require.Contains(t, command, "--from "+plain)
	}
}

// writeRun writes a run of some images, as other commands do.
func writeRun(t *testing.T, dir, file, record, content string) string {
	require.NoError(t, os.MkdirAll(dir, 0o777))
	run := &misd.Run{Classes: 2}
	msr, radii := misd.Score{Name: "MSR"}, misd.Score{Name: "RR_fast"}
	for i := range 60 {
		run.Label = append(run.Label, i%2)
		run.Pred = append(run.Pred, (i+i/50)%2)
		msr.Values = append(msr.Values, 1-float64(i*37%61)/130)
		radii.Values = append(radii.Values, .1/float64(1+i*17%61))
	}
	run.Scores = []misd.Score{msr, radii}
	write := report.WriteScoresNPZ
	if filepath.Ext(file) == ".csv" {
		write = report.WriteScoresCSV
	}
	require.NoError(t, write(filepath.Join(dir, file), run))
	if record != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, record), []byte(content), 0o666))
	}
	return dir
}

func TestFromOtherCommands(t *testing.T) {
	dir := t.TempDir()
	a := writeRun(t, filepath.Join(dir, "a"), "scores.npz", "run.json", `{"run":{"format":1,"arch":"wrn","dataset":"d","scores":[]},"fitted":[]}`)
	b := writeRun(t, filepath.Join(dir, "b"), "scores.csv", "metrics.json", `{"dataset":"d","model":"wrn","scores":{}}`)
	c := writeRun(t, filepath.Join(dir, "c"), "test.npz", "result.json", `{"settings":{"dataset":"d","treatment":"rat_mixup","arch":"x"},"test":{}}`)
	d := writeRun(t, filepath.Join(dir, "d"), "scores.npz", "", "")
	out := t.TempDir()
	status, stdout, stderr := call(t, "--from", a, b, c, d, "--resamples", "0", "--out", out)
	require.Zero(t, status, stderr)
	for _, want := range []string{"a (wrn) on d: 60 images, 10 errors", "b (wrn) on d", "rat_mixup on d", "d: 60 images"} {
		require.Contains(t, stdout, want)
	}
	for _, name := range []string{"roc", "risk_coverage", "radius_density", "aurc"} {
		require.FileExists(t, filepath.Join(out, name+".png"))
	}
	for _, name := range []string{"reliability", "rays", "corruption", "images", "method", "radius_agreement"} {
		require.Contains(t, stderr, name+" is not drawn: ")
		require.NoFileExists(t, filepath.Join(out, name+".png"))
	}
	status, _, stderr = call(t, "--from", a, "--only", "rays", "--out", out)
	require.Equal(t, exitError, status)
	require.Equal(t, "figures: rays: there are no rays of wrn\n", stderr)

	e := writeRun(t, filepath.Join(dir, "e"), "scores.npz", "metrics.json", `{"dataset":"mnist","model":"e"}`)
	status, _, stderr = call(t, "--from", e, "--only", "images", "--out", out)
	require.Equal(t, exitError, status)
	require.Equal(t, "figures: images: e was not scored on the first test images of mnist\n", stderr)
}

func TestFromErrors(t *testing.T) {
	dir := t.TempDir()
	split := filepath.Join(dir, "splits", "split_1")
	writeRun(t, split, "scores.npz", "", "")
	broken := writeRun(t, filepath.Join(dir, "broken"), "scores.npz", "run.json", "{")
	damaged := writeRun(t, filepath.Join(dir, "damaged"), "scores.npz", "", "")
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "scores.npz"), []byte("PK"), 0o666))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o777))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	for from, want := range map[string]string{
		filepath.Join(dir, "missing"): "no such file",
		empty:                         "is no run: none of scores.npz, scores.csv, test.npz is in it",
		file:                          "is a file; want the folder of a run",
		filepath.Dir(split):           "there are runs below it: " + split,
		broken:                        filepath.Join(broken, "run.json"),
		damaged:                       filepath.Join(damaged, "scores.npz"),
	} {
		status, stdout, stderr := call(t, "--from", from, "--out", filepath.Join(dir, "out"))
		require.Equal(t, exitError, status)
		require.Contains(t, stderr, want)
		require.True(t, strings.HasPrefix(stderr, "figures: --from: "), stderr)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		require.Empty(t, stdout)
	}
}
