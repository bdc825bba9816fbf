package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// images is a folder with the first 450 training and 200 test images of MNIST, which is read in no time.
var images string

func TestMain(m *testing.M) {
	if dir := os.Getenv("STUDY_TEST_IMAGES"); dir != "" { // a process that a test started
		images = dir
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "study")
	if err == nil {
		err = writeImages(dir)
	}
	status := 1
	if err == nil {
		images = dir
		status = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// writeImages writes the folder in MNIST's own format.
func writeImages(dir string) error {
	data, err := dataset.Open("mnist", dataset.Config{})
	if err != nil {
		return err
	}
	for name, set := range map[string]dataset.Set{"train": dataset.Take(data.Train, 450), "t10k": dataset.Take(data.Test, 200)} {
		pictures, labels := idx(0x803, uint32(set.Len()), 28, 28), idx(0x801, uint32(set.Len()))
		pixels := make([]float32, 28*28)
		for i := range set.Len() {
			label, err := set.Read(i, pixels)
			if err != nil {
				return err
			}
			labels = append(labels, byte(label))
			for _, v := range pixels {
				pictures = append(pictures, byte(255*v+.5))
			}
		}
		for ending, content := range map[string][]byte{"images-idx3-ubyte": pictures, "labels-idx1-ubyte": labels} {
			if err := os.WriteFile(filepath.Join(dir, name+"-"+ending), content, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// idx is the head of an idx file.
func idx(numbers ...uint32) (head []byte) {
	for _, n := range numbers {
		head = binary.BigEndian.AppendUint32(head, n)
	}
	return head
}

// tiny is a command line of a study of seconds: plain and RAT with two step sizes, two seeds.
func tiny(backend, dir string, more ...string) []string {
	return append([]string{"--dataset", "mnist", "--data_dir", images, "--train_size", "256", "--val_size", "150", "--test_size", "200", "--seeds", "2",
		"--epochs", "1", "--batch_size", "32", "--warmup_epochs", "0", "--only", "plain", "rat", "--step_sizes", "0.01", "0.1", "--resamples", "60",
		"--backend", backend, "--out", filepath.Join(dir, "cells"), "--publish", filepath.Join(dir, "published")}, more...)
}

// call runs the command and returns what it printed.
func call(t *testing.T, status int, args []string) (stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	require.Equal(t, status, command(t.Context(), args, &out, &log), log.String())
	return out.String(), log.String()
}

// results returns the paths of all result.json, sorted, and their contents.
func results(t *testing.T, dir string) (paths []string, contents map[string]string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "cells", "*", "*", "*", resultFile))
	require.NoError(t, err)
	contents = map[string]string{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		require.NoError(t, err)
		contents[p] = string(data)
	}
	return paths, contents
}

// table reads a CSV file that starts with the command.
func table(t *testing.T, dir, name string) (rows []map[string]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "published", name))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(data, []byte("# go run ./scripts/study --dataset mnist --seeds 2 --epochs 1 --train_size 256")))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	lines, err := r.ReadAll()
	require.NoError(t, err)
	for _, line := range lines[1:] {
		row := map[string]string{}
		for j, name := range lines[0] {
			row[name] = line[j]
		}
		rows = append(rows, row)
	}
	return rows
}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

func TestStudy(t *testing.T) {
	dir := t.TempDir()
	stdout, log := call(t, 0, tiny("go", dir))
	require.Contains(t, log, "rat_0.1, seed 2 on mnist: validation accuracy ")
	require.Contains(t, log, "; 1 cell left, about ")
	require.Contains(t, stdout, "| rat | 0.01 | 2 |")
	paths, before := results(t, dir)
	require.Len(t, paths, 6)
	checkNumbers(t, dir, stdout)
	for _, f := range []string{"table.md", "results.json", "ablation_mnist_MSR.png", "ablation_mnist_MSR.csv", "sweep_mnist_RR_fgsm.png", "sweep_mnist_RR_fgsm.csv"} {
		require.FileExists(t, filepath.Join(dir, "published", f))
	}
	again, log := call(t, 0, tiny("go", dir))
	require.NotContains(t, log, "validation accuracy", "nothing is trained twice")
	require.Equal(t, stdout, again)
	_, after := results(t, dir)
	require.Equal(t, before, after)
}

func TestXLA(t *testing.T) {
	if !backend.HasXLA() {
		t.Skip("this build has no XLA")
	}
	dir := t.TempDir()
	line := tiny("xla:cpu", dir, "--seeds", "1", "--step_sizes", "0.1", "--resamples", "0")
	stdout, _ := call(t, 0, line)
	require.Contains(t, stdout, "| rat | 0.1 | 1 |")
	require.Contains(t, stdout, "Backend: xla:cpu.")
	again, log := call(t, 0, line)
	require.NotContains(t, log, "validation accuracy", "nothing is trained twice")
	require.Equal(t, stdout, again)
	_, log = call(t, 0, append(line, "--only", "plain", "--backend", "go"))
	require.Contains(t, log, "plain, seed 1 on mnist: validation accuracy", "another backend is another cell")
	paths, _ := results(t, dir)
	require.Len(t, paths, 3)
}

// checkNumbers computes the tables directly from the scores in the cells.
func checkNumbers(t *testing.T, dir, stdout string) {
	t.Helper()
	runs := func(way, file string) (out []*misd.Run) {
		for _, seed := range []string{"1", "2"} {
			paths, err := filepath.Glob(filepath.Join(dir, "cells", "mnist", way, "seed_"+seed+"_*", file))
			require.NoError(t, err)
			require.Len(t, paths, 1)
			run, err := report.ReadScoresNPZ(paths[0])
			require.NoError(t, err)
			out = append(out, run)
		}
		return out
	}
	direct := func(way, file, score, metric string) (out []float64) {
		for _, run := range runs(way, file) {
			right := 0.
			for i := range run.Label {
				if run.Label[i] == run.Pred[i] {
					right++
				}
			}
			c, err := misd.NewCurve(slices.Repeat([]float64{0}, run.Len()), run.Correct())
			if score != "" {
				c, err = misd.NewCurve(run.Score(score).Values, run.Correct())
			}
			require.NoError(t, err)
			out = append(out, map[string]float64{"accuracy": right / float64(run.Len()), "aurc": c.AURC(), "auroc": c.AUROC(),
				"fpr95_error": c.FPRAtTPR(misd.PositiveError, .95)}[metric])
		}
		return out
	}
	way := func(row map[string]string) string {
		if row["step_size"] == "0" {
			return row["training"]
		}
		return row["training"] + "_" + row["step_size"]
	}
	rows := table(t, dir, "results.csv")
	require.Len(t, rows, 3*(1+7*3))
	for _, row := range rows {
		want := direct(way(row), testFile, row["score"], row["metric"])
		require.InDelta(t, (want[0]+want[1])/2, parse(t, row["mean"]), 1e-12, row)
		require.InDelta(t, math.Abs(want[0]-want[1])/math.Sqrt2, parse(t, row["sd"]), 1e-12, row)
		require.Equal(t, number(want[0])+" "+number(want[1]), row["values"], row)
	}
	rows = table(t, dir, "comparisons.csv")
	require.Len(t, rows, 2*(1+7*3), "two step sizes against plain; plain_x2 and at are not there")
	differ := 0
	for _, row := range rows {
		x, y := direct(way(row), testFile, row["score"], row["metric"]), direct("plain", testFile, row["score"], row["metric"])
		d := []float64{x[0] - y[0], x[1] - y[1]}
		require.InDelta(t, (d[0]+d[1])/2, parse(t, row["difference"]), 1e-12, row)
		// Student's distribution of one degree of freedom is Cauchy's.
		p := 1 - 2/math.Pi*math.Atan(math.Abs(d[0]+d[1])/math.Abs(d[0]-d[1]))
		if d[0] != d[1] {
			differ++
			require.InDelta(t, p, parse(t, row["seeds_p"]), 1e-9, row)
			require.LessOrEqual(t, parse(t, row["seeds_low"]), parse(t, row["difference"]))
			require.GreaterOrEqual(t, parse(t, row["seeds_high"]), parse(t, row["difference"]))
		}
		require.GreaterOrEqual(t, parse(t, row["images_p_holm"]), parse(t, row["images_p"]))
		require.LessOrEqual(t, parse(t, row["images_low"]), parse(t, row["images_high"]))
		if row["metric"] == "accuracy" { // a plain mean: the bootstrap is centred on it
			middle := (parse(t, row["images_low"]) + parse(t, row["images_high"])) / 2
			require.InDelta(t, parse(t, row["difference"]), middle, .03, row)
		}
	}
	require.Greater(t, differ, 10)

	// The step size is chosen on validation images, which are training images that no seed trains on.
	require.Equal(t, 200, runs("plain", testFile)[0].Len())
	held := runs("plain", validationFile)
	require.Equal(t, 150, held[0].Len())
	require.NotEqual(t, held[0].Label, held[1].Label, "each seed has its own")
	require.Equal(t, held[1].Label, runs("rat_0.1", validationFile)[1].Label, "and all treatments the same")
	best, lowest := "", math.Inf(1)
	for _, step := range []string{"0.01", "0.1"} {
		if m := stat.Mean(direct("rat_"+step, validationFile, "RR_fast", "aurc"), nil); m < lowest {
			best, lowest = step, m
		}
	}
	require.Contains(t, stdout, "The step size of all others, "+best+", is the one with the lowest")
	var doc document
	data, err := os.ReadFile(filepath.Join(dir, "published", "results.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &doc))
	require.Equal(t, best, number(doc.Datasets[0].Step))
	require.Equal(t, direct("rat_0.1", testFile, "MSR", "aurc")[1], float64(doc.Datasets[0].Results[2].Scores["MSR"]["aurc"].Values[1]))
}

func TestDamageAndChange(t *testing.T) {
	dir := t.TempDir()
	line := tiny("go", dir, "--seeds", "1", "--only", "plain", "--resamples", "0")
	call(t, 0, line)
	paths, before := results(t, dir)
	require.Len(t, paths, 1)
	path := paths[0]
	scores := filepath.Join(filepath.Dir(path), testFile)
	intact, err := os.ReadFile(scores)
	require.NoError(t, err)
	overwrite := func(path string, data []byte) func() {
		return func() { require.NoError(t, os.WriteFile(path, data, 0o644)) }
	}
	for name, c := range map[string]struct {
		damage func()
		want   string
	}{
		"truncated":                {overwrite(path, []byte(before[path][:len(before[path])/2])), path + " is damaged: unexpected EOF; it is trained again"},
		"empty":                    {overwrite(path, nil), path + " is damaged: EOF; it is trained again"},
		"other cell":               {overwrite(path, []byte(strings.Replace(before[path], `"fingerprint": "`, `"fingerprint": "0`, 1))), path + " is damaged: it has the fingerprint 0"},
		"changed scores":           {overwrite(scores, append(slices.Clone(intact[:len(intact)-1]), intact[len(intact)-1]+1)), scores + " is damaged: it is not the file that was written"},
		"lost scores":              {func() { require.NoError(t, os.Remove(scores)) }, scores + " is damaged: it is not there"},
		"killed before the result": {func() { require.NoError(t, os.Remove(path)) }, "plain, seed 1 on mnist: validation accuracy"},
		"killed within a file": {func() {
			require.NoError(t, os.Remove(path))
			overwrite(scores, intact[:100])()
			overwrite(filepath.Join(filepath.Dir(path), ".test.npz123"), nil)()
		}, "plain, seed 1 on mnist: validation accuracy"},
	} {
		t.Run(name, func(t *testing.T) {
			c.damage()
			list, _ := call(t, 0, append(line, "--list"))
			require.Contains(t, list, "0 of 1 cell are there")
			_, log := call(t, 0, line)
			require.Contains(t, log, c.want)
			require.Contains(t, log, "plain, seed 1 on mnist: validation accuracy")
			data, err := os.ReadFile(scores)
			require.NoError(t, err)
			require.Equal(t, intact, data, "the same scores come out")
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Len(t, entries, 4, "nothing is left of before")
			list, _ = call(t, 0, append(line, "--list"))
			require.Contains(t, list, "1 of 1 cell are there")
		})
	}

	_, log := call(t, 0, append(line, "--epochs", "2"))
	require.Contains(t, log, "plain, seed 1 on mnist: validation accuracy", "other settings are another cell")
	paths, _ = results(t, dir)
	require.Len(t, paths, 2)
	_, log = call(t, 0, line)
	require.NotContains(t, log, "validation accuracy", "the one of before is still there")
}

// Every setting that changes what comes out changes the fingerprint.
func TestFingerprint(t *testing.T) {
	sum := func(change func(*options), way string) string {
		o := options{Datasets: []string{"mnist"}, DataDir: images, TrainSize: 100, ValSize: 50, TestSize: 60, Seeds: 1, Epochs: 1, BatchSize: 10, LearningRate: .1,
			MixupAlpha: 1, Augment: "auto", StepSizes: []float64{.01}, StepSize: .01, ChooseBy: "MSR", Backend: "go", List: true}
		change(&o)
		s, err := newStudy(o, io.Discard)
		require.NoError(t, err)
		for _, c := range append(s.sweep(s.sources[0]), s.ablation(s.sources[0], .01)...) {
			if c.way() == way {
				set, err := s.settings(c)
				require.NoError(t, err)
				sum, err := set.fingerprint()
				require.NoError(t, err)
				return sum
			}
		}
		t.Fatal("no cell", way)
		return ""
	}
	none := func(*options) {}
	require.Equal(t, sum(none, "plain"), sum(none, "plain"))
	require.Equal(t, sum(none, "plain"), sum(func(o *options) { o.MixupAlpha, o.Resamples, o.Seeds, o.ChooseBy = 2, 5, 3, "MLS" }, "plain"))
	seen := map[string]string{sum(none, "plain"): "plain", sum(none, "plain_mixup"): "plain_mixup", sum(none, "rat_0.01"): "rat"}
	for name, change := range map[string]func(*options){
		"train_size": func(o *options) { o.TrainSize++ }, "val_size": func(o *options) { o.ValSize++ }, "test_size": func(o *options) { o.TestSize++ },
		"epochs": func(o *options) { o.Epochs++ }, "batch_size": func(o *options) { o.BatchSize++ }, "learning_rate": func(o *options) { o.LearningRate++ },
		"weight_decay": func(o *options) { o.WeightDecay++ }, "warmup": func(o *options) { o.WarmupEpochs = .5 }, "augment": func(o *options) { o.Augment = "crop_flip" },
		"dataset": func(o *options) { o.Datasets[0] = "fashion_mnist" },
	} {
		s := sum(change, "plain")
		require.NotContains(t, seen, s, name)
		seen[s] = name
	}
	require.NotContains(t, seen, sum(func(o *options) { o.MixupAlpha = 2 }, "plain_mixup"))
	require.Len(t, seen, 13)
}

// A study that is killed again and again ends in the same tables.
func TestKilled(t *testing.T) {
	if os.Getenv("STUDY_TEST_DIR") != "" {
		os.Exit(command(context.Background(), tiny("go", os.Getenv("STUDY_TEST_DIR")), io.Discard, os.Stderr))
	}
	whole, killed := t.TempDir(), t.TempDir()
	call(t, 0, tiny("go", whole))
	for kills := 0; ; kills++ {
		c := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		c.Env = append(os.Environ(), "STUDY_TEST_DIR="+killed, "STUDY_TEST_IMAGES="+images)
		var log bytes.Buffer
		c.Stderr = &log
		require.NoError(t, c.Start())
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		var err error
		select {
		case err = <-done:
		case <-time.After(time.Duration(150+100*kills) * time.Millisecond):
			require.NoError(t, c.Process.Kill())
			if err = <-done; err != nil {
				continue
			}
		}
		require.NoError(t, err, log.String())
		require.Positive(t, kills, "it was never killed")
		break
	}
	for _, name := range []string{"table.md", "results.csv", "comparisons.csv"} {
		want, err := os.ReadFile(filepath.Join(whole, "published", name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(killed, "published", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
	}
}

// Ctrl-C ends the study after the current step; finished cells stay.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var log strings.Builder
	stop := writer(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("validation accuracy")) {
			time.AfterFunc(30*time.Millisecond, cancel) // within the second cell
		}
		return log.Write(p)
	})
	require.Equal(t, exitInterrupted, command(ctx, tiny("go", dir, "--epochs", "30"), io.Discard, stop))
	require.Contains(t, log.String(), "1 cell finished and kept; the same command goes on")
	paths, _ := results(t, dir)
	require.Len(t, paths, 1)
	require.NoFileExists(t, filepath.Join(dir, "published", "table.md"))
	plan, _ := call(t, 0, tiny("go", dir, "--epochs", "30", "--plan"))
	require.Contains(t, plan, "rat_0.01, seed 1 on mnist\n")
	require.NotContains(t, plan, "plain, seed 1 on mnist\n")
	require.Regexp(t, `5 cells to train, about \S+\n`, plan)
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// A training that diverges is a result too.
func TestDiverged(t *testing.T) {
	dir := t.TempDir()
	line := tiny("go", dir, "--learning_rate", "1e30", "--only", "plain")
	stdout, log := call(t, 0, line)
	require.Contains(t, log, "plain, seed 1 on mnist: diverged: ")
	require.Contains(t, stdout, "plain: the training diverged from 2 seeds; 0 are missing.")
	require.Contains(t, stdout, "| plain | – | 0 | – |")
	_, log = call(t, 0, line)
	require.NotContains(t, log, "diverged:")
	_, log = call(t, exitError, tiny("go", dir, "--learning_rate", "1e30", "--only", "rat", "at"))
	require.Contains(t, log, "no step size can be chosen: the training diverged with every one")
}

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := claim(t.Context(), dir, false)
	require.NoError(t, err)
	other, err := claim(t.Context(), dir, false)
	require.NoError(t, err)
	require.Nil(t, other)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = claim(ctx, dir, true)
	require.ErrorIs(t, err, context.Canceled)
	time.AfterFunc(100*time.Millisecond, release)
	release, err = claim(t.Context(), dir, true)
	require.NoError(t, err)
	require.NotNil(t, release)
	release()
	require.NoFileExists(t, dir+".lock")
}

// Two studies that share a folder divide the cells, and both publish all of them.
func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	logs := make(chan string, 2)
	for i := range 2 {
		go func() {
			var log bytes.Buffer
			status := command(t.Context(), tiny("go", dir, "--publish", filepath.Join(dir, "published", strconv.Itoa(i))), io.Discard, &log)
			logs <- strconv.Itoa(status) + log.String()
		}()
	}
	a, b := <-logs, <-logs
	require.Equal(t, "00", a[:1]+b[:1], a+b)
	require.Equal(t, 6, strings.Count(a+b, "validation accuracy"), "each cell once")
	for _, i := range []string{"0", "1"} {
		require.Len(t, table(t, filepath.Join(dir), filepath.Join(i, "results.csv")), 3*(1+7*3))
	}
}

func TestBadFlags(t *testing.T) {
	dir := t.TempDir()
	for want, more := range map[string][]string{
		"--seeds 0: want 1 or more":                      {"--seeds", "0"},
		"--val_size 0: want 1 or more":                   {"--val_size", "0"},
		"--learning_rate NaN":                            {"--learning_rate", "NaN"},
		"--mixup_alpha 0":                                {"--mixup_alpha", "0"},
		"--weight_decay -1":                              {"--weight_decay", "-1"},
		"--warmup_epochs 1: want less than the 1 epochs": {"--warmup_epochs", "1"},
		`--augment "x"`:                                  {"--augment", "x"},
		"--step_sizes [0.1 0.1]":                         {"--step_sizes", "0.1", "0.1"},
		"--step_sizes [0]":                               {"--step_sizes", "0"},
		"--dataset mnist mnist":                          {"--dataset", "mnist", "mnist"},
		`there is no way of training "rta"`:              {"--only", "rta"},
		`there is no score "RR"`:                         {"--choose_by", "RR"},
		"unknown argument --sedes":                       {"--sedes"},
	} {
		_, log := call(t, exitUsage, tiny("go", dir, more...))
		require.Contains(t, log, want)
	}
	for want, more := range map[string][]string{
		"mnist has 450":      {"--train_size", "301"},
		"in batches of 512":  {"--batch_size", "512"},
		"mnist has 200 test": {"--test_size", "201"},
		"does not take":      {"--arch", "wrn16_2_cifar10"},
		"no-such-folder":     {"--data_dir", "no-such-folder"},
		"--out":              {"--out", "main.go/x"},
		"the step size of the ablation is chosen among all cells of the sweep, and rat_0.01, seed 1 on mnist is missing": {"--only", "at"},
	} {
		_, log := call(t, exitError, tiny("go", dir, more...))
		require.Contains(t, log, want)
	}
	paths, _ := results(t, dir)
	require.Empty(t, paths)
	out, _ := call(t, 0, []string{"--help"})
	require.Contains(t, out, "--step_sizes")
}
