package train

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// toyStep and toyEpoch are what a deterministic training of 10 steps an epoch gives; speed is the time it takes.
func toyStep(n int, speed float64) Step {
	s := Step{Step: n, Epoch: 1 + (n-1)/10, LearningRate: 0.1, Loss: 1 / (3 * float64(n)), AdversarialLoss: math.NaN(),
		Accuracy: 0.5, GradientNorm: math.Inf(1), ImagesPerSecond: speed, ValLoss: math.NaN(), ValAccuracy: math.NaN()}
	if n%7 == 0 {
		s.ValLoss, s.ValAccuracy = 1, 0.25
	}
	return s
}

func toyEpoch(n int, speed float64) Epoch {
	return Epoch{Epoch: n, Steps: 10 * n, LearningRate: 0.1, Loss: 1 / (7 * float64(n)), AdversarialLoss: 2,
		TrainAccuracy: 0.5, ValLoss: 1, ValAccuracy: 0.5, Seconds: speed, ImagesPerSecond: speed}
}

// toyRun logs the steps after from until to.
func toyRun(t *testing.T, l *Logger, from, to int, speed float64) {
	for n := from + 1; n <= to; n++ {
		require.NoError(t, l.Step(toyStep(n, speed)))
		if n%10 == 0 {
			require.NoError(t, l.Epoch(toyEpoch(n/10, speed)))
		}
	}
}

var times = regexp.MustCompile(`,?"(images_per_second|seconds|time|run)":("[^"]*"|[0-9.e+-]+)`)

// timeless returns a log without times and the random id.
func timeless(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return times.ReplaceAllString(string(b), "")
}

func openLog(t *testing.T, path string, info RunInfo, resume bool) *Logger {
	l, err := OpenLog(path, info, resume)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	info := RunInfo{
		Run: "ab12", Time: time.Unix(1_700_000_000, 5), Command: []string{"train", "--epochs", "2"},
		Settings: map[string]int{"epochs": 2}, Backend: "go", Versions: map[string]string{"go": "go1"},
	}
	l := openLog(t, path, info, false)
	l.Every = 5
	toyRun(t, l, 0, 10, 3)
	b, err := os.ReadFile(path)
	require.NoError(t, err, "lines must be there before Close")
	require.Equal(t, `{"event":"run","run":"ab12","time":"2023-11-14T22:13:20Z","command":["train","--epochs","2"],"settings":{"epochs":2},"backend":"go","versions":{"go":"go1"}}
{"event":"step","step":5,"epoch":1,"lr":0.1,"loss":0.06666666666666667,"accuracy":0.5,"images_per_second":3}
{"event":"step","step":7,"epoch":1,"lr":0.1,"loss":0.047619047619047616,"accuracy":0.5,"images_per_second":3,"val_loss":1,"val_accuracy":0.25}
{"event":"step","step":10,"epoch":1,"lr":0.1,"loss":0.03333333333333333,"accuracy":0.5,"images_per_second":3}
{"event":"epoch","epoch":1,"steps":10,"lr":0.1,"loss":0.14285714285714285,"adv_loss":2,"train_accuracy":0.5,"val_loss":1,"val_accuracy":0.5,"seconds":3,"images_per_second":3}
`, string(b))
	require.NoError(t, l.Sync())

	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Equal(t, "ab12", got.Run.Run)
	require.Equal(t, []string{"train", "--epochs", "2"}, got.Run.Command)
	require.Equal(t, []Epoch{toyEpoch(1, 3)}, got.Epochs)
	require.Len(t, got.Steps, 3)
	require.Equal(t, 0.25, got.Steps[1].ValAccuracy)
	require.True(t, math.IsNaN(got.Steps[0].GradientNorm) && math.IsNaN(got.Steps[0].ValLoss))
	require.Equal(t, 1/(3*5.0), got.Steps[0].Loss, "numbers must come back exactly")
}

