package nets

import "github.com/ratml/rat/ratml/dataset"

// Preparation returns what makes images of any size fit the network: Preprocess, or where that is the zero value, and the
// network takes squares, resizing the shorter side to theirs and cutting out the middle, which leaves images of that size as
// they are.
func (a *Arch) Preparation() dataset.Preprocess {
	if a.Preprocess == (dataset.Preprocess{}) && a.Input.Height == a.Input.Width {
		return dataset.Preprocess{Resize: a.Input.Height, Crop: a.Input.Height}
	}
	return a.Preprocess
}
