package main

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/train"
)

func TestRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	set := settings{Format: 1, Model: "plain", Seed: 3}
	_, err := readRecord(dir, runRecord, set)
	require.ErrorIs(t, err, errNothing)
	aurc := misd.Float(.25)
	files := map[string]func(string) error{
		"a": func(path string) error { return os.WriteFile(path, []byte("abc"), 0o666) },
		"b": writeJSON([]int{1, 2}),
	}
	require.NoError(t, keep(dir, runRecord, record{Settings: set, AURC: &aurc}, files))
	r, err := readRecord(dir, runRecord, set)
	require.NoError(t, err)
	require.Equal(t, aurc, *r.AURC)
	require.Len(t, r.Files, 2)

	other := set
	other.Seed++
	_, err = readRecord(dir, runRecord, other)
	require.ErrorContains(t, err, "fingerprint")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("abd"), 0o666))
	_, err = readRecord(dir, runRecord, set)
	require.ErrorContains(t, err, filepath.Join(dir, "a")+" is not the file that was written")
	require.NoError(t, os.Remove(filepath.Join(dir, "a")))
	_, err = readRecord(dir, runRecord, set)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, errNothing)

	// A file that cannot be written leaves no record, so that nothing half written is drawn.
	files["b"] = func(string) error { return errors.New("disk on fire") }
	require.ErrorContains(t, keep(dir, runRecord, record{Settings: set}, files), "--runs: disk on fire")
	_, err = readRecord(dir, runRecord, set)
	require.ErrorIs(t, err, errNothing)
}

// Whatever changes the result changes the folder, and what does not, does not.
func TestSettings(t *testing.T) {
	be, err := backend.OpenConfig(backend.Config{Name: "go", Quiet: true})
	require.NoError(t, err)
	folder := func(change func(*options), objective train.Objective) string {
		o := options{Dataset: "mnist", TrainSize: 40, ValSize: 20, TestSize: 30, Epochs: 2, BatchSize: 8, Seed: 1, Runs: "runs", Backend: "go"}
		change(&o)
		s := testStudy(t, o, be)
		set, err := s.settings("net", objective)
		require.NoError(t, err)
		return s.folder(set)
	}
	same := func(*options) {}
	first := folder(same, train.Plain{})
	require.Regexp(t, `^runs/mnist_net_[0-9a-f]{12}$`, first)
	require.Equal(t, first, folder(func(o *options) { o.Resamples, o.Theme, o.Out = 7, "dark", "elsewhere" }, train.Plain{}))
	seen := map[string]string{first: "nothing"}
	for name, change := range map[string]func(*options){
		"train":  func(o *options) { o.TrainSize++ },
		"val":    func(o *options) { o.ValSize++ },
		"test":   func(o *options) { o.TestSize++ },
		"epochs": func(o *options) { o.Epochs++ },
		"batch":  func(o *options) { o.BatchSize++ },
		"seed":   func(o *options) { o.Seed++ },
	} {
		got := folder(change, train.Plain{})
		require.NotContains(t, seen, got, name)
		seen[got] = name
	}
	for _, eps := range []float64{.001, .01} {
		got := folder(same, objective(eps))
		require.NotContains(t, seen, got, eps)
		seen[got] = "step size"
	}
}

var mnist = sync.OnceValues(func() (*dataset.Data, error) { return dataset.Open("mnist", dataset.Config{}) })

// testStudy opens the images of a study of MNIST on a backend that is open.
func testStudy(t *testing.T, o options, be *backend.Backend) *study {
	data, err := mnist()
	require.NoError(t, err)
	parts, err := dataset.Split(data.Train, o.Seed, o.TrainSize, o.ValSize)
	require.NoError(t, err)
	s := &study{options: o, be: be, train: parts[0], validation: parts[1], test: dataset.Take(data.Test, o.TestSize)}
	s.sum, err = imageSum(s.train, s.validation, s.test)
	require.NoError(t, err)
	return s
}
