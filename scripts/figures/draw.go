package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/report"
)

// A drawing is one figure of the gallery.
type drawing struct {
	file string
	draw func([]*report.Report, figures.Options) (*figures.Figure, error)
	opts figures.Options
}

func gallery() []drawing {
	return []drawing{
		{"risk_coverage", figures.RiskCoverage, figures.Options{Band: true}},
		{"radius_histogram", figures.RadiusHistogram, figures.Options{}},
		{"reliability", figures.Reliability, figures.Options{}},
		{"radius_agreement", figures.RadiusAgreement, figures.Options{}},
		{"aurc", figures.AURCBars, figures.Options{}},
	}
}

// draw writes the figures as PNG with their data as CSV, and the leaderboard as Markdown, CSV and JSON. It returns the
// names of the files that people look at.
func draw(o options, board *report.Comparison) ([]string, error) {
	var files []string
	for _, d := range gallery() {
		d.opts.Seed = o.Seed
		d.opts.Command = o.command()
		fig, err := d.draw(board.Reports, d.opts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.file, err)
		}
		if err := fig.Save(filepath.Join(o.Out, d.file+".png")); err != nil {
			return nil, err
		}
		files = append(files, d.file+".png")
	}
	for _, ending := range []string{".md", ".csv", ".json"} {
		if err := board.Save(filepath.Join(o.Out, "leaderboard"+ending)); err != nil {
			return nil, err
		}
	}
	return append(files, "leaderboard.md"), nil
}

// command is the line that makes the same figures again on the same backend.
func (o options) command() string {
	steps := strings.Trim(fmt.Sprint(o.StepSizes), "[]")
	return fmt.Sprintf("go run ./scripts/figures --dataset %s --train_size %d --val_size %d --test_size %d --epochs %d --step_sizes %s --batch_size %d --resamples %d --seed %d",
		o.Dataset, o.TrainSize, o.ValSize, o.TestSize, o.Epochs, steps, o.BatchSize, o.Resamples, o.Seed)
}
