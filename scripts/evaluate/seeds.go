package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
)

// seedsOptions are the flags of evaluate seeds.
type seedsOptions struct {
	Dirs []string `arg:"positional,required" placeholder:"DIR" help:"the --out folders of finished runs, one of each training seed"`
	Out  string   `arg:"--out" help:"file for every metric: .json, .csv, .md, .html, .tex or .txt"`
}

func (seedsOptions) Description() string {
	return "Sums up finished runs of classifiers that were trained from different seeds: the mean of every metric, and how it varies over training seeds and, apart from that, over the validation splits of --n_exps."
}

func seeds(ctx context.Context, o seedsOptions, stdout, stderr io.Writer) error {
	if o.Out != "" {
		if err := writableFile(o.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	var reports [][]*report.Report
	var first parts.Manifest
	weights := map[string]string{}
	for i, dir := range o.Dirs {
		record, err := parts.ReadRecord(dir)
		if err != nil {
			return fmt.Errorf("%s is not the folder of a finished run: %w", dir, err)
		}
		m := record.Manifest
		if other, ok := weights[m.Weights]; ok {
			return fmt.Errorf("%s and %s are of the same weights", other, dir)
		}
		weights[m.Weights] = dir
		if i == 0 {
			first = m
		}
		if m.Data != first.Data || m.Protocol != first.Protocol || m.Splits != first.Splits || m.Seed != first.Seed || m.Validation != first.Validation {
			return fmt.Errorf("%s and %s are not of the same images, protocol and splits", o.Dirs[0], dir)
		}
		splits, err := stored(dir, m)
		if err != nil {
			return err
		}
		m.Resamples = 0 // the spread is over seeds and splits here
		r, err := judgement{m, stderr}.judge(ctx, splits)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	sum, err := report.Repeat(reports)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, sum)
	if o.Out == "" {
		return nil
	}
	return sum.Save(o.Out)
}