func TestLogDefaults(t *testing.T) {
	dir := t.TempDir()
	a, b := openLog(t, filepath.Join(dir, "a"), RunInfo{}, true), openLog(t, filepath.Join(dir, "b"), RunInfo{}, false)
	require.Regexp(t, "^[0-9a-f]{16}$", a.Run())
	require.NotEqual(t, a.Run(), b.Run())
	got, err := ReadLog(filepath.Join(dir, "a"))
	require.NoError(t, err)
	require.Equal(t, os.Args, got.Run.Command)
	require.WithinDuration(t, time.Now(), got.Run.Time, time.Minute)
	require.Contains(t, got.Run.Versions, "go")
}

// TestLogInterrupted cuts a log at every byte, as a killed process may leave it, and goes on from each checkpoint that
// may be before it.
func TestLogInterrupted(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	l := openLog(t, whole, RunInfo{Versions: map[string]string{}}, false)
	l.Every = 3
	toyRun(t, l, 0, 30, 1)
	require.NoError(t, l.Close())
	text, err := os.ReadFile(whole)
	require.NoError(t, err)
	want := timeless(t, whole)

	for n := 0; n < len(text); n += 7 {
		path := filepath.Join(dir, fmt.Sprint(n))
		require.NoError(t, os.WriteFile(path, text[:n], 0o644))
		past, err := readLog(path, bytes.NewReader(text[:n]))
		require.NoError(t, err)
		last := 0 // step of the last line
		if n := len(past.Steps); n > 0 {
			last = past.Steps[n-1].Step
		}
		for _, checkpoint := range []int{last, last / 2, 0} {
			if checkpoint == last && last%10 == 0 && last/10 > len(past.Epochs) {
				continue // a checkpoint after an epoch is written after the epoch's line
			}
			require.NoError(t, os.WriteFile(path, text[:n], 0o644))
			l, err := OpenLog(path, RunInfo{Versions: map[string]string{}}, true)
			require.NoError(t, err)
			l.Every = 3
			if past.size > 0 {
				require.Equal(t, past.Run.Run, l.Run())
			}
			toyRun(t, l, checkpoint, 30, 2)
			require.NoError(t, l.Close())
			require.Equal(t, want, timeless(t, path), "cut at byte %d, going on from step %d", n, checkpoint)
		}
	}
}

// TestLogResumedElsewhere goes on with steps that give something else.
func TestLogResumedElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	l := openLog(t, path, RunInfo{Backend: "go"}, false)
	toyRun(t, l, 0, 25, 1)
	require.NoError(t, l.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	l = openLog(t, path, RunInfo{Backend: "xla"}, true)
	require.NoError(t, l.Step(toyStep(9, 2)))
	for n := 10; n <= 12; n++ {
		s := toyStep(n, 2)
		s.Loss += 1e-12
		require.NoError(t, l.Step(s))
		if n == 10 {
			require.NoError(t, l.Epoch(toyEpoch(1, 2)))
		}
	}
	require.NoError(t, l.Close())
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	added, ok := strings.CutPrefix(string(after), string(before))
	require.True(t, ok, "lines that were there changed")
	lines := strings.Split(strings.TrimSpace(added), "\n")
	require.Len(t, lines, 5)
	require.Contains(t, lines[0], `{"event":"resumed",`)
	require.Contains(t, lines[0], `"backend":"xla"`)
	require.Contains(t, lines[0], `"step":9`)
	require.Contains(t, lines[2], `{"event":"epoch","epoch":1,`)

	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Len(t, got.Resumed, 1)
	require.Len(t, got.Steps, 12)
	require.Equal(t, toyStep(9, 1).Loss, got.Steps[8].Loss)
	require.Equal(t, toyStep(10, 1).Loss+1e-12, got.Steps[9].Loss)
	require.Equal(t, []Epoch{toyEpoch(1, 2)}, got.Epochs)
}

