package misd

import (
	"errors"
	"fmt"
	"slices"
)

// Shift is a data set that the classifier was not made for, scored by the same classifier.
type Shift struct {
	Run *Run
	// Novel says that the images show none of the classifier's classes (out-of-distribution images, new classes), so
	// that every prediction is a failure; labels are then not looked at and may be nil. Otherwise the images show known
	// classes under other conditions (corruption, another site), and predictions are right or wrong as their labels say.
	Novel bool
}

// Protocol says what counts as a failure in a mixture.
type Protocol int

const (
	// Joint counts both kinds of failure, as a deployment meets them: misclassified images of the data set itself, and
	// failures by shift. It is the zero Protocol.
	Joint Protocol = iota
	// ShiftOnly leaves the misclassified images of the data set itself out, so that failures are those by shift alone:
	// the "proposed mode" of fd-shifts (analysis/studies.py; Jaeger et al. 2023, "A Call to Reflect on Evaluation
	// Practices for Failure Detection in Image Classification").
	ShiftOnly
	// Detection counts every image of the data set itself as right, be it misclassified or not: the task of
	// out-of-distribution detection, and the "original mode" of fd-shifts. A score that flags misclassified images is
	// punished for it.
	Detection
)

// String returns the name in lower case.
func (p Protocol) String() string {
	switch p {
	case Joint:
		return "joint"
	case ShiftOnly:
		return "shift only"
	case Detection:
		return "detection"
	}
	return fmt.Sprintf("protocol %d", int(p))
}

// Failure says why a prediction of a mixture is wrong.
type Failure int

const (
	None             Failure = iota // the prediction is right
	Misclassified                   // wrong on an image of the data set itself
	FailedUnderShift                // wrong on a shifted image, or made on an image of no known class
)

// Mixture is a data set with others mixed in.
type Mixture struct {
	// Run holds all images with the scores that all data sets have, ready for every evaluation there is. Its classes are
	// those of the classifier and one more, which images of no known class have as label. It has no logits, because
	// probabilities cannot be judged without a known class.
	Run     *Run
	Failure []Failure // [n] under the protocol
	Source  []int     // [n] 0 for the data set itself, i for the i-th of the shifts
	Sources []string  // names of the data sets by Source
}

// Mix joins a data set with shifted ones. Scores that one of them lacks are left out. It returns an error if a run is
// not valid, if the classifiers differ in their number of classes, if a data set has no images, or if no score is left.
func Mix(p Protocol, own *Run, shifts ...Shift) (*Mixture, error) {
	if p < Joint || p > Detection {
		return nil, fmt.Errorf("misd: mix: there is no %v", p)
	}
	if err := checkMix(own, shifts); err != nil {
		return nil, fmt.Errorf("misd: mix: %w", err)
	}
	m := &Mixture{Run: &Run{Model: own.Model, Dataset: own.Dataset, Classes: own.Classes + 1}}
	for _, s := range own.Scores {
		if !slices.ContainsFunc(shifts, func(x Shift) bool { return x.Run.Score(s.Name) == nil }) {
			m.Run.Scores = append(m.Run.Scores, Score{Name: s.Name, Cost: s.Cost})
		}
	}
	if len(m.Run.Scores) == 0 {
		return nil, errors.New("misd: mix: no score is in every run")
	}
	m.add(p, Shift{Run: own}, 0)
	for i, s := range shifts {
		m.add(p, s, i+1)
		m.Run.Dataset += " + " + m.Sources[i+1]
	}
	return m, nil
}

