package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/dataset"
	"github.com/ratml/rat/ratml/figures"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/report"
	"github.com/ratml/rat/scripts/internal/progress"
)

// material is what figures are drawn from.
type material struct {
	subjects []*subject
	images   dataset.Set // the first of which are those of the subjects; nil where they are not at hand
	planes   []figures.Plane
	lacking  []lack

	reports   []*report.Report
	corrupted []figures.Corrupted
}

// lack is why something is not there.
type lack struct {
	what need
	why  error
}

// without returns an error if something is not there.
func (m *material) without(needs need) error {
	for _, l := range m.lacking {
		if needs&l.what != 0 {
			return l.why
		}
	}
	return nil
}

// judge makes the reports that the wanted figures need. Intervals of all metrics take seconds, so that they are left
// out where no figure shows them.
func (m *material) judge(ctx context.Context, o options) error {
	for _, s := range m.subjects {
		resamples := -1
		if o.needs()&metrics != 0 {
			resamples = o.Resamples
		}
		bar := progress.New("judging "+s.run.Model, len(s.run.Scores))
		r, err := report.EvaluateContext(ctx, s.run, judging(resamples, o.Seed, bar))
		bar.Finish()
		if err != nil {
			return err
		}
		m.reports = append(m.reports, r)
	}
	if o.needs()&noise == 0 {
		return nil
	}
	return m.judgeNoise(ctx, o)
}

func judging(resamples int, seed uint64, bar *progress.Bar) report.Options {
	opts := report.Options{Resamples: resamples, Seed: seed}
	if resamples == 0 {
		opts.Resamples = -1
	}
	if bar != nil {
		opts.Progress = bar.Func()
	}
	return opts
}

// judgeNoise makes the reports of images with noise, and of the same images without.
func (m *material) judgeNoise(ctx context.Context, o options) error {
	for _, s := range m.subjects {
		if len(s.noisy) == 0 {
			m.lacking = append(m.lacking, lack{noise, fmt.Errorf("there are no scores of images with noise for %s", s.run.Model)})
			return nil
		}
		clean, err := s.clean()
		if err != nil {
			return err
		}
		for severity, run := range append([]*misd.Run{clean}, s.noisy...) {
			r, err := report.EvaluateContext(ctx, run, judging(o.Resamples, o.Seed, nil))
			if err != nil {
				return err
			}
			c := figures.Corrupted{Severity: severity, Report: r}
			if severity > 0 {
				c.Corruption = "Gaussian noise"
			}
			m.corrupted = append(m.corrupted, c)
		}
	}
	return nil
}

// clean returns the run of the images that are there with noise too, with the scores that these have.
func (s *subject) clean() (*misd.Run, error) {
	with := s.noisy[0]
	if with.Len() > s.run.Len() || !slices.Equal(with.Label, s.run.Label[:with.Len()]) {
		return nil, fmt.Errorf("the images with noise of %s are others than those without", s.run.Model)
	}
	out, err := s.run.Subset(rows(0, with.Len()))
	if err != nil {
		return nil, err
	}
	out.Scores = slices.DeleteFunc(out.Scores, func(c misd.Score) bool { return with.Score(c.Name) == nil })
	return out, nil
}

func corruption(m *material, opts figures.Options) (*figures.Figure, error) {
	return figures.CorruptionRisk(m.corrupted, opts)
}

// drawRays draws the rays of one classifier after those of another.
func drawRays(m *material, opts figures.Options) (*figures.Figure, error) {
	var all []figures.Ray
	for _, s := range m.subjects {
		if len(s.rays) == 0 {
			return nil, fmt.Errorf("there are no rays of %s", s.run.Model)
		}
		for _, r := range s.rays {
			r.Name = s.run.Model + ": " + r.Name
			all = append(all, r)
		}
	}
	return figures.Rays(all, opts)
}

// tiles shows the surest mistakes and the least sure right predictions of each classifier, a line of images each.
func tiles(m *material, opts figures.Options) (*figures.Figure, error) {
	if m.images == nil {
		return nil, errors.New("the images are not at hand")
	}
	if opts.Size == (figures.Size{}) {
		opts.Size = figures.Page
	}
	var rows []figures.ImageRow
	for _, s := range m.subjects {
		for _, group := range []struct {
			title  string
			choose func(run *misd.Run, score string, n int) ([]int, error)
		}{
			{"the most confident mistakes", figures.ConfidentMistakes},
			{"the least confident right predictions", figures.DoubtfulSuccesses},
		} {
			index, err := group.choose(s.run, "MSR", 7)
			if err != nil {
				return nil, err
			}
			row := figures.ImageRow{Title: s.run.Model + ": " + group.title}
			for _, i := range index {
				t, err := tile(m.images, s.run, i)
				if err != nil {
					return nil, err
				}
				row.Tiles = append(row.Tiles, t)
			}
			if len(row.Tiles) > 0 {
				rows = append(rows, row)
			}
		}
	}
	return figures.Images(rows, opts)
}

// tile returns an image with what a classifier says of it.
func tile(set dataset.Set, run *misd.Run, i int) (figures.Tile, error) {
	sh := set.Shape()
	pixels := make([]float32, sh.Size())
	if _, err := set.Read(i, pixels); err != nil {
		return figures.Tile{}, err
	}
	img, err := figures.Picture(pixels, sh.Height, sh.Width, sh.Channels)
	if err != nil {
		return figures.Tile{}, err
	}
	t := figures.Tile{Image: img, Index: i, Label: className(set, run.Label[i]), Pred: className(set, run.Pred[i]),
		Confidence: run.Score("MSR").Values[i], Radius: math.NaN()}
	for _, name := range []string{"RR_fgsm", "RR_fast"} {
		if s := run.Score(name); s != nil {
			t.Radius = s.Values[i]
			break
		}
	}
	return t, nil
}

func className(set dataset.Set, label int) string {
	if names := set.Classes(); label < len(names) {
		return cmp.Or(names[label], fmt.Sprint(label))
	}
	return fmt.Sprint(label)
}
