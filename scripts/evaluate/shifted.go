package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// novel are images of no class that the classifier knows: whatever it predicts is wrong, and their labels mean nothing.
type novel struct {
	dataset.Set
	classes []string
}

// Classes returns the classes of the classifier.
func (s novel) Classes() []string { return s.classes }

// Read reads an image; its label is 0.
func (s novel) Read(i int, dst []float32) (int, error) {
	_, err := s.Set.Read(i, dst)
	return 0, err
}

// openShifted opens the data set of --ood_dataset, if there is one, and notes it in the manifest.
func (e *evaluation) openShifted() error {
	if e.Shifted == "" {
		return nil
	}
	dir := e.ShiftedDir
	if dir == "" {
		dir = e.DataDir
	}
	data, err := dataset.Open(e.Shifted, dataset.Config{Dir: dir, Seed: e.Seed, Preprocess: e.classifier.Arch.Preparation()})
	if err != nil {
		return fmt.Errorf("--ood_dataset: %w", err)
	}
	if data.Test == nil {
		return fmt.Errorf("--ood_dataset: data set %s has no test images in %s", e.Shifted, dir)
	}
	if got, want := data.Test.Shape(), e.images.Shape(); got != want {
		return fmt.Errorf("--ood_dataset: images of %s are %v, those of %s %v", e.Shifted, got, e.Dataset, want)
	}
	e.shifted = novel{data.Test, e.images.Classes()}
	e.manifest.Shifted, e.manifest.ShiftCount = e.Shifted, data.Test.Len()
	e.manifest.ShiftData, err = fingerprint(data.Test)
	return err
}

// shifted judges each split with the shifted images mixed in; it returns nothing where there are none.
func (j judgement) shifted(ctx context.Context, splits []parts.Split) ([]*report.ShiftReport, error) {
	var out []*report.ShiftReport
	for _, s := range splits {
		if s.Shifted == nil {
			continue
		}
		r, err := report.EvaluateShift(ctx, misd.Joint, s.Run, []misd.Shift{{Run: s.Shifted, Novel: true}}, j.options())
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// storedShifted completes the splits of a finished run by what is stored beside their scores, and judges as shifted does.
func (j judgement) storedShifted(ctx context.Context, dir string, splits []parts.Split, record *parts.Record) ([]*report.ShiftReport, error) {
	for i := range splits {
		if i < len(record.Fitted) {
			splits[i].Fitted = record.Fitted[i]
		}
		if j.Shifted == "" {
			continue
		}
		run, err := report.ReadScoresNPZ(filepath.Join(splitDir(dir, i, len(splits)), "ood", "scores.npz"))
		if err != nil {
			return nil, err
		}
		run.Dataset, run.Model = j.Manifest.Shifted, j.Title()
		splits[i].Shifted = run
	}
	return j.shifted(ctx, splits)
}

// mix writes ood.json of each split and the scores of the shifted images, where there are any.
func mix(found judged, out string, stdout io.Writer) error {
	for i, r := range found.shifts {
		dir, run := splitDir(out, i, len(found.splits)), found.splits[i].Shifted
		if err := os.MkdirAll(filepath.Join(dir, "ood"), 0o777); err != nil {
			return err
		}
		if err := report.WriteScoresCSV(filepath.Join(dir, "ood", "scores.csv"), run); err != nil {
			return err
		}
		if err := report.WriteScoresNPZ(filepath.Join(dir, "ood", "scores.npz"), run); err != nil {
			return err
		}
		if err := r.Save(filepath.Join(dir, "ood.json")); err != nil {
			return err
		}
		fmt.Fprintln(stdout, r)
	}
	return nil
}
