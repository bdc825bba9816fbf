package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/ratml/rat/ratml/report"
)

// aggregate writes metrics.json of several splits: every metric of every score with its mean and spread.
func (j judgement) aggregate(out string, reports []*report.Report) error {
	if len(reports) == 1 {
		return nil
	}
	r, err := report.Splits(reports...)
	if err != nil {
		return err
	}
	return r.Save(filepath.Join(out, "metrics.json"))
}

// print shows the leaderboard, of several splits with mean and standard deviation.
func (j judgement) print(reports []*report.Report, stdout io.Writer) error {
	if len(reports) == 1 {
		fmt.Fprintln(stdout, reports[0])
		return nil
	}
	r, err := report.Splits(reports...)
	if err == nil {
		fmt.Fprintln(stdout, r)
	}
	return err
}
