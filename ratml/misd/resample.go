package misd

// len returns the number of predictions.
func (j judged) len() int {
	if j.curve != nil {
		return j.curve.Len()
	}
	return j.calibration.Len()
}

// resample returns what is judged when input i occurs counts[i] times. It reuses the memory of a previous resample of
// j, which the zero judged stands for at first.
func (j judged) resample(reuse judged, counts []int32) judged {
	if j.curve != nil {
		if reuse.curve == nil {
			reuse.curve = new(Curve)
		}
		j.curve.resample(reuse.curve, counts)
	}
	if j.calibration != nil {
		if reuse.calibration == nil {
			reuse.calibration = new(Calibration)
		}
		j.calibration.resample(reuse.calibration, counts)
	}
	return reuse
}

// resample stores in dst the curve of the predictions when input i occurs counts[i] times, without dst.order. Copies
// are neighbours, so that equal confidences keep the order of the input.
func (c *Curve) resample(dst *Curve, counts []int32) {
	dst.wrong = dst.wrong[:0]
	dst.thresholds = dst.thresholds[:0]
	dst.cuts = append(dst.cuts[:0], cut{})
	var at cut
	for g, threshold := range c.thresholds {
		before := at.n
		for rank := c.cuts[g].n; rank < c.cuts[g+1].n; rank++ {
			wrong := c.wrong[rank]
			copies := int(counts[c.order[rank]])
			at.n += copies
			at.errors += copies * int(wrong)
			for ; copies > 0; copies-- {
				dst.wrong = append(dst.wrong, wrong)
			}
		}
		if at.n > before {
			dst.cuts = append(dst.cuts, at)
			dst.thresholds = append(dst.thresholds, threshold)
		}
	}
}

// resample stores in dst the predictions when input i occurs counts[i] times.
func (c *Calibration) resample(dst *Calibration, counts []int32) {
	dst.confidence, dst.correct = dst.confidence[:0], dst.correct[:0]
	dst.nll, dst.brier = dst.nll[:0], dst.brier[:0]
	for i, copies := range counts {
		for ; copies > 0; copies-- {
			dst.confidence = append(dst.confidence, c.confidence[i])
			dst.correct = append(dst.correct, c.correct[i])
			dst.nll = append(dst.nll, c.nll[i])
			dst.brier = append(dst.brier, c.brier[i])
		}
	}
}
