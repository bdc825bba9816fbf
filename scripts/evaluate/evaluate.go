package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/evaluate/internal/parts"
	"github.com/ratml/rat/scripts/internal/progress"
)

// run scores and judges, as far as --shard says.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	e, err := prepare(ctx, o, stderr)
	if err != nil {
		return err
	}
	if o.Plan {
		outline, err := confidence.Plan(e.classifier, e.requested...)
		if err == nil {
			fmt.Fprint(stdout, outline)
		}
		return err
	}
	if o.Resume {
		if done, err := e.finished(ctx, stdout); done || err != nil {
			return err
		}
	}
	store, err := e.score(ctx)
	if err != nil {
		return err
	}
	if !o.Shard.Whole() {
		return nil
	}
	splits, err := parts.Join(store)
	if err != nil {
		return err
	}
	found, err := judgement{e.manifest, e.stderr}.finish(ctx, splits, e.Out, e.Plot, stdout)
	if err != nil {
		return err
	}
	if err := store.Remove(); err != nil {
		return err
	}
	return e.page(ctx, found)
}

// evaluation is everything that the options name, opened and checked.
type evaluation struct {
	*scoring
	options
	manifest parts.Manifest
	shifted  dataset.Set // nil without --ood_dataset
}

// prepare checks the options, cheapest first, before anything is computed.
func prepare(ctx context.Context, o options, stderr io.Writer) (*evaluation, error) {
	if err := o.custom(); err != nil {
		return nil, err
	}
	if err := o.settle(&o.Arch); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	p, err := protocol(o.Protocol)
	if err != nil {
		return nil, err
	}
	functions, err := o.functions(p)
	if err != nil {
		return nil, err
	}
	chosen, err := o.load()
	if err != nil {
		return nil, err
	}
	if err := writable(o.Out); err != nil && !o.Plan {
		return nil, fmt.Errorf("--out: %w", err)
	}
	if o.DataParallel {
		o.Devices = "all"
	}
	e := &evaluation{options: o}
	e.scoring, err = open(o.source, o.fitting, o.Splits, functions, stderr)
	if err != nil {
		return nil, err
	}
	e.model = o.Tag
	if err := e.needStatistics(ctx); err != nil {
		return nil, err
	}
	if e.Plan {
		return e, nil
	}
	if e.manifest, err = e.describe(); err != nil {
		return nil, err
	}
	if err := (judgement{e.manifest, stderr}).checkPolicy(chosen); err != nil {
		return nil, fmt.Errorf("--policy %s: %w", o.Policy, err)
	}
	if err := e.openShifted(); err != nil {
		return nil, err
	}
	return e, nil
}

func (o options) check() error {
	if o.Checkpoint == "" {
		return usagef("--model or --ckpt is required: the weights to judge")
	}
	if o.Splits < 1 || o.ChunkSize < 1 || o.BatchSize < 1 || o.Resamples < 0 {
		return usagef("--n_exps, --chunk_size and --batch_size (officially the batch size is --test_batch) must be positive, --resamples not negative")
	}
	if o.HTML != "" && !o.Shard.Whole() {
		return usagef("--html: there is nothing to show of a shard; give it to evaluate merge")
	}
	return o.official.check(o.RobustRadius)
}

// writable makes a folder, and checks that files can be written to it before anything is computed for them.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// describe returns all that the bytes of the result depend on.
func (e *evaluation) describe() (parts.Manifest, error) {
	m := parts.Manifest{
		Arch: e.classifier.Arch.Name, Model: e.Tag, Dataset: e.title(), Protocol: e.Protocol,
		Backend: fmt.Sprintf("%s %s, %d devices", e.classifier.Backend.Kind(), e.classifier.Backend.Version(), e.classifier.Devices),
		Seed:    e.Seed, Splits: e.Splits, Validation: e.validation, Images: e.images.Len() - e.validation,
		BatchSize: e.BatchSize, ChunkSize: e.ChunkSize, Resamples: e.Resamples, Least: e.Threshold,
	}
	var err error
	if m.Scores, err = describe(unfitted(e.requested)); err != nil {
		return m, err
	}
	if m.Weights, err = parts.FileSum(e.Checkpoint); err != nil {
		return m, err
	}
	m.Data, err = fingerprint(e.images)
	return m, err
}

// finished tells whether the folder holds the whole run already, and shows it then.
func (e *evaluation) finished(ctx context.Context, stdout io.Writer) (bool, error) {
	record, err := parts.ReadRecord(e.Out)
	if err != nil || len(record.Manifest.Differences(e.manifest)) > 0 || !e.Shard.Whole() {
		return false, nil
	}
	if _, err := parts.Existing(e.Out); err == nil {
		return false, nil // interrupted before the parts were removed
	}
	splits, err := stored(e.Out, e.manifest)
	if err != nil {
		return false, nil
	}
	store, err := parts.Open(e.Out, e.manifest)
	if err != nil {
		return true, err
	}
	if err := store.Remove(); err != nil { // what an interruption left of them
		return true, err
	}
	fmt.Fprintf(e.stderr, "%s holds the finished run already\n", e.Out)
	j := judgement{e.manifest, e.stderr}
	reports, err := j.judge(ctx, splits)
	if err != nil {
		return true, err
	}
	if err := j.print(reports, stdout); err != nil {
		return true, err
	}
	found := judged{splits, reports, nil}
	if e.HTML != "" {
		if found.shifts, err = j.storedShifted(ctx, e.Out, splits, record); err != nil {
			return true, err
		}
	}
	return true, e.page(ctx, found)
}

