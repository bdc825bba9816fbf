package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/ratml/train"
	"github.com/ratml/rat/ratml/weights"
)

// The files of a cell.
const (
	resultFile     = "result.json"
	weightsFile    = "weights.safetensors"
	validationFile = "validation.npz"
	testFile       = "test.npz"
)

// result is what result.json says of a finished cell. It is written last.
type result struct {
	Fingerprint string             `json:"fingerprint"` // of Settings
	Settings    settings           `json:"settings"`
	Diverged    string             `json:"diverged,omitempty"` // where the loss was no longer finite; there are no scores then
	Epochs      []train.Epoch      `json:"epochs"`
	Validation  map[string]metrics `json:"validation,omitempty"` // by score
	Test        map[string]metrics `json:"test,omitempty"`
	Seconds     seconds            `json:"seconds"`
	Versions    map[string]string  `json:"versions"`
	Files       map[string]string  `json:"files_sha256"`
}

// metrics are values by name, plain fractions.
type metrics map[string]misd.Float

type seconds struct {
	Training float64 `json:"training"`
	Scoring  float64 `json:"scoring"`
}

// headline are the metrics that tables show.
var headline = []string{"aurc", "auroc", "fpr95_error", "accuracy"}

// value returns a metric of a score, or of the classifier.
func value(r *report.Report, score, metric string) float64 {
	if m, _ := misd.LookupMetric(metric); m.NeedsProbabilities {
		return r.Probabilities[metric].Value
	}
	return r.Row(score).Metrics[metric].Value
}

// judge returns the metrics of all scores.
func judge(run *misd.Run) (*report.Report, map[string]metrics, error) {
	r, err := report.Evaluate(run, report.Options{Resamples: -1})
	if err != nil {
		return nil, nil, err
	}
	out := map[string]metrics{}
	for _, row := range r.Rows {
		out[row.Score] = metrics{}
		for _, m := range headline {
			out[row.Score][m] = misd.Float(value(r, row.Score, m))
		}
	}
	return r, out, nil
}

// dir returns the folder of a cell.
func (s *study) dir(c cell, fingerprint string) string {
	return filepath.Join(s.Out, c.source.name, c.way(), fmt.Sprintf("seed_%d_%s", c.seed, fingerprint[:12]))
}

// find returns the folder of a cell and its result. The error is fs.ErrNotExist where the cell is missing, and a
// damageError where it is there but of no use.
func (s *study) find(c cell) (dir string, r *result, err error) {
	set, err := s.settings(c)
	if err != nil {
		return "", nil, err
	}
	sum, err := set.fingerprint()
	if err != nil {
		return "", nil, err
	}
	dir = s.dir(c, sum)
	if r, ok := s.known[dir]; ok {
		return dir, r, nil
	}
	if r, err = load(dir, sum); err == nil {
		s.known[dir] = r
	}
	return dir, r, err
}

// damageError says what is wrong with the files of a cell.
type damageError struct {
	path string
	err  error
}

func (e damageError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.path, e.err) }
func (e damageError) Unwrap() error { return e.err }

// load reads a result and checks that the files beside it are those it was written with.
func load(dir, fingerprint string) (*result, error) {
	path := filepath.Join(dir, resultFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r result
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, damageError{path, err}
	}
	if r.Fingerprint != fingerprint {
		return nil, damageError{path, fmt.Errorf("it has the fingerprint %.12s, not %.12s", r.Fingerprint, fingerprint)}
	}
	names := []string{weightsFile, validationFile, testFile}
	if r.Diverged != "" {
		names = nil
	}
	for _, name := range names {
		sum, err := hashFile(filepath.Join(dir, name))
		if err != nil {
			return nil, damageError{filepath.Join(dir, name), err}
		}
		if sum != r.Files[name] {
			return nil, damageError{filepath.Join(dir, name), errors.New("it is not the file that was written")}
		}
	}
	return &r, nil
}

func hashFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("it is not there") // and not a cell that is missing
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// outcome is what training a cell gave.
type outcome struct {
	result
	weights          *trained
	validation, test *misd.Run
}

// save writes the files of a cell into a new folder, the result last.
func (o *outcome) save(dir string) error {
	if err := os.RemoveAll(dir); err != nil { // what a process that was killed left, or what is damaged
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	o.Files = map[string]string{}
	if o.Diverged == "" {
		for name, write := range map[string]func(string) error{
			weightsFile:    func(path string) error { return weights.Save(path, o.weights.weights, o.weights.metadata) },
			validationFile: func(path string) error { return report.WriteScoresNPZ(path, o.validation) },
			testFile:       func(path string) error { return report.WriteScoresNPZ(path, o.test) },
		} {
			path := filepath.Join(dir, name)
			if err := write(path); err != nil {
				return err
			}
			var err error
			if o.Files[name], err = hashFile(path); err != nil {
				return err
			}
		}
	}
	data, err := json.MarshalIndent(o.result, "", " ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, resultFile), append(data, '\n'), 0o644, renameio.WithTempDir(dir))
}

// claim keeps other processes from training the same cell. Where another one is at it, claim waits for its end, or
// returns nil.
func claim(ctx context.Context, dir string, wait bool) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	lock := flock.New(dir + ".lock")
	ok, err := lock.TryLock()
	if err == nil && !ok && wait {
		ok, err = lock.TryLockContext(ctx, time.Second)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lock.Path(), err)
	}
	if !ok {
		return nil, nil
	}
	return func() {
		os.Remove(lock.Path()) // while it is still ours
		lock.Unlock()
	}, nil
}
