package misd

import "fmt"

// Curve ranks the predictions of the run by the score called name. It returns an error if the run is not valid or has
// no such score, or if a value of the score is NaN.
func (r *Run) Curve(name string) (*Curve, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	score := r.Score(name)
	if score == nil {
		return nil, fmt.Errorf("misd: the run has no score %q", name)
	}
	c, err := NewCurve(score.Values, r.Correct())
	if err != nil {
		return nil, fmt.Errorf("misd: score %s: %w", name, err)
	}
	return c, nil
}

// Calibration judges softmax(Logits) against the labels. It returns an error if the run is not valid, has no logits, or
// if a logit is NaN or +Inf.
func (r *Run) Calibration() (*Calibration, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if r.Logits == nil {
		return nil, fmt.Errorf("misd: the run has no logits, so that its probabilities cannot be judged")
	}
	return NewCalibrationFromLogits(r.Logits, r.Label, r.Classes)
}
