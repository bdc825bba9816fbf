package misd

import "fmt"

// Run holds what one classifier said of n images: predictions, logits and one column for every confidence score.
// It is what a scoring run produces, what files of scores store, and what reports and figures are made from.
type Run struct {
	Dataset string // name of the data set, for titles
	Model   string // name of the classifier, for titles
	Label   []int  // [n] true classes, in [0, Classes)
	Pred    []int  // [n] predicted classes, argmax of the logits
	Classes int
	Logits  []float32 // [n*Classes] row-major, or nil where only scores are known
	Scores  []Score
}

// Score is one confidence score over the images of a [Run]. Larger values mean more confident.
type Score struct {
	Name   string
	Values []float64 // [n]

	// Cost is the mean cost of an image in forward equivalents (one forward pass of the network = 1, a gradient
	// with respect to the input = 2 more), counted as if the score were computed alone.
	Cost float64

	// The rest is set where the score is a radius found by a search, and nil elsewhere.

	// Lower and Upper bracket the radius, in pixel units with images in [0,1]: the prediction is unchanged at
	// Lower and has changed at Upper.
	Lower, Upper []float64
	// Unflipped marks images whose prediction did not change anywhere up to the largest radius tried.
	Unflipped []bool
	// Evaluations counts the forward passes of each image after its gradient.
	Evaluations []int
}

// Len returns the number of images.
func (r *Run) Len() int { return len(r.Label) }

// Correct tells for each image whether the prediction is right.
func (r *Run) Correct() []bool {
	correct := make([]bool, len(r.Label))
	for i := range correct {
		correct[i] = r.Label[i] == r.Pred[i]
	}
	return correct
}

// Score returns the column called name, or nil if the run has none.
func (r *Run) Score(name string) *Score {
	for i := range r.Scores {
		if r.Scores[i].Name == name {
			return &r.Scores[i]
		}
	}
	return nil
}

// Validate checks that all columns have the same length and that classes are in range.
func (r *Run) Validate() error {
	n := len(r.Label)
	if len(r.Pred) != n {
		return fmt.Errorf("misd: run has %d labels but %d predictions", n, len(r.Pred))
	}
	if r.Logits != nil && len(r.Logits) != n*r.Classes {
		return fmt.Errorf("misd: run has %d logits, want %d images x %d classes", len(r.Logits), n, r.Classes)
	}
	for i, y := range r.Label {
		if y < 0 || y >= r.Classes || r.Pred[i] < 0 || r.Pred[i] >= r.Classes {
			return fmt.Errorf("misd: image %d: label %d or prediction %d outside [0,%d)", i, y, r.Pred[i], r.Classes)
		}
	}
	for _, s := range r.Scores {
		if len(s.Values) != n {
			return fmt.Errorf("misd: score %s has %d values, want %d", s.Name, len(s.Values), n)
		}
		if err := s.validateSearch(); err != nil {
			return err
		}
	}
	return nil
}

// validateSearch checks the lengths of what a search knows of each image.
func (s *Score) validateSearch() error {
	for _, c := range []struct {
		what string
		n    int
	}{{"lower ends", len(s.Lower)}, {"upper ends", len(s.Upper)}, {"unflipped marks", len(s.Unflipped)}, {"evaluation counts", len(s.Evaluations)}} {
		if c.n != 0 && c.n != len(s.Values) {
			return fmt.Errorf("misd: score %s has %d %s for %d images", s.Name, c.n, c.what, len(s.Values))
		}
	}
	return nil
}