// stored reads the scores of a finished run.
func stored(dir string, m parts.Manifest) ([]parts.Split, error) {
	var splits []parts.Split
	for i := range m.Splits {
		run, err := report.ReadScoresNPZ(filepath.Join(splitDir(dir, i, m.Splits), "scores.npz"))
		if err != nil {
			return nil, err
		}
		run.Dataset, run.Model = m.Dataset, m.Title()
		splits = append(splits, parts.Split{Run: run})
	}
	return splits, nil
}

// judgement is what is done with the scores of a run.
type judgement struct {
	parts.Manifest
	stderr io.Writer
}

// finish judges a complete run, writes its files, and prints the leaderboard.
func (j judgement) finish(ctx context.Context, splits []parts.Split, out string, plot bool, stdout io.Writer) (judged, error) {
	found := judged{splits: splits}
	err := j.leaveOut(splits)
	if err != nil {
		return found, err
	}
	if found.reports, err = j.judge(ctx, splits); err != nil {
		return found, err
	}
	if found.shifts, err = j.shifted(ctx, splits); err != nil {
		return found, err
	}
	if err := j.write(out, found, plot, stdout); err != nil {
		return found, err
	}
	fmt.Fprintf(j.stderr, "wrote scores.csv, scores.npz and metrics.json to %s\n", out)
	return found, j.print(found.reports, stdout)
}

// leaveOut drops the images that --prob-thres does.
func (j judgement) leaveOut(splits []parts.Split) (err error) {
	for i := range splits {
		if j.Least == 0 {
			break
		}
		if splits[i].Run, err = atLeast(splits[i].Run, j.Least); err != nil {
			return err
		}
		if splits[i].Shifted == nil {
			continue
		}
		if splits[i].Shifted, err = atLeast(splits[i].Shifted, j.Least); err != nil {
			return err
		}
	}
	return nil
}

func (j judgement) options() report.Options {
	o := report.Options{Resamples: j.Resamples, Seed: j.Seed}
	if j.Resamples == 0 {
		o.Resamples = -1
	}
	return o
}

func (j judgement) judge(ctx context.Context, splits []parts.Split) ([]*report.Report, error) {
	var reports []*report.Report
	for _, s := range splits {
		bar := progress.New("judging", len(s.Run.Scores))
		opts := j.options()
		opts.Progress = bar.Func()
		r, err := report.EvaluateContext(ctx, s.Run, opts)
		bar.Finish()
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// write stores the reports and the scores behind them, and last what they come from.
func (j judgement) write(out string, found judged, plot bool, stdout io.Writer) error {
	reports := found.reports
	if err := parts.RemoveRecord(out); err != nil {
		return err
	}
	for i, r := range reports {
		dir := splitDir(out, i, len(reports))
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		sweep(dir)
		if err := writeReport(dir, r, plot); err != nil {
			return err
		}
	}
	sweep(out)
	if err := j.aggregate(out, reports); err != nil {
		return err
	}
	if err := mix(found, out, stdout); err != nil {
		return err
	}
	return parts.WriteRecord(out, j.Manifest, found.splits)
}

// sweep removes what a process that was killed left half written, under names that start with a dot.
func sweep(dir string) {
	for _, name := range []string{"scores.csv", "scores.npz", "metrics.json", "run.json"} {
		left, _ := filepath.Glob(filepath.Join(dir, "."+name+"*")) // the pattern is right
		for _, path := range left {
			os.Remove(path)
		}
	}
}

func writeReport(dir string, r *report.Report, plot bool) error {
	if err := report.WriteScoresCSV(filepath.Join(dir, "scores.csv"), r.Run); err != nil {
		return err
	}
	if err := report.WriteScoresNPZ(filepath.Join(dir, "scores.npz"), r.Run); err != nil {
		return err
	}
	if plot {
		if err := draw(dir, r); err != nil {
			return err
		}
	}
	return r.Save(filepath.Join(dir, "metrics.json"))
}

// splitDir is where the files of one of several splits are.
func splitDir(out string, split, of int) string {
	if of == 1 {
		return out
	}
	return filepath.Join(out, fmt.Sprintf("split_%d", split+1))
}

// atLeast returns the images whose largest probability is at least least, as the official --prob-thres keeps.
func atLeast(run *misd.Run, least float64) (*misd.Run, error) {
	top := confidence.MSR{}.Values(run.Logits, run.Classes, nil)
	var kept []int
	for i, v := range top {
		if v >= least {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("--prob-thres %g: no image has a probability as large", least)
	}
	return run.Subset(kept)
}
