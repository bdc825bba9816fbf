package main

import "slices"

// ratio compares two measurements of a network and a batch size.
type ratio struct {
	Arch   string  `json:"arch"`
	Engine string  `json:"engine"`
	Batch  int     `json:"batch"`
	Name   string  `json:"name"`   // ratPlain, plainBare, or the operation that is compared with PyTorch
	Peer   string  `json:"peer"`   // PyTorch's engine; empty for ratios within an engine
	Value  float64 `json:"value"`  // median over rounds; ratio of medians with PyTorch, whose rounds are others
	Lowest float64 `json:"lowest"` // of a round
	Most   float64 `json:"highest"`
}

// Names of ratios within an engine, of seconds an image.
const (
	ratPlain  = "RAT step / plain step"
	plainBare = "plain step / bare graph step"
)

// ratiosOf returns the ratios between the measurements of one network: of costs within our engines, of images/s between
// them and PyTorch.
func ratiosOf(list []result) []ratio {
	var ratios []ratio
	for _, r := range list {
		if isTorch(r.Engine) {
			continue
		}
		switch r.Operation {
		case "rat":
			ratios = append(ratios, costs(list, r, "plain", ratPlain)...)
		case "plain":
			ratios = append(ratios, costs(list, r, "bare", plainBare)...)
		}
		for _, other := range list {
			if isTorch(other.Engine) && other.Batch == r.Batch && other.Operation == r.Operation {
				ratios = append(ratios, newRatio(r, r.Operation, other.Engine, []float64{r.Median / other.Median}))
			}
		}
	}
	return ratios
}

// costs returns how many times longer than another operation r took, by rounds; nothing if the other was not measured.
func costs(list []result, r result, other, name string) []ratio {
	for _, o := range list {
		if o.Engine == r.Engine && o.Batch == r.Batch && o.Operation == other {
			var values []float64
			for i := range r.Rates {
				values = append(values, o.Rates[i]/r.Rates[i])
			}
			return []ratio{newRatio(r, name, "", values)}
		}
	}
	return nil
}

func newRatio(r result, name, peer string, values []float64) ratio {
	return ratio{r.Arch, r.Engine, r.Batch, name, peer, median(values), slices.Min(values), slices.Max(values)}
}
