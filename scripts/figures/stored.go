package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
)

// subject is one classifier with what is stored of it.
type subject struct {
	run   *misd.Run
	noisy []*misd.Run   // of the first images with noise of severity 1, 2, ...; nil where there are none
	rays  []figures.Ray // nil where there are none
}

// stored reads the runs that --from names.
func stored(_ context.Context, o options, stderr io.Writer) (*material, error) {
	m := &material{}
	for _, dir := range o.From {
		sub, err := readSubject(dir)
		if err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
		m.subjects = append(m.subjects, sub)
	}
	m.tellApart(o.From)
	if o.needs()&planes != 0 {
		m.lacking = append(m.lacking, lack{planes, errors.New("it shows no stored run")})
	}
	if o.needs()&pixels != 0 {
		var err error
		if m.images, err = testImages(m.subjects, o); err != nil {
			m.lacking = append(m.lacking, lack{pixels, err})
		}
	}
	return m, nil
}

// tellApart adds the names of folders to classifiers of the same name.
func (m *material) tellApart(dirs []string) {
	count := map[string]int{}
	for _, s := range m.subjects {
		count[s.run.Model]++
	}
	for i, s := range m.subjects {
		if count[s.run.Model] < 2 {
			continue
		}
		s.rename(fmt.Sprintf("%s (%s)", filepath.Base(filepath.Clean(dirs[i])), s.run.Model))
	}
}

func (s *subject) rename(model string) {
	s.run.Model = model
	for _, r := range s.noisy {
		r.Model = model
	}
}

// scoreFiles are the files that may hold the scores of a run: those of scripts/evaluate and of this command, and those
// of scripts/study.
var scoreFiles = []string{scoresFile, "scores.csv", "test.npz"}

// readSubject reads a folder with a run.
func readSubject(dir string) (*subject, error) {
	s := &subject{}
	for _, name := range scoreFiles {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		read := report.ReadScoresNPZ
		if filepath.Ext(name) == ".csv" {
			read = report.ReadScoresCSV
		}
		var err error
		if s.run, err = read(path); err != nil {
			return nil, err
		}
		break
	}
	if s.run == nil {
		return nil, noRun(dir)
	}
	name, model, err := title(dir)
	if err != nil {
		return nil, err
	}
	switch all, err := report.ReadScoresNPZ(filepath.Join(dir, noisyFile)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if s.noisy, err = severities(all); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, noisyFile), err)
		}
	}
	if err := readJSON(filepath.Join(dir, raysFile), &s.rays); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, r := range append(s.noisy, s.run) {
		r.Dataset = name
	}
	s.rename(model)
	return s, nil
}

// noRun says why a folder is no run, and what could be meant.
func noRun(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file; want the folder of a run", dir)
	}
	var below []string
	for _, name := range scoreFiles {
		found, _ := filepath.Glob(filepath.Join(dir, "*", name)) // as good as it gets for odd names
		for _, path := range found {
			if sub := filepath.Dir(path); !slices.Contains(below, sub) {
				below = append(below, sub)
			}
		}
	}
	if len(below) > 0 {
		return fmt.Errorf("%s is no run; there are runs below it: %s", dir, strings.Join(below[:min(len(below), 4)], " "))
	}
	return fmt.Errorf("%s is no run: none of %s is in it", dir, strings.Join(scoreFiles, ", "))
}

// title returns the names of the data set and of the classifier, as far as the folder tells.
func title(dir string) (data, model string, err error) {
	type names struct {
		Dataset, Model, Arch, Treatment string
	}
	model = filepath.Base(filepath.Clean(dir))
	for _, file := range []string{runRecord, "metrics.json", "result.json"} {
		var content struct {
			names
			Run      names // in run.json
			Settings names // in result.json
		}
		err := readJSON(filepath.Join(dir, file), &content)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		for _, n := range []names{content.names, content.Run, content.Settings} {
			for _, m := range []string{n.Model, n.Treatment, n.Arch} {
				if m != "" {
					return n.Dataset, m, nil
				}
			}
		}
	}
	return "", model, nil
}

// testImages opens the images that all runs are about.
func testImages(subjects []*subject, o options) (dataset.Set, error) {
	name := subjects[0].run.Dataset
	if name == "" {
		return nil, errors.New("the run does not name its data set")
	}
	data, err := dataset.Open(name, dataset.Config{Dir: o.DataDir, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	if data.Test == nil {
		return nil, fmt.Errorf("data set %s has no test images", name)
	}
	for _, s := range subjects {
		labels, err := dataset.Labels(dataset.Take(data.Test, s.run.Len()))
		if err != nil {
			return nil, err
		}
		if s.run.Dataset != name || !slices.Equal(labels, s.run.Label) {
			return nil, fmt.Errorf("%s was not scored on the first test images of %s", s.run.Model, name)
		}
	}
	return data.Test, nil
}