func checkMix(own *Run, shifts []Shift) error {
	if own == nil || len(shifts) == 0 {
		return errors.New("nothing to mix")
	}
	for i, s := range append([]Shift{{Run: own}}, shifts...) {
		if s.Run == nil {
			return fmt.Errorf("data set %d: there is no run", i)
		}
		run := *s.Run
		if s.Novel {
			run.Label = run.Pred // whatever the labels are
		}
		if err := run.Validate(); err != nil {
			return fmt.Errorf("data set %d (%s): %w", i, run.Dataset, err)
		}
		if run.Len() == 0 {
			return fmt.Errorf("data set %d (%s) has no images", i, run.Dataset)
		}
		if run.Classes != own.Classes {
			return fmt.Errorf("data set %d (%s) was scored by a classifier of %d classes, the first by one of %d", i, run.Dataset, run.Classes, own.Classes)
		}
	}
	return nil
}

// add appends the images of a data set.
func (m *Mixture) add(p Protocol, s Shift, source int) {
	own := source == 0
	for i, pred := range s.Run.Pred {
		label := m.Run.Classes - 1
		if !s.Novel {
			label = s.Run.Label[i]
		}
		failure := None
		switch {
		case label == pred || own && p == Detection:
			label = pred
		case own && p == ShiftOnly:
			continue
		case own:
			failure = Misclassified
		default:
			failure = FailedUnderShift
		}
		m.Run.Label, m.Run.Pred = append(m.Run.Label, label), append(m.Run.Pred, pred)
		m.Failure, m.Source = append(m.Failure, failure), append(m.Source, source)
		for j := range m.Run.Scores {
			to := &m.Run.Scores[j]
			to.Values = append(to.Values, s.Run.Score(to.Name).Values[i])
		}
	}
	name := s.Run.Dataset
	if name == "" || slices.Contains(m.Sources, name) {
		name = fmt.Sprintf("%s#%d", name, source)
	}
	m.Sources = append(m.Sources, name)
}

// Parts counts the failures of a score by their kind. The three curves rank the same images alike: in the first all
// failures are wrong, in the others those of one kind, the other kind counting as right. Areas under risk curves (AURC,
// AUGRC) and risks at a coverage are sums over errors, so that those of the parts add up to the whole; nothing else
// does.
type Parts struct{ All, Misclassified, FailedUnderShift *Curve }

// Parts returns the curves of the score called name. It returns an error if there is none, or if a value is NaN.
func (m *Mixture) Parts(name string) (Parts, error) {
	s := m.Run.Score(name)
	if s == nil {
		return Parts{}, fmt.Errorf("misd: the mixture has no score %q", name)
	}
	var curves [3]*Curve
	for i, wrong := range []func(Failure) bool{
		func(f Failure) bool { return f != None },
		func(f Failure) bool { return f == Misclassified },
		func(f Failure) bool { return f == FailedUnderShift },
	} {
		correct := make([]bool, len(m.Failure))
		for j, f := range m.Failure {
			correct[j] = !wrong(f)
		}
		var err error
		if curves[i], err = NewCurve(s.Values, correct); err != nil {
			return Parts{}, fmt.Errorf("misd: score %s: %w", name, err)
		}
	}
	return Parts{curves[0], curves[1], curves[2]}, nil
}

// Against returns the curve of the score called name over right predictions and failures of one kind, the other kind
// left out: how well the score tells this kind from right predictions. It returns an error if there is no such score,
// or if a value is NaN.
func (m *Mixture) Against(name string, kind Failure) (*Curve, error) {
	s := m.Run.Score(name)
	if s == nil {
		return nil, fmt.Errorf("misd: the mixture has no score %q", name)
	}
	var values []float64
	var correct []bool
	for i, f := range m.Failure {
		if f == None || f == kind {
			values, correct = append(values, s.Values[i]), append(correct, f == None)
		}
	}
	c, err := NewCurve(values, correct)
	if err != nil {
		return nil, fmt.Errorf("misd: score %s: %w", name, err)
	}
	return c, nil
}

// Origin returns the name of the data set of each image, a column to group by.
func (m *Mixture) Origin() []string {
	origin := make([]string, len(m.Source))
	for i, s := range m.Source {
		origin[i] = m.Sources[s]
	}
	return origin
}
