package parts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/misd"
)

// Split is the joined run of one split of the images.
type Split struct {
	Fitted  []Score
	Run     *misd.Run
	Shifted *misd.Run // of the shifted data set; nil where there is none
}

// Join joins all chunks of the runs in stores, which must be of the same run. It returns an error that names what is
// missing, what is there twice, and what does not belong together.
func Join(stores ...*Store) ([]Split, error) {
	if err := sameRun(stores); err != nil {
		return nil, err
	}
	m := stores[0].Manifest
	holders, err := locate(stores)
	if err != nil {
		return nil, err
	}
	splits := make([]Split, m.Splits)
	for _, c := range m.Chunks() {
		part, err := holders[c].Read(c)
		if err != nil {
			return nil, err
		}
		if err := splits[c.Split].add(m, part); err != nil {
			return nil, fmt.Errorf("%v in %s: %w", c, holders[c].out, err)
		}
	}
	return splits, nil
}

// add appends a part.
func (s *Split) add(m Manifest, part *Part) error {
	if s.Run == nil {
		s.Fitted = part.Fitted
	} else if !sameScores(s.Fitted, part.Fitted) {
		return errors.New("it was scored with other fitted parameters than the parts before it")
	}
	to, name := &s.Run, m.Dataset
	if part.Shifted {
		to, name = &s.Shifted, m.Shifted
	}
	if *to == nil {
		*to = start(m, name, part.Run)
	}
	return add(*to, part.Run)
}

// sameRun checks that no folder is named twice and that all have the manifest of the first.
func sameRun(stores []*Store) error {
	if len(stores) == 0 {
		return errors.New("there are no folders of parts to join")
	}
	seen := map[string]bool{}
	for _, s := range stores {
		path := filepath.Clean(s.out)
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		if seen[path] {
			return fmt.Errorf("%s is listed twice", s.out)
		}
		seen[path] = true
		if d := s.Manifest.Differences(stores[0].Manifest); len(d) > 0 {
			return fmt.Errorf("%s is of another run than %s: %s", s.out, stores[0].out, strings.Join(d, ", "))
		}
	}
	return nil
}

// locate finds the store of each chunk.
func locate(stores []*Store) (map[Chunk]*Store, error) {
	holders := map[Chunk]*Store{}
	var missing []Chunk
	for _, c := range stores[0].Manifest.Chunks() {
		for _, s := range stores {
			_, err := s.label(c)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if other := holders[c]; other != nil {
				return nil, fmt.Errorf("%v are in %s and again in %s", c, other.out, s.out)
			}
			holders[c] = s
		}
		if holders[c] == nil {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s are in none of the folders", list(missing))
	}
	return holders, nil
}

// list names chunks, neighbours together.
func list(chunks []Chunk) string {
	var joined []Chunk
	for _, c := range chunks {
		if n := len(joined); n > 0 && joined[n-1].Split == c.Split && joined[n-1].To == c.From {
			joined[n-1].To = c.To
			continue
		}
		joined = append(joined, c)
	}
	var names []string
	for _, c := range joined {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}

func sameScores(a, b []Score) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// start returns an empty run with the columns of a part.
func start(m Manifest, dataset string, part *misd.Run) *misd.Run {
	run := &misd.Run{Dataset: dataset, Model: m.Title(), Classes: part.Classes}
	for _, s := range part.Scores {
		run.Scores = append(run.Scores, misd.Score{Name: s.Name})
	}
	return run
}

// add appends the images of a part.
func add(run, part *misd.Run) error {
	if part.Classes != run.Classes || (part.Logits == nil) != (run.Logits == nil) && run.Len() > 0 {
		return fmt.Errorf("%d classes, the parts before have %d", part.Classes, run.Classes)
	}
	before := run.Len()
	run.Label = append(run.Label, part.Label...)
	run.Pred = append(run.Pred, part.Pred...)
	run.Logits = append(run.Logits, part.Logits...)
	for i, s := range part.Scores {
		d := &run.Scores[i]
		d.Cost = meanCost(d.Cost, before, s.Cost, part.Len())
		if len(d.Values) > 0 && (s.Lower == nil) != (d.Lower == nil) {
			return fmt.Errorf("score %s has a bracket in some parts only", s.Name)
		}
		d.Values = append(d.Values, s.Values...)
		d.Lower = append(d.Lower, s.Lower...)
		d.Upper = append(d.Upper, s.Upper...)
		d.Unflipped = append(d.Unflipped, s.Unflipped...)
		d.Evaluations = append(d.Evaluations, s.Evaluations...)
	}
	return run.Validate()
}

// meanCost returns the mean of a cost over n images and one over m more. One that is the same everywhere stays as it is.
func meanCost(a float64, n int, b float64, m int) float64 {
	if n == 0 || a == b {
		return b
	}
	return (a*float64(n) + b*float64(m)) / float64(n+m)
}
