package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func findCSV(q query) (string, error) {
	name, err := q.named()
	if err != nil {
		return "", err
	}
	if !isFile(name) && !isFile(filepath.Join(name, "test.csv")) {
		return "", fmt.Errorf("neither %s nor %s is a file: %w", name, filepath.Join(name, "test.csv"), fs.ErrNotExist)
	}
	return name, nil
}

// openCSV opens a list of images with their labels, path,label or path,label,split, or a folder with train.csv and
// test.csv. Paths are relative to the folder of the list. Labels are numbers from 0, or names of classes, which are sorted.
func openCSV(q query) (*Data, error) {
	place, err := findCSV(q)
	if err != nil {
		return nil, err
	}
	var all []csvRow
	dir := place
	if isFile(place) {
		dir = filepath.Dir(place)
		all, err = readCSV(place, "test")
	} else {
		if name := filepath.Join(place, "train.csv"); isFile(name) {
			if all, err = readCSV(name, "train"); err != nil {
				return nil, err
			}
		}
		var test []csvRow
		test, err = readCSV(filepath.Join(place, "test.csv"), "test")
		all = append(all, test...)
	}
	if err != nil {
		return nil, err
	}
	classes, labels, err := csvClasses(all)
	if err != nil {
		return nil, err
	}
	halves := map[string]*photos{}
	for i, r := range all {
		if halves[r.split] == nil {
			halves[r.split] = &photos{files: onDisk(dir), classes: classes}
		}
		halves[r.split].add(r.path, labels[i])
	}
	data, err := photoData(place, halves["train"], halves["test"], q.Config, Preprocess{})
	if err == nil && data.Train == nil {
		data.missing = fmt.Errorf("%s lists no images for training", place)
	}
	return data, err
}

// csvRow is an image of a list.
type csvRow struct {
	path, label, split string
	file               string
	offset             int64
}

func readCSV(name, split string) (rows []csvRow, err error) {
	err = withFile(name, func(src *source) (err error) {
		rows, err = parseCSV(src, split)
		return err
	})
	return rows, err
}

// csvSplits are the values of a third column; images for validation are in neither half.
var csvSplits = map[string]string{"train": "train", "training": "train", "test": "test", "val": "", "valid": "", "validation": ""}

func parseCSV(src *source, split string) (rows []csvRow, err error) {
	r := csv.NewReader(io.LimitReader(src, src.limit))
	r.FieldsPerRecord = 0 // all as many as the first
	r.ReuseRecord = true
	for first := true; ; first = false {
		start := r.InputOffset()
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, src.fail(start, "line %d: %v", bad.Line, bad.Err)
		}
		if err != nil {
			return nil, &FormatError{src.name, start, src.compressed, "cannot be read further", err}
		}
		if len(record) < 2 || len(record) > 3 {
			return nil, src.fail(start, "%d columns, want path,label or path,label,split", len(record))
		}
		if first && strings.EqualFold(record[1], "label") {
			continue
		}
		row := csvRow{strings.Clone(record[0]), strings.Clone(strings.TrimSpace(record[1])), split, src.name, start}
		if !filepath.IsLocal(filepath.FromSlash(row.path)) {
			return nil, src.fail(start, "%q is outside the folder of the list", row.path)
		}
		if len(record) == 3 {
			s, ok := csvSplits[strings.ToLower(record[2])]
			if !ok {
				return nil, src.fail(start, "split %q, want train, val or test", record[2])
			}
			if row.split = s; s == "" {
				continue
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, src.fail(0, "no images in the list")
	}
	return rows, nil
}

// csvClasses returns the names of classes, and the label of each row.
func csvClasses(rows []csvRow) (classes []string, labels []int, err error) {
	labels = make([]int, len(rows))
	named := slices.ContainsFunc(rows, func(r csvRow) bool {
		_, err := strconv.Atoi(r.label)
		return err != nil
	})
	if named {
		for _, r := range rows {
			classes = append(classes, r.label)
		}
		slices.Sort(classes)
		classes = slices.Clone(slices.Compact(classes))
		for i, r := range rows {
			labels[i], _ = slices.BinarySearch(classes, r.label)
		}
		return classes, labels, nil
	}
	for i, r := range rows {
		labels[i], _ = strconv.Atoi(r.label)
		if labels[i] < 0 || labels[i] >= 1<<20 {
			return nil, nil, &FormatError{File: r.file, Offset: r.offset, Problem: fmt.Sprintf("label %s, want 0 to %d", r.label, 1<<20-1)}
		}
	}
	return numberedClasses(labels), labels, nil
}
