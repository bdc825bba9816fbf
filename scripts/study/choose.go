package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"gonum.org/v1/gonum/stat"
)

// trial is a step size with what it gave on validation images.
type trial struct {
	Step float64
	AURC []float64 // of --choose_by, one value a seed; infinite where the training diverged
}

func (t trial) mean() float64 { return stat.Mean(t.AURC, nil) }

// spread returns mean and standard deviation (n-1), the latter NaN for one seed.
func (t trial) spread() (mean, deviation float64) {
	if len(t.AURC) < 2 {
		return t.mean(), math.NaN()
	}
	return stat.MeanStdDev(t.AURC, nil)
}

// notChosenError says that a step size cannot be chosen yet.
type notChosenError struct{ missing cell }

func (e notChosenError) Error() string {
	return fmt.Sprintf("the step size of the ablation is chosen among all cells of the sweep, and %v is missing: train it too, or give --step_size", e.missing)
}

// step returns the step size of the ablation. The error is a notChosenError while the sweep is not complete.
func (s *study) step(src *source) (float64, error) {
	if s.StepSize != 0 {
		return s.StepSize, nil
	}
	trials, err := s.trials(src)
	if err != nil {
		return 0, err
	}
	best, lowest := 0., math.Inf(1)
	for _, t := range trials {
		if m := t.mean(); m < lowest {
			best, lowest = t.Step, m
		}
	}
	if best == 0 {
		return 0, errors.New("no step size can be chosen: the training diverged with every one, or no validation AURC exists")
	}
	return best, nil
}

// trials returns what each step size of the sweep gave on validation images. Test images play no part.
func (s *study) trials(src *source) ([]trial, error) {
	var rat treatment
	for _, t := range s.table {
		if t.name == swept {
			rat = t
		}
	}
	var out []trial
	for _, step := range s.StepSizes {
		t := trial{Step: step}
		for i := range s.Seeds {
			c := cell{src, rat, step, uint64(i + 1)}
			_, r, err := s.find(c)
			var damage damageError
			switch {
			case errors.Is(err, fs.ErrNotExist) || errors.As(err, &damage):
				return nil, notChosenError{c}
			case err != nil:
				return nil, err
			case r.Diverged != "":
				t.AURC = append(t.AURC, math.Inf(1))
			default:
				t.AURC = append(t.AURC, float64(r.Validation[s.ChooseBy]["aurc"]))
			}
		}
		out = append(out, t)
	}
	return out, nil
}
