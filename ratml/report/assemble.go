package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// frame is a table whose columns have a meaning but are not yet checked against each other.
type frame struct {
	rows                 int
	label, pred, correct *vector
	probs, logits        *matrix64
	scores               []*vector
	groups               Grouping
	where                func(row int, column string) string // says for a person where a value stands
}

type vector struct {
	name   string
	values []float64
}

// matrix64 has a row an image and a column a class.
type matrix64 struct {
	name    string
	classes int
	values  []float64
}

func (m *matrix64) row(i int) []float64 { return m.values[i*m.classes : (i+1)*m.classes] }

// assemble checks the columns and makes a run of them.
func (c Columns) assemble(f *frame) (*misd.Run, error) {
	run := &misd.Run{}
	var err error
	switch outputs := cmpMatrix(f.logits, f.probs); {
	case f.logits != nil && f.probs != nil:
		err = fmt.Errorf("there are both %s and %s; keep one of them", f.probs.name, f.logits.name)
	case outputs != nil && f.label == nil:
		err = fmt.Errorf("there is %s but no column label", outputs.name)
	case outputs != nil:
		err = f.classify(run, outputs, outputs == f.probs)
	case f.label != nil && f.pred != nil:
		err = f.takeClasses(run)
	case f.correct != nil:
		err = f.takeCorrect(run)
	default:
		err = fmt.Errorf("there is neither correct, nor label and pred, nor label and probabilities or logits")
	}
	if err == nil {
		err = f.checkCorrect(run)
	}
	if err == nil {
		err = c.takeScores(f, run)
	}
	if err != nil {
		return nil, err
	}
	return run, checkRun(run)
}

func cmpMatrix(a, b *matrix64) *matrix64 {
	if a != nil {
		return a
	}
	return b
}

// classes returns a column as classes in [0,limit).
func (f *frame) classes(v *vector, limit int) ([]int, error) {
	out := make([]int, len(v.values))
	for i, x := range v.values {
		if x != math.Trunc(x) || x < 0 || math.IsInf(x, 0) || math.IsNaN(x) {
			return nil, fmt.Errorf("%s: %g is not a class, a whole number from 0", f.where(i, v.name), x)
		}
		if x >= float64(limit) {
			return nil, fmt.Errorf("%s: class %g is too large, there are %d", f.where(i, v.name), x, limit)
		}
		out[i] = int(x)
	}
	return out, nil
}

func (f *frame) takeClasses(run *misd.Run) (err error) {
	if run.Label, err = f.classes(f.label, maxClass); err != nil {
		return err
	}
	if run.Pred, err = f.classes(f.pred, maxClass); err != nil {
		return err
	}
	for i, y := range run.Label {
		run.Classes = max(run.Classes, y+1, run.Pred[i]+1)
	}
	return nil
}

func (f *frame) takeCorrect(run *misd.Run) error {
	run.Classes = 2
	for i, x := range f.correct.values {
		if x != 0 && x != 1 {
			return fmt.Errorf("%s: %g is neither 1 (right) nor 0 (wrong)", f.where(i, f.correct.name), x)
		}
		run.Label, run.Pred = append(run.Label, 0), append(run.Pred, 1-int(x))
	}
	return nil
}

// checkCorrect compares the column correct with what labels and predictions say.
func (f *frame) checkCorrect(run *misd.Run) error {
	if f.correct == nil {
		return nil
	}
	for i, right := range run.Correct() {
		if x := f.correct.values[i]; x != float64(btoi(right)) {
			return fmt.Errorf("%s: %g, but label %d and prediction %d make it %d", f.where(i, f.correct.name), x, run.Label[i], run.Pred[i], btoi(right))
		}
	}
	return nil
}

