package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ratml/rat/ratml/internal/atomicfile"
	"github.com/ratml/rat/ratml/misd"
)

// WriteScoresCSV writes the scores of a run as a table with one line an image: index, label, pred, correct (1 or 0),
// then one column a score. Numbers are written so that reading them again gives the same bits; NaN and infinities
// are NaN, inf and -inf. The logits and what searches know beside the radius are not in it; [WriteScoresNPZ] keeps
// them.
func WriteScoresCSV(path string, run *misd.Run) error {
	if err := checkRun(run); err != nil {
		return fmt.Errorf("report: writing %s: %w", path, err)
	}
	err := atomicfile.Write(path, func(w io.Writer) error { return encodeCSV(w, run) })
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// ReadScoresCSV reads a table in the format of [WriteScoresCSV]. The file does not tell how many classes there are,
// so Classes is one more than the largest label or prediction. Every line is checked; the error names the first one
// that is wrong.
func ReadScoresCSV(path string) (*misd.Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	run, err := decodeCSV(f)
	if err != nil {
		return nil, fmt.Errorf("report: reading %s: %w", path, err)
	}
	return run, nil
}

func encodeCSV(w io.Writer, run *misd.Run) error {
	c := csv.NewWriter(w)
	row := slices.Clone(fixedColumns)
	for _, s := range run.Scores {
		row = append(row, s.Name)
	}
	c.Write(row) // csv.Writer keeps the first error
	for i, label := range run.Label {
		correct := "0"
		if label == run.Pred[i] {
			correct = "1"
		}
		row = append(row[:0], strconv.Itoa(i), strconv.Itoa(label), strconv.Itoa(run.Pred[i]), correct)
		for _, s := range run.Scores {
			row = append(row, formatFloat(s.Values[i]))
		}
		c.Write(row)
	}
	c.Flush()
	return c.Error()
}

// formatFloat writes the shortest number that reads back as v, in a form that Go, Python and R all read.
func formatFloat(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func decodeCSV(r io.Reader) (*misd.Run, error) {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	c.FieldsPerRecord = -1 // checked here, with a better message
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	run, err := decodeHead(head)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return run, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		if err := decodeRow(run, row, seen); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func decodeHead(head []string) (*misd.Run, error) {
	if len(head) < len(fixedColumns) || !slices.Equal(head[:len(fixedColumns)], fixedColumns) {
		return nil, fmt.Errorf("the first line must start with %s, it is %.80q",
			strings.Join(fixedColumns, ","), strings.Join(head, ","))
	}
	run := &misd.Run{}
	for _, name := range head[len(fixedColumns):] {
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("line 1: %w", err)
		}
		if run.Score(name) != nil {
			return nil, fmt.Errorf("line 1: two columns are called %s", name)
		}
		run.Scores = append(run.Scores, misd.Score{Name: name})
	}
	return run, nil
}

func decodeRow(run *misd.Run, row []string, seen map[int]bool) error {
	if want := len(fixedColumns) + len(run.Scores); len(row) != want {
		return fmt.Errorf("%d columns, want %d as in the first line", len(row), want)
	}
	var fixed [3]int // index, label, pred
	for j := range fixed {
		v, err := strconv.Atoi(row[j])
		if err != nil || v < 0 {
			return fmt.Errorf("column %s: %q is not a whole number from 0", fixedColumns[j], row[j])
		}
		fixed[j] = v
	}
	index, label, pred := fixed[0], fixed[1], fixed[2]
	if max(label, pred) > maxClass {
		return fmt.Errorf("label %d or prediction %d is not a class: the largest allowed is %d", label, pred, maxClass)
	}
	if seen[index] {
		return fmt.Errorf("index %d is there a second time", index)
	}
	seen[index] = true
	if want := map[bool]string{false: "0", true: "1"}[label == pred]; row[3] != want {
		return fmt.Errorf("correct is %q, but label %d and prediction %d make it %s", row[3], label, pred, want)
	}
	run.Label = append(run.Label, label)
	run.Pred = append(run.Pred, pred)
	run.Classes = max(run.Classes, label+1, pred+1)
	for j := range run.Scores {
		cell := row[len(fixedColumns)+j]
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			return fmt.Errorf("column %s: %q is not a number", run.Scores[j].Name, cell)
		}
		run.Scores[j].Values = append(run.Scores[j].Values, v)
	}
	return nil
}

// maxClass bounds labels in files: a larger one is a broken file, not a class.
const maxClass = 1 << 24
