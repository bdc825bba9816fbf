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
	Fitted []Score
	Run    *misd.Run
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
	costs := make([][]cost, m.Splits)
	for _, c := range m.Chunks() {
		part, err := holders[c].Read(c)
		if err != nil {
			return nil, err
		}
		split := &splits[c.Split]
		if split.Run == nil {
			split.Fitted, split.Run = part.Fitted, start(m, part.Run)
			costs[c.Split] = make([]cost, len(m.Scores))
		} else if !sameScores(split.Fitted, part.Fitted) {
			return nil, fmt.Errorf("%v in %s was scored with other fitted parameters than the part before it", c, holders[c].out)
		}
		if err := add(split.Run, part.Run); err != nil {
			return nil, fmt.Errorf("%v in %s: %w", c, holders[c].out, err)
		}
		for i, s := range part.Run.Scores {
			costs[c.Split][i].add(s.Cost, c.To-c.From)
		}
	}
	for i := range splits {
		for j := range splits[i].Run.Scores {
			splits[i].Run.Scores[j].Cost = costs[i][j].mean()
		}
	}
	return splits, nil
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
func start(m Manifest, part *misd.Run) *misd.Run {
	run := &misd.Run{Dataset: m.Dataset, Model: m.Title(), Classes: part.Classes}
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
	run.Label = append(run.Label, part.Label...)
	run.Pred = append(run.Pred, part.Pred...)
	run.Logits = append(run.Logits, part.Logits...)
	for i, s := range part.Scores {
		d := &run.Scores[i]
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

// cost is the mean cost of a score over parts.
type cost struct {
	sum    float64
	images int
	first  float64
	same   bool
}

func (c *cost) add(v float64, images int) {
	if c.images == 0 {
		c.first, c.same = v, true
	}
	c.same = c.same && v == c.first
	c.sum += v * float64(images)
	c.images += images
}

// mean keeps a cost that is the same everywhere free of rounding.
func (c *cost) mean() float64 {
	if c.same {
		return c.first
	}
	return c.sum / float64(c.images)
}