// classify takes labels, predictions and logits from probabilities or logits.
func (f *frame) classify(run *misd.Run, m *matrix64, probabilities bool) (err error) {
	run.Classes = m.classes
	if run.Classes < 2 {
		return fmt.Errorf("%s has %d classes, want at least 2", m.name, run.Classes)
	}
	if run.Label, err = f.classes(f.label, m.classes); err != nil {
		return err
	}
	var given []int
	if f.pred != nil {
		if given, err = f.classes(f.pred, m.classes); err != nil {
			return err
		}
	}
	for i := range run.Label {
		row := m.row(i)
		if probabilities {
			err = checkProbabilities(row)
		} else {
			err = checkLogits(row)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.where(i, m.name), err)
		}
		pred := argmax(row)
		if given != nil {
			if row[given[i]] < row[pred] {
				return fmt.Errorf("%s: class %d, but the largest of %s is that of class %d", f.where(i, f.pred.name), given[i], m.name, pred)
			}
			pred = given[i]
		}
		run.Pred = append(run.Pred, pred)
		for _, v := range row {
			if probabilities {
				v = math.Log(v)
			}
			run.Logits = append(run.Logits, float32(v))
		}
	}
	return nil
}

func argmax(row []float64) int {
	best := 0
	for j, v := range row {
		if v > row[best] {
			best = j
		}
	}
	return best
}

func checkProbabilities(row []float64) error {
	sum := 0.0
	for j, p := range row {
		if !(p >= 0 && p <= 1+1e-6) {
			return fmt.Errorf("class %d: %g is no probability; call logits by that name", j, p)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-2 {
		return fmt.Errorf("the probabilities sum to %g, not 1; call logits by that name", sum)
	}
	return nil
}

func checkLogits(row []float64) error {
	finite := false
	for j, z := range row {
		if math.IsNaN(z) || math.IsInf(float64(float32(z)), 1) {
			return fmt.Errorf("class %d: the logit is %g", j, z)
		}
		finite = finite || !math.IsInf(float64(float32(z)), -1)
	}
	if !finite {
		return fmt.Errorf("every logit is -Inf")
	}
	return nil
}

// takeScores adds the scores, and MSR where it can be computed.
func (c Columns) takeScores(f *frame, run *misd.Run) error {
	for _, v := range f.scores {
		if i := slices.IndexFunc(v.values, math.IsNaN); i >= 0 {
			return fmt.Errorf("%s: NaN is no confidence; drop the image or give it a number", f.where(i, v.name))
		}
		if slices.Contains(c.Uncertainty, v.name) {
			for i := range v.values {
				v.values[i] = -v.values[i]
			}
		}
		run.Scores = append(run.Scores, misd.Score{Name: v.name, Values: v.values})
	}
	wanted := c.Scores == nil || slices.Contains(c.Scores, msr)
	if m := cmpMatrix(f.logits, f.probs); m != nil && wanted && run.Score(msr) == nil {
		s := misd.Score{Name: msr}
		for i := range f.rows {
			s.Values = append(s.Values, largestProbability(m.row(i), m == f.probs))
		}
		run.Scores = append([]misd.Score{s}, run.Scores...)
	}
	if len(run.Scores) == 0 {
		return fmt.Errorf("there is no column with a score, and no probabilities or logits to compute one from")
	}
	return nil
}

func largestProbability(row []float64, probabilities bool) float64 {
	top := row[argmax(row)]
	if probabilities {
		return top
	}
	sum := 0.0
	for _, z := range row {
		sum += math.Exp(z - top)
	}
	return 1 / sum
}

// put stores a column of numbers by its role; it returns an error for a second column of the same meaning.
func (f *frame) put(r role, v *vector) error {
	slot := map[role]**vector{roleLabel: &f.label, rolePred: &f.pred, roleCorrect: &f.correct}[r]
	switch {
	case slot == nil:
		f.scores = append(f.scores, v)
	case *slot != nil:
		return fmt.Errorf("columns %s and %s mean the same; keep one of them", (*slot).name, v.name)
	default:
		*slot = v
	}
	return nil
}
