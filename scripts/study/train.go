package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/ratml/rat/ratml/confidence"
	"github.com/ratml/rat/ratml/misd"
	"github.com/ratml/rat/ratml/nets"
	"github.com/ratml/rat/ratml/train"
)

// train trains all cells that are missing.
func (s *study) train(ctx context.Context) error {
	p := &pace{study: s, start: time.Now()}
	for _, src := range s.sources {
		if err := p.all(ctx, s.sweep(src)); err != nil {
			return err
		}
		if len(s.ablation(src, 0)) == 0 {
			continue
		}
		step, err := s.step(src)
		if err != nil {
			return err
		}
		if err := p.all(ctx, s.ablation(src, step)); err != nil {
			return err
		}
	}
	return nil
}

// pace knows how long cells take.
type pace struct {
	*study
	start  time.Time
	done   float64 // passes of the cells that were trained
	number int     // of cells trained
}

// all trains those of the cells that are missing. Cells that another process is at are left to it, and waited for in
// the end.
func (p *pace) all(ctx context.Context, cells []cell) error {
	for _, wait := range []bool{false, true} {
		if err := p.pass(ctx, cells, wait); err != nil {
			return err
		}
	}
	return nil
}

// pass goes through the cells once.
func (p *pace) pass(ctx context.Context, cells []cell, wait bool) error {
	for _, c := range cells {
		if err := p.one(ctx, c, wait); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %s finished and kept; the same command goes on", err, count(p.number))
			}
			return fmt.Errorf("%v: %w", c, err)
		}
	}
	return nil
}

// one trains a cell unless it is there. Where another process is at it, one waits for that or does nothing.
func (p *pace) one(ctx context.Context, c cell, wait bool) error {
	dir, _, err := p.find(c)
	if err == nil {
		return nil
	}
	if dir == "" {
		return err
	}
	release, err := claim(ctx, dir, wait)
	if err != nil || release == nil {
		return err
	}
	defer release()
	var damage damageError
	switch _, _, err := p.find(c); { // once more, now that nobody else writes
	case err == nil:
		return nil
	case errors.As(err, &damage):
		fmt.Fprintf(p.stderr, "%v; it is trained again\n", err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	begin := time.Now()
	o, err := p.compute(ctx, c)
	if err != nil {
		return err
	}
	if err := o.save(dir); err != nil {
		return err
	}
	p.number++
	p.done += c.passes()
	return p.tell(c, o, time.Since(begin))
}

// tell prints the line of a finished cell.
func (p *pace) tell(c cell, o *outcome, took time.Duration) error {
	passes, cells, err := p.left()
	if err != nil {
		return err
	}
	what := "diverged: " + o.Diverged
	if o.Diverged == "" {
		v := o.Validation[p.ChooseBy]
		what = fmt.Sprintf("validation accuracy %.2f %%, AURC x1000 of %s %.2f", 100*float64(v["accuracy"]), p.ChooseBy, 1000*float64(v["aurc"]))
	}
	left := ""
	if cells > 0 {
		left = fmt.Sprintf("; %s left, about %v", count(cells), round(time.Duration(float64(time.Since(p.start))*passes/p.done)))
	}
	fmt.Fprintf(p.stderr, "%v: %s, %v%s\n", c, what, round(took), left)
	return nil
}

// left returns what is missing, counting cells of a step size that is not chosen yet as missing.
func (s *study) left() (passes float64, cells int, err error) {
	for _, src := range s.sources {
		step, err := s.step(src)
		var early notChosenError
		if err != nil && !errors.As(err, &early) {
			return 0, 0, err
		}
		for _, c := range append(s.sweep(src), s.ablation(src, step)...) {
			if _, _, err := s.find(c); err != nil {
				passes += c.passes()
				cells++
			}
		}
	}
	return passes, cells, nil
}

func count(cells int) string {
	if cells == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", cells)
}

func round(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d < 10*time.Minute:
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}

// trained is a net's weights with what is noted beside them.
type trained struct {
	weights  nets.Weights
	metadata map[string]string
}

// compute trains and scores a cell. All treatments start from the same weights and see the same images in the same
// order, given a seed.
func (s *study) compute(ctx context.Context, c cell) (*outcome, error) {
	training, validation, err := s.split(c.source, c.seed)
	if err != nil {
		return nil, err
	}
	set, err := s.settings(c)
	if err != nil {
		return nil, err
	}
	o := &outcome{result: result{Settings: set, Versions: s.versions()}}
	if o.Fingerprint, err = set.fingerprint(); err != nil {
		return nil, err
	}
	clf, err := nets.NewClassifier(s.be, c.arch, c.arch.Init(c.seed))
	if err != nil {
		return nil, err
	}
	augment, _ := s.augment(c.source)
	begin := time.Now()
	hist, err := train.Fit(ctx, clf, training, train.Config{
		Objective: c.objective(c.step), Epochs: s.Epochs, BatchSize: s.BatchSize, DropLast: true,
		LearningRate: s.LearningRate, WeightDecay: zeroIsOff(s.WeightDecay), WarmupEpochs: s.WarmupEpochs,
		Augment: augment, Seed: c.seed,
	})
	o.Seconds.Training = time.Since(begin).Seconds()
	if hist != nil {
		o.Epochs = hist.Epochs
	}
	if errors.Is(err, train.ErrDiverged) {
		o.Diverged = err.Error()
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	o.weights = &trained{clf.Weights(), map[string]string{
		"format": "pt", "arch": c.arch.Name, "dataset": c.source.name, "treatment": c.way(), "seed": strconv.FormatUint(c.seed, 10),
	}}
	begin = time.Now()
	scorer := confidence.Scorer{Dataset: c.source.name, Model: c.way()}
	session, err := scorer.Open(clf, s.functions...)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if o.validation, err = session.Run(ctx, validation); err != nil {
		return nil, err
	}
	if o.test, err = session.Run(ctx, c.test); err != nil {
		return nil, err
	}
	o.Seconds.Scoring = time.Since(begin).Seconds()
	return o, o.judge()
}

// judge notes the metrics in the result.
func (o *outcome) judge() error {
	for _, part := range []struct {
		run  *misd.Run
		into *map[string]metrics
	}{{o.validation, &o.Validation}, {o.test, &o.Test}} {
		_, m, err := judge(part.run)
		if err != nil {
			return err
		}
		*part.into = m
	}
	return nil
}

// versions says what the cell was made with.
func (s *study) versions() map[string]string {
	out := map[string]string{"go": runtime.Version(), "backend": s.be.Kind() + " " + s.be.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/gomlx/gomlx", "github.com/gomlx/go-xla":
			out[m.Path] = m.Version
		}
	}
	for _, set := range info.Settings {
		if set.Key == "vcs.revision" || set.Key == "vcs.modified" {
			out[set.Key] = set.Value
		}
	}
	return out
}

// zeroIsOff translates a flag into a setting of package train, whose zero is the default.
func zeroIsOff(v float64) float64 {
	if v == 0 {
		return train.Off
	}
	return v
}
