package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/ratml/rat/ratml/misd"
)

// The files that are kept of a net. Each record is written after the files that it is about.
const (
	trainedRecord = "trained.json"
	weightsFile   = "weights.safetensors"

	runRecord  = "run.json"
	scoresFile = "scores.npz"
	noisyFile  = "noisy.npz"
	raysFile   = "rays.json"

	planesFile = "planes.json" // of the picture of the method, with a trainedRecord
)

// settings are what kept files depend on.
type settings struct {
	Format     int             `json:"format"` // of the files and of how they are made
	Dataset    string          `json:"dataset,omitempty"`
	Data       string          `json:"data_sha256,omitempty"`
	Arch       string          `json:"arch,omitempty"`
	Model      string          `json:"model"` // in titles
	Objective  json.RawMessage `json:"objective,omitempty"`
	Training   int             `json:"training_images,omitempty"`
	Validation int             `json:"validation_images,omitempty"`
	Test       int             `json:"test_images,omitempty"`
	Epochs     int             `json:"epochs,omitempty"`
	BatchSize  int             `json:"batch_size,omitempty"`
	Seed       uint64          `json:"seed"`
	Backend    string          `json:"backend"`
}

// formatVersion changes whenever files of before are no longer what would be made now.
const formatVersion = 1

func (s settings) fingerprint() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // the objective is no JSON, which only a mistake here can bring about
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// record says what is kept beside it.
type record struct {
	Fingerprint string            `json:"fingerprint"` // of Settings
	Settings    settings          `json:"run"`
	AURC        *misd.Float       `json:"validation_aurc,omitempty"` // of RR_fast; nil where there are no validation images
	Files       map[string]string `json:"files_sha256"`
}

// errNothing tells that nothing is kept.
var errNothing = errors.New("nothing is kept")

// readRecord returns the record called name in a folder if it is about what the settings make and the files are those
// it was written with. The error is errNothing where there is none, and says what is damaged otherwise.
func readRecord(dir, name string, s settings) (*record, error) {
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNothing
	}
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Fingerprint != s.fingerprint() {
		return nil, fmt.Errorf("%s has the fingerprint %.12s, not %.12s", path, r.Fingerprint, s.fingerprint())
	}
	for _, file := range slices.Sorted(maps.Keys(r.Files)) {
		sum, err := fileSum(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		if sum != r.Files[file] {
			return nil, fmt.Errorf("%s is not the file that was written", filepath.Join(dir, file))
		}
	}
	return &r, nil
}

// keep writes files into a folder, and last the record of them.
func keep(dir, name string, r record, files map[string]func(path string) error) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("--runs: %w", err)
	}
	path := filepath.Join(dir, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.Fingerprint, r.Files = r.Settings.fingerprint(), map[string]string{}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := files[file](filepath.Join(dir, file)); err != nil {
			return fmt.Errorf("--runs: %w", err)
		}
		var err error
		if r.Files[file], err = fileSum(filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	if err := writeJSON(r)(path); err != nil {
		return fmt.Errorf("--runs: %w", err)
	}
	return nil
}

func fileSum(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// writeJSON returns what writes v to a file.
func writeJSON(v any) func(path string) error {
	return func(path string) error {
		data, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return renameio.WriteFile(path, append(data, '\n'), 0o644, renameio.WithTempDir(filepath.Dir(path)))
	}
}

// readJSON reads a file into v.
func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
