package misd

import "fmt"

// Subset returns the run of some of the images, in the order of rows; a row may occur more than once. Nothing is shared
// with r. It returns an error if r is not valid or a row is not one of its images.
func (r *Run) Subset(rows []int) (*Run, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	for _, i := range rows {
		if i < 0 || i >= r.Len() {
			return nil, fmt.Errorf("misd: subset: image %d is not one of the run's %d", i, r.Len())
		}
	}
	out := &Run{Dataset: r.Dataset, Model: r.Model, Classes: r.Classes, Label: pick(r.Label, rows), Pred: pick(r.Pred, rows)}
	if r.Logits != nil {
		out.Logits = make([]float32, 0, len(rows)*r.Classes)
		for _, i := range rows {
			out.Logits = append(out.Logits, r.Logits[i*r.Classes:(i+1)*r.Classes]...)
		}
	}
	for _, s := range r.Scores {
		out.Scores = append(out.Scores, s.subset(rows))
	}
	return out, nil
}

func (s Score) subset(rows []int) Score {
	return Score{Name: s.Name, Cost: s.Cost, Values: pick(s.Values, rows), Lower: pick(s.Lower, rows),
		Upper: pick(s.Upper, rows), Unflipped: pick(s.Unflipped, rows), Evaluations: pick(s.Evaluations, rows)}
}

// pick returns the entries of v at rows, nil for an empty v that stands for "not known".
func pick[T any](v []T, rows []int) []T {
	if len(v) == 0 && len(rows) > 0 {
		return nil
	}
	out := make([]T, len(rows))
	for j, i := range rows {
		out[j] = v[i]
	}
	return out
}
