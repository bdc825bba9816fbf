package report

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// ReadScoresNPZ reads a file in the format of [WriteScoresNPZ]; numpy.savez may have written it. Integers may be of
// any width, scores float32 or float64, and correct may be left out. Without logits, Classes is one more than the
// largest label or prediction. Any other array, and any array whose length does not fit, is an error that names it.
func ReadScoresNPZ(path string) (*misd.Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	run, err := decodeNPZ(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("report: reading %s: %w", path, err)
	}
	return run, nil
}

func decodeNPZ(r io.ReaderAt, size int64) (*misd.Run, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an npz file: %w", err)
	}
	a, err := newArrays(z)
	if err != nil {
		return nil, err
	}
	run := &misd.Run{}
	if err := a.readFixed(run); err != nil {
		return nil, err
	}
	if err := a.readScores(run); err != nil {
		return nil, err
	}
	return run, run.Validate()
}

// arrays are the members of an npz file that nothing has read so far.
type arrays struct {
	byName map[string]*zip.File
	order  []string
}

// take reads the array called name into dst, a pointer to a slice, and returns its shape; ok is false if there is
// none.
func (a *arrays) take(name string, dst any) (shape []int, ok bool, err error) {
	f := a.byName[name]
	if f == nil {
		return nil, false, nil
	}
	delete(a.byName, name)
	shape, err = readArray(f, dst)
	if err != nil {
		return nil, false, fmt.Errorf("array %s: %w", name, err)
	}
	return shape, true, nil
}

// column takes a one-dimensional array of n elements.
func (a *arrays) column(name string, n int, dst any) (ok bool, err error) {
	shape, ok, err := a.take(name, dst)
	if ok && !slices.Equal(shape, []int{n}) {
		return false, fmt.Errorf("array %s has shape %v, want [%d]", name, shape, n)
	}
	return ok, err
}

func (a *arrays) readFixed(run *misd.Run) error {
	shape, ok, err := a.take("label", &run.Label)
	if err != nil {
		return err
	}
	if !ok || len(shape) != 1 {
		return fmt.Errorf("there is no one-dimensional array label")
	}
	n := shape[0]
	if ok, err := a.column("pred", n, &run.Pred); err != nil || !ok {
		return cmpErr(err, "there is no array pred")
	}
	for i, y := range run.Label {
		if y < 0 || y > maxClass || run.Pred[i] < 0 || run.Pred[i] > maxClass {
			return fmt.Errorf("image %d: label %d or prediction %d is not a class", i, y, run.Pred[i])
		}
		run.Classes = max(run.Classes, y+1, run.Pred[i]+1)
	}
	var index []int
	if _, err := a.column("index", n, &index); err != nil {
		return err
	}
	var correct []bool
	if ok, err := a.column("correct", n, &correct); err != nil {
		return err
	} else if ok && !slices.Equal(correct, run.Correct()) {
		return errors.New("array correct does not agree with label and pred")
	}
	shape, ok, err = a.take("logits", &run.Logits)
	if err != nil || !ok {
		return err
	}
	if len(shape) != 2 || shape[0] != n || shape[1] < run.Classes {
		return fmt.Errorf("array logits has shape %v, want [%d,classes] with at least %d classes", shape, n, run.Classes)
	}
	run.Classes = shape[1]
	return nil
}

func (a *arrays) readScores(run *misd.Run) error {
	n := run.Len()
	for _, name := range a.order {
		if a.byName[name] == nil || hasOwner(a.byName, name) {
			continue // read already, or belongs to another score
		}
		if err := checkName(name); err != nil {
			return err
		}
		s := misd.Score{Name: name}
		var cost []float64
		for _, part := range []struct {
			suffix string
			dst    any
		}{{"", &s.Values}, {suffixLower, &s.Lower}, {suffixUpper, &s.Upper}, {suffixUnflipped, &s.Unflipped}, {suffixEvaluations, &s.Evaluations}} {
			if _, err := a.column(name+part.suffix, n, part.dst); err != nil {
				return err
			}
		}
		if _, ok, err := a.take(name+suffixCost, &cost); err != nil {
			return err
		} else if ok && len(cost) == 1 {
			s.Cost = cost[0]
		}
		run.Scores = append(run.Scores, s)
	}
	return nil
}

// hasOwner tells whether name is NAME_lower or the like of a score that is in the file.
func hasOwner(files map[string]*zip.File, name string) bool {
	for _, suffix := range suffixes {
		if owner, ok := strings.CutSuffix(name, suffix); ok && files[owner] != nil {
			return true
		}
	}
	return false
}

func cmpErr(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}
