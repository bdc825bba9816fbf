package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
	"github.com/ratml/rat/scripts/internal/progress"
)

// columnsOptions are the flags of evaluate columns.
type columnsOptions struct {
	Files       []string `arg:"positional,required" placeholder:"FILE" help:"tables (.csv, .tsv, .npz) with label and pred, or correct, or label and probabilities, and any scores"`
	Scores      []string `arg:"--scores" help:"columns that are scores [default: all that have no other meaning]"`
	Uncertainty []string `arg:"--uncertainty" help:"scores of which larger values mean less confident; they are negated"`
	Group       string   `arg:"--group" help:"column to group images by; the table is by its values too"`
	Resamples   int      `arg:"--resamples" default:"1000" help:"bootstrap resamples behind the intervals, 0 for none"`
	Seed        uint64   `arg:"--seed" default:"0" help:"seed of the bootstrap"`
	Out         string   `arg:"--out" help:"file for every metric: .json, .csv, .md, .html, .tex or .txt"`
	paging
}

func (columnsOptions) Description() string {
	return "Judges columns of confidences that any tool wrote: one leaderboard, of several files side by side. A score is larger where a prediction is surer; probabilities give the score MSR."
}

func columns(ctx context.Context, o columnsOptions, stdout, stderr io.Writer) error {
	if o.Resamples < 0 {
		return usagef("--resamples %d: want 0 or more", o.Resamples)
	}
	if o.Out != "" {
		if err := writableFile(o.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	chosen, err := o.load()
	if err != nil {
		return err
	}
	if chosen != nil && len(o.Files) > 1 {
		return usagef("--policy is for one file, there are %d", len(o.Files))
	}
	reports, groups, err := o.judge(ctx)
	if err != nil {
		return err
	}
	var tables []report.Table
	if len(reports) == 1 {
		tables = append(tables, reports[0])
	} else {
		c, err := report.Compare(reports...)
		if err != nil {
			return err
		}
		tables = append(tables, c)
	}
	for _, g := range groups {
		tables = append(tables, g)
	}
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		fmt.Fprintln(stdout, t)
	}
	for i, t := range tables {
		if o.Out == "" {
			break
		}
		if err := t.Save(numbered(o.Out, i)); err != nil {
			return err
		}
	}
	return o.page(tables, reports, stderr)
}

// page writes the page of --html.
func (o columnsOptions) page(tables []report.Table, reports []*report.Report, stderr io.Writer) error {
	if o.HTML == "" {
		return nil
	}
	p, err := o.paging.page(tables[0], reports)
	if err != nil {
		return err
	}
	p.Tables = tables[1:]
	for i, path := range o.Files {
		sum, err := parts.FileSum(path)
		if err != nil {
			return err
		}
		p.Facts = append(p.Facts, report.Fact{Name: path, Value: fmt.Sprintf("%d images; sha256 %s", reports[i].Run.Len(), sum)})
	}
	return o.save(p, stderr)
}

// judge reads and evaluates all files.
func (o columnsOptions) judge(ctx context.Context) ([]*report.Report, []*report.Groups, error) {
	c := report.Columns{Scores: o.Scores, Uncertainty: o.Uncertainty}
	if o.Group != "" {
		c.Groups = []string{o.Group}
	}
	opts := report.Options{Resamples: o.Resamples, Seed: o.Seed}
	if o.Resamples == 0 {
		opts.Resamples = -1
	}
	var reports []*report.Report
	var groups []*report.Groups
	for _, path := range o.Files {
		run, grouping, err := c.Read(path)
		if err != nil {
			return nil, nil, err
		}
		bar := progress.New("judging "+filepath.Base(path), len(run.Scores))
		opts.Progress = bar.Func()
		r, err := report.EvaluateContext(ctx, run, opts)
		bar.Finish()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
		if o.Group == "" {
			continue
		}
		opts.Progress = nil
		g, err := report.EvaluateGroups(ctx, run, o.Group, grouping[o.Group], opts)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		groups = append(groups, g)
	}
	return reports, groups, nil
}

// numbered returns the file for the i-th table: path for the first, then path with a number before its ending.
func numbered(path string, i int) string {
	if i == 0 {
		return path
	}
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s_groups%d%s", path[:len(path)-len(ext)], i, ext)
}

// writableFile checks that a file can be written before anything is computed for it.
func writableFile(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder, want the name of a file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".writable")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
