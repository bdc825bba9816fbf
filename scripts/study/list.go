package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// list tells of every cell whether it is there.
func (s *study) list(w io.Writer) error {
	there, total := 0, 0
	err := s.visit(func(c cell, dir string, r *result, err error) error {
		total++
		state := "missing"
		switch {
		case err == nil:
			there++
			state = fmt.Sprintf("there, %.0f s: %s", r.Seconds.Training+r.Seconds.Scoring, dir)
			if r.Diverged != "" {
				state = "diverged: " + dir
			}
		case !errors.Is(err, fs.ErrNotExist):
			state = err.Error()
		}
		_, err = fmt.Fprintf(w, "%v: %s\n", c, state)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d of %s are there\n", there, count(total))
	return err
}

// plan tells which cells would be trained, and how long that would take by those that are there.
func (s *study) plan(w io.Writer) error {
	var seconds, done, left float64
	cells := 0
	err := s.visit(func(c cell, _ string, r *result, err error) error {
		if err == nil {
			seconds += r.Seconds.Training + r.Seconds.Scoring
			done += c.passes()
			return nil
		}
		left += c.passes()
		cells++
		_, err = fmt.Fprintln(w, c)
		return err
	})
	if err != nil {
		return err
	}
	estimate := ""
	if done > 0 && cells > 0 {
		estimate = fmt.Sprintf(", about %v", round(time.Duration(seconds/done*left*float64(time.Second))))
	}
	_, err = fmt.Fprintf(w, "%s to train%s\n", count(cells), estimate)
	return err
}

// visit calls f for every cell. Cells whose step size is not chosen yet have the step size 0.
func (s *study) visit(f func(c cell, dir string, r *result, err error) error) error {
	for _, src := range s.sources {
		step, err := s.step(src)
		var early notChosenError
		if err != nil && !errors.As(err, &early) {
			return err
		}
		for _, c := range append(s.sweep(src), s.ablation(src, step)...) {
			dir, r, err := s.find(c)
			if dir == "" {
				return err
			}
			if err := f(c, dir, r, err); err != nil {
				return err
			}
		}
	}
	return nil
}
