package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// compareOptions are the flags of evaluate compare.
type compareOptions struct {
	Dirs      []string `arg:"positional,required" placeholder:"DIR" help:"the --out folders of finished runs"`
	Baseline  string   `arg:"--baseline" help:"with one folder: the score that others are compared with [default: every pair]"`
	ByClass   bool     `arg:"--by_class" help:"with one folder: judge the images of each true class apart, instead of comparing scores"`
	Rank      bool     `arg:"--rank" help:"rank the scores over the folders, which are of different data sets, instead of comparing classifiers"`
	Resamples int      `arg:"--resamples" default:"2000" help:"bootstrap resamples"`
	Seed      uint64   `arg:"--seed" default:"0" help:"seed of the bootstrap"`
	Out       string   `arg:"--out" help:"file for the table: .json, .csv, .md, .html, .tex or .txt"`
}

func (compareOptions) Description() string {
	return "Compares scores of one finished run, or classifiers on the same images (the first folder is the baseline), by paired bootstrap differences with p-values corrected after Holm."
}

// table is what all comparisons are shown as.
type table interface {
	fmt.Stringer
	Save(path string) error
}

func compare(ctx context.Context, o compareOptions, stdout io.Writer) error {
	if o.Out != "" {
		if err := writableFile(o.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if one := len(o.Dirs) == 1; one && o.Rank || !one && (o.ByClass || o.Baseline != "") {
		return usagef("--rank needs several folders, --by_class and --baseline take one")
	}
	runs, err := finishedRuns(o.Dirs)
	if err != nil {
		return err
	}
	t, err := o.table(ctx, runs)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, t)
	if o.Out == "" {
		return nil
	}
	return t.Save(o.Out)
}

func (o compareOptions) table(ctx context.Context, runs []*misd.Run) (table, error) {
	opts := report.Options{Resamples: o.Resamples, Seed: o.Seed}
	switch {
	case o.Rank:
		var reports []*report.Report
		for _, run := range runs {
			rep, err := report.EvaluateContext(ctx, run, report.Options{Resamples: -1})
			if err != nil {
				return nil, err
			}
			reports = append(reports, rep)
		}
		return report.Rank("", reports...)
	case o.ByClass:
		return report.EvaluateGroups(ctx, runs[0], "class", report.ClassNames(runs[0].Label, nil), opts)
	case len(runs) == 1:
		return report.CompareScores(ctx, runs[0], o.Baseline, opts)
	}
	return report.CompareNets(ctx, runs[0], runs[1:], opts)
}

// finishedRuns reads the scores of finished runs, which must have one split each.
func finishedRuns(dirs []string) ([]*misd.Run, error) {
	var runs []*misd.Run
	for _, dir := range dirs {
		record, err := parts.ReadRecord(dir)
		if err != nil {
			return nil, fmt.Errorf("%s is not the folder of a finished run: %w", dir, err)
		}
		splits, err := stored(dir, record.Manifest)
		if err != nil {
			return nil, err
		}
		if len(splits) != 1 {
			return nil, fmt.Errorf("%s holds %d splits; compare runs without --n_exps", dir, len(splits))
		}
		runs = append(runs, splits[0].Run)
	}
	return runs, nil
}
