package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/internal/progress"
)

// summary is what a study found on one data set.
type summary struct {
	*source
	step        float64 // of the ablation; 0 where there is none
	trials      []trial // what it was chosen by, where all of the sweep is there
	rows        []row
	comparisons []comparison
	images      int
}

// row is what one way of training gave.
type row struct {
	treatment
	step     float64
	seeds    []uint64 // ascending, those that did not diverge
	reports  []*report.Report
	diverged int // seeds that diverged
	missing  int // seeds that are not there
}

// values returns a metric of a score by seed, in plain fractions.
func (r row) values(score, metric string) []float64 {
	var out []float64
	for _, rep := range r.reports {
		out = append(out, value(rep, score, metric))
	}
	return out
}

// spread returns mean and standard deviation (n-1) over seeds, NaN where there are too few.
func (r row) spread(score, metric string) (mean, deviation float64) {
	v := r.values(score, metric)
	switch len(v) {
	case 0:
		return math.NaN(), math.NaN()
	case 1:
		return v[0], math.NaN()
	}
	return stat.MeanStdDev(v, nil)
}

// comparison is the difference of two ways of training, over the seeds that both have.
type comparison struct {
	a, b          row
	score, metric string // no score where the metric is accuracy
	seeds         int
	difference    float64  // mean of a minus mean of b, plain fraction
	overSeeds     interval // paired t-test; each seed is a pair
	overImages    interval // paired bootstrap of the test images, these nets given
}

// summarize reads the cells of a data set that are there, and compares them.
func (s *study) summarize(ctx context.Context, src *source) (*summary, error) {
	out := &summary{source: src, images: src.test.Len()}
	step, err := s.step(src)
	var early notChosenError
	if err != nil && !errors.As(err, &early) {
		return nil, err
	}
	out.step = step
	if out.trials, err = s.trials(src); err != nil && !errors.As(err, &early) {
		return nil, err
	}
	cells := s.sweep(src)
	if step != 0 {
		cells = append(cells, s.ablation(src, step)...)
	}
	if out.rows, err = s.rows(cells); err != nil {
		return nil, err
	}
	out.comparisons, err = s.compare(ctx, out.rows)
	return out, err
}

// rows collects the cells that are there by way of training, in the order of the table and of the step sizes.
func (s *study) rows(cells []cell) ([]row, error) {
	var rows []row
	for _, t := range s.table {
		var steps []float64
		for _, c := range cells {
			if c.treatment.name == t.name && !slices.Contains(steps, c.step) {
				steps = append(steps, c.step)
			}
		}
		slices.Sort(steps)
		for _, step := range steps {
			r := row{treatment: t, step: step}
			for _, c := range cells {
				if c.treatment.name != t.name || c.step != step {
					continue
				}
				if err := r.add(s, c); err != nil {
					return nil, err
				}
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// add reads a cell.
func (r *row) add(s *study, c cell) error {
	dir, res, err := s.find(c)
	var damage damageError
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.As(err, &damage):
		r.missing++
		return nil
	case err != nil:
		return err
	case res.Diverged != "":
		r.diverged++
		return nil
	}
	run, err := report.ReadScoresNPZ(filepath.Join(dir, testFile))
	if err != nil {
		return err
	}
	run.Dataset, run.Model = c.source.name, c.way()
	rep, _, err := judge(run)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	r.seeds, r.reports = append(r.seeds, c.seed), append(r.reports, rep)
	return nil
}

// pairs returns which rows are compared: each with those that the table names, where images are moved with the same
// step size.
func pairs(rows []row) [][2]int {
	var out [][2]int
	for i, a := range rows {
		for _, name := range a.against {
			for j, b := range rows {
				if b.name == name && (!b.moves || b.step == a.step) {
					out = append(out, [2]int{i, j})
				}
			}
		}
	}
	return out
}

// compare tests all pairs, score by score and metric by metric.
func (s *study) compare(ctx context.Context, rows []row) ([]comparison, error) {
	bar := progress.New("comparing", 1+len(scores))
	defer bar.Finish()
	var out []comparison
	for k, score := range append([]string{""}, scores...) {
		bar.Set(k, score)
		var curves []*misd.Curve
		at := make([]map[uint64]int, len(rows)) // number of the curve by seed
		for i, r := range rows {
			at[i] = map[uint64]int{}
			for j, rep := range r.reports {
				c, err := curve(rep.Run, score)
				if err != nil {
					return nil, err
				}
				at[i][r.seeds[j]] = len(curves)
				curves = append(curves, c)
			}
		}
		if len(curves) == 0 {
			return nil, nil
		}
		names := []string{"aurc", "auroc", "fpr95_error"}
		if score == "" {
			names = names[:1]
		}
		resamples := s.Resamples
		if resamples == 0 {
			resamples = -1
		}
		paired, err := misd.Bootstrap{Resamples: resamples, Seed: 1}.Paired(ctx, curves, names...)
		if err != nil {
			return nil, err
		}
		for _, metric := range names {
			var family []comparison
			for _, p := range pairs(rows) {
				family = append(family, compareRows(rows, p, at, paired, score, metric))
			}
			out = append(out, corrected(family)...)
		}
	}
	return out, nil
}

// curve returns the curve of a score. Without a name all images are equally confident: the AURC is the error rate then.
func curve(run *misd.Run, score string) (*misd.Curve, error) {
	if score == "" {
		return misd.NewCurve(make([]float64, run.Len()), run.Correct())
	}
	return run.Curve(score)
}

func compareRows(rows []row, p [2]int, at []map[uint64]int, paired *misd.Paired, score, metric string) comparison {
	c := comparison{a: rows[p[0]], b: rows[p[1]], score: score, metric: metric}
	var is, js []int
	var x, y []float64
	for _, seed := range c.a.seeds {
		j, ok := at[p[1]][seed]
		if !ok {
			continue
		}
		i := at[p[0]][seed]
		is, js = append(is, i), append(js, j)
		x, y = append(x, paired.Value(metric, i).Value), append(y, paired.Value(metric, j).Value)
	}
	d := paired.MeanDifference(metric, is, js)
	c.seeds, c.difference, c.overSeeds = len(is), d.Value, pairedT(x, y)
	c.overImages = interval{d.Lower, d.Upper, d.P, math.NaN()}
	if score == "" { // the error rate
		c.metric, c.difference = "accuracy", -c.difference
		for _, t := range []*interval{&c.overSeeds, &c.overImages} {
			t.Low, t.High = -t.High, -t.Low
		}
	}
	return c
}

// corrected adds Holm's correction for all comparisons of a family.
func corrected(family []comparison) []comparison {
	for _, of := range []func(*comparison) *interval{
		func(c *comparison) *interval { return &c.overSeeds },
		func(c *comparison) *interval { return &c.overImages },
	} {
		var p []float64
		for i := range family {
			p = append(p, of(&family[i]).P)
		}
		for i, h := range misd.Holm(p) {
			of(&family[i]).Holm = h
		}
	}
	return family
}

// against returns the comparison of a way of training with another.
func (s *summary) against(r row, name, score, metric string) (comparison, bool) {
	for _, c := range s.comparisons {
		if c.a.name == r.name && c.a.step == r.step && c.b.name == name && c.score == score && c.metric == metric {
			return c, true
		}
	}
	return comparison{}, false
}
