package misd

import (
	"fmt"
	"math"
)

// Calibration judges predicted probabilities. The confidence of a prediction is its largest probability, the predicted
// class the first that attains it. Accuracy, NLL, Brier score and ECE do not depend on any other confidence score. A
// Calibration does not change once made and is safe for concurrent use.
type Calibration struct {
	confidence []float64 // [n] largest probability
	correct    []bool    // [n]
	nll        []float64 // [n] -log of the probability of the label
	brier      []float64 // [n] squared distance to the one-hot label
}

// Bin is one bar of a reliability diagram: the predictions with confidence in (Lower, Upper].
type Bin struct {
	Lower, Upper float64
	N            int     // predictions in the bin
	Confidence   float64 // their mean confidence, NaN if N = 0
	Accuracy     float64 // the share of them that is right, NaN if N = 0
}

// sumTolerance is how far the probabilities of a row may be from summing to 1, wide enough for float16.
const sumTolerance = 1e-2

// NewCalibration judges probabilities [n*classes], row-major, each in [0,1] and each row summing to 1, against n labels
// in [0,classes). It returns an error that names the first row which is not so. The slices are not kept.
func NewCalibration[T ~float32 | ~float64](probs []T, labels []int, classes int) (*Calibration, error) {
	c, err := newCalibration(len(probs), labels, classes)
	if err != nil {
		return nil, err
	}
	row := make([]float64, min(classes, len(probs)))
	for i, label := range labels {
		sum := 0.0
		for j := range row {
			row[j] = float64(probs[i*classes+j])
			if !(row[j] >= 0 && row[j] <= 1+1e-6) {
				return nil, fmt.Errorf("misd: calibration: row %d, class %d: %g is no probability; for logits use NewCalibrationFromLogits",
					i, j, row[j])
			}
			sum += row[j]
		}
		if math.Abs(sum-1) > sumTolerance {
			return nil, fmt.Errorf("misd: calibration: row %d sums to %g, not 1; for logits use NewCalibrationFromLogits", i, sum)
		}
		c.add(row, label, -math.Log(row[label]))
	}
	return c, nil
}

// NewCalibrationFromLogits is [NewCalibration] of softmax(logits), computed in float64. Logits may be -Inf (a class
// that is ruled out) but not NaN or +Inf, and each row needs a finite one.
func NewCalibrationFromLogits[T ~float32 | ~float64](logits []T, labels []int, classes int) (*Calibration, error) {
	c, err := newCalibration(len(logits), labels, classes)
	if err != nil {
		return nil, err
	}
	row := make([]float64, min(classes, len(logits)))
	for i, label := range labels {
		top := math.Inf(-1)
		for j := range row {
			row[j] = float64(logits[i*classes+j])
			if math.IsNaN(row[j]) || math.IsInf(row[j], 1) {
				return nil, fmt.Errorf("misd: calibration: row %d, class %d: logit is %g", i, j, row[j])
			}
			top = max(top, row[j])
		}
		if math.IsInf(top, -1) {
			return nil, fmt.Errorf("misd: calibration: row %d: every logit is -Inf", i)
		}
		sum := 0.0
		for _, z := range row {
			sum += math.Exp(z - top)
		}
		nll := math.Log(sum) - (row[label] - top)
		for j, z := range row {
			row[j] = math.Exp(z-top) / sum
		}
		c.add(row, label, nll)
	}
	return c, nil
}

func newCalibration(values int, labels []int, classes int) (*Calibration, error) {
	if classes < 1 {
		return nil, fmt.Errorf("misd: calibration: %d classes, want at least 1", classes)
	}
	if values%classes != 0 || values/classes != len(labels) {
		return nil, fmt.Errorf("misd: calibration: %d values are not %d rows (one a label) of %d classes", values, len(labels), classes)
	}
	for i, y := range labels {
		if y < 0 || y >= classes {
			return nil, fmt.Errorf("misd: calibration: label %d is %d, outside [0,%d)", i, y, classes)
		}
	}
	return &Calibration{}, nil
}

// add appends a prediction with the given probabilities.
func (c *Calibration) add(probs []float64, label int, nll float64) {
	pred, brier := 0, 0.0
	for j, p := range probs {
		if p > probs[pred] {
			pred = j
		}
		if j == label {
			p--
		}
		brier += p * p
	}
	c.confidence = append(c.confidence, min(probs[pred], 1))
	c.correct = append(c.correct, pred == label)
	c.nll = append(c.nll, nll)
	c.brier = append(c.brier, brier)
}

// Len returns the number of predictions.
func (c *Calibration) Len() int { return len(c.correct) }

// Accuracy returns the share of right predictions. NaN without predictions.
func (c *Calibration) Accuracy() float64 {
	right := 0
	for _, ok := range c.correct {
		if ok {
			right++
		}
	}
	return ratio(right, c.Len())
}

// NLL returns the mean negative log-likelihood of the labels in nats. Lower is better; +Inf if a label has probability
// 0. NaN without predictions.
func (c *Calibration) NLL() float64 { return mean(c.nll) }

// Brier returns the mean squared distance between the probabilities and the one-hot label, summed over classes and
// thus in [0,2]. Lower is better. NaN without predictions.
func (c *Calibration) Brier() float64 { return mean(c.brier) }

// ECE returns the expected calibration error over equal bins (lo,hi] of [0,1]: the mean over predictions of the
// distance between confidence and accuracy of their bin (Guo et al. 2017; 15 bins are usual). A confidence of 0 falls
// in no bin. Lower is better. NaN without predictions or bins.
func (c *Calibration) ECE(bins int) float64 {
	if bins < 1 {
		return math.NaN()
	}
	sum := 0.0
	for _, b := range c.Reliability(bins) {
		if b.N > 0 {
			sum += math.Abs(b.Confidence-b.Accuracy) * float64(b.N)
		}
	}
	return sum / float64(c.Len())
}

// Reliability returns the reliability diagram: the predictions in equal bins (lo,hi] of their confidence, empty bins
// included. A confidence of 0 falls in no bin. It is nil if bins < 1.
func (c *Calibration) Reliability(bins int) []Bin {
	if bins < 1 {
		return nil
	}
	out := make([]Bin, bins)
	for i := range out {
		out[i].Lower, out[i].Upper = ratio(i, bins), ratio(i+1, bins)
	}
	for i, p := range c.confidence {
		if p == 0 {
			continue
		}
		b := &out[binOf(p, bins)]
		b.N++
		b.Confidence += p
		if c.correct[i] {
			b.Accuracy++
		}
	}
	for i := range out {
		out[i].Confidence /= float64(out[i].N)
		out[i].Accuracy /= float64(out[i].N)
	}
	return out
}

// binOf returns the bin (i/bins, (i+1)/bins] of p in (0,1]. The product may round across a bin's edge.
func binOf(p float64, bins int) int {
	i := min(int(math.Ceil(p*float64(bins))), bins) - 1
	if i > 0 && p <= ratio(i, bins) {
		return i - 1
	}
	if p > ratio(i+1, bins) {
		return i + 1
	}
	return i
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