// TestLogEpochElsewhere has the same steps, but another validation.
func TestLogEpochElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	l := openLog(t, path, RunInfo{}, false)
	toyRun(t, l, 0, 25, 1)
	require.NoError(t, l.Close())
	l = openLog(t, path, RunInfo{}, true)
	require.NoError(t, l.Step(toyStep(20, 1)))
	e := toyEpoch(2, 1)
	e.ValLoss = 3
	require.NoError(t, l.Epoch(e))
	require.NoError(t, l.Close())
	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Len(t, got.Steps, 20)
	require.Equal(t, []Epoch{toyEpoch(1, 1), e}, got.Epochs)
}

func TestOpenLogErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log.jsonl")
	l := openLog(t, path, RunInfo{Run: "a"}, false)
	_, err := OpenLog(path, RunInfo{}, true)
	require.ErrorContains(t, err, path+" is in use")
	require.NoError(t, l.Close())
	_, err = OpenLog(path, RunInfo{}, false)
	require.ErrorContains(t, err, path+" is there already")
	_, err = OpenLog(path, RunInfo{Run: "b"}, true)
	require.ErrorContains(t, err, "is of run a, not of b")
	_, err = OpenLog(filepath.Join(dir, "none", "log"), RunInfo{}, true)
	require.ErrorContains(t, err, filepath.Join(dir, "none", "log"))
	require.Error(t, l.Step(Step{Step: 1}), "the log is closed")
	require.NoError(t, openLog(t, path, RunInfo{Run: "a"}, true).Close())
}

func TestReadLogErrors(t *testing.T) {
	const run = `{"event":"run","run":"a"}` + "\n"
	for _, c := range []struct{ text, want string }{
		{"", "is empty"},
		{`{"event":"run","run":"a"}`, "is empty"}, // torn
		{"\n", ":1: "},
		{run + "{\n", ":2: "},
		{run + "[]\n", ":2: "},
		{run + "{}\n", `:2: no "event"`},
		{run + run, ":2: event"},
		{`{"event":"step","step":1}` + "\n", ":1: event"},
		{`{"event":"run"}` + "\n", ":1: the run has no id"},
		{run + `{"event":"step","step":"x"}` + "\n", ":2: "},
		{run + `{"event":"step","step":2}` + "\n" + `{"event":"step","step":2}` + "\n", ":3: step 2 after step 2"},
		{run + `{"event":"epoch","epoch":2}` + "\n" + `{"event":"epoch","epoch":1}` + "\n", ":3: epoch 1 after epoch 2"},
	} {
		path := filepath.Join(t.TempDir(), "log.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o644))
		_, err := ReadLog(path)
		require.ErrorContains(t, err, path, "%q", c.text)
		require.ErrorContains(t, err, c.want, "%q", c.text)
	}
	path := filepath.Join(t.TempDir(), "log.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(run+`{"event":"new"}`+"\n"+`{"event":"step","step":3}`+"\n"+`{"event":"st`), 0o644))
	got, err := ReadLog(path)
	require.NoError(t, err)
	require.Len(t, got.Steps, 1)
}

func FuzzReadLog(f *testing.F) {
	f.Add([]byte(`{"event":"run","run":"a"}` + "\n" + `{"event":"step","step":1,"loss":1}` + "\n" +
		`{"event":"epoch","epoch":1,"steps":1}` + "\n" + `{"event":"resumed","step":0}` + "\n" + `{"event":"step","st`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := readLog("log", bytes.NewReader(text))
		if l.size > int64(len(text)) {
			t.Fatalf("%d bytes of %d", l.size, len(text))
		}
		for i := 1; i < len(l.Steps); i++ {
			if l.Steps[i].Step <= l.Steps[i-1].Step {
				t.Fatal("steps out of order")
			}
		}
		again, errAgain := readLog("log", bytes.NewReader(text[:l.size]))
		if errAgain != nil || again.size != l.size || len(again.Steps) != len(l.Steps) {
			t.Fatalf("the whole lines read otherwise: %v, %v", err, errAgain)
		}
	})
}
