package report

import (
	"errors"
	"fmt"
	"math"

	"github.com/ratml/rat/ratml/misd"
	"gonum.org/v1/gonum/stat"
)

// Repeats sums up reports of the same scores on the same data set: the training repeated with other seeds, the split
// into validation and test data repeated for one classifier, or both. The two kinds of spread are different things (how
// much the training is luck, and how much the choice of validation and test images is) and are kept apart.
type Repeats struct {
	Reports [][]*Report // [seed][split]
	Rows    []RepeatedRow
	// Probabilities sums up accuracy, nll, brier and ece; nil unless every report has them.
	Probabilities map[string]Spread
}

// RepeatedRow is what repeats say of one score.
type RepeatedRow struct {
	Score   string
	Cost    float64           // forward equivalents an image, of the first report
	Metrics map[string]Spread // by metric name
}

// Spread is the mean of a metric and how it varies.
type Spread struct {
	Mean float64 // over seeds of the mean over splits; NaN where any of the values is undefined
	// Seeds is the standard deviation (n-1) over training seeds of the mean over splits; NaN for one seed. With few
	// splits it holds some of the splits' noise too.
	Seeds float64
	// Splits is the standard deviation (n-1) over splits of one classifier, as the root mean square over classifiers;
	// NaN for one split.
	Splits float64
	Reason string      // why Mean is undefined, and in how many reports
	Values [][]float64 // [seed][split]
}

// Seeds sums up one report of each training seed.
func Seeds(reports ...*Report) (*Repeats, error) {
	var seeds [][]*Report
	for _, r := range reports {
		seeds = append(seeds, []*Report{r})
	}
	return Repeat(seeds)
}

// Splits sums up the reports of one classifier on several splits of the data into validation and test images, as
// --n_exps of the official code makes them.
func Splits(reports ...*Report) (*Repeats, error) { return Repeat([][]*Report{reports}) }

// Repeat sums up reports[seed][split]. It returns an error if there are none, if seeds differ in the number of splits,
// or if a report is of another data set or lacks a score.
func Repeat(reports [][]*Report) (*Repeats, error) {
	if len(reports) == 0 || len(reports[0]) == 0 {
		return nil, errors.New("report: no reports to sum up")
	}
	for i, splits := range reports {
		if len(splits) != len(reports[0]) {
			return nil, fmt.Errorf("report: seed %d has %d splits, the first has %d", i+1, len(splits), len(reports[0]))
		}
		for j, r := range splits {
			if err := alike(reports[0][0], r); err != nil {
				return nil, fmt.Errorf("report: seed %d, split %d: %w", i+1, j+1, err)
			}
		}
	}
	out := &Repeats{Reports: reports}
	for _, row := range reports[0][0].Rows {
		sum := RepeatedRow{Score: row.Score, Cost: row.Cost, Metrics: map[string]Spread{}}
		for _, m := range scoreMetrics() {
			sum.Metrics[m] = spread(reports, func(r *Report) misd.Estimate { return r.Row(row.Score).Metrics[m] })
		}
		out.Rows = append(out.Rows, sum)
	}
	if all(reports, func(r *Report) bool { return r.Probabilities != nil }) {
		out.Probabilities = map[string]Spread{}
		for m := range reports[0][0].Probabilities {
			out.Probabilities[m] = spread(reports, func(r *Report) misd.Estimate { return r.Probabilities[m] })
		}
	}
	return out, nil
}

// alike tells why r does not repeat first.
func alike(first, r *Report) error {
	switch {
	case first == nil || first.Run == nil || r == nil || r.Run == nil:
		return errors.New("the report is empty")
	case r.Run.Dataset != first.Run.Dataset:
		return fmt.Errorf("the report is of data set %q, the first of %q", r.Run.Dataset, first.Run.Dataset)
	}
	for _, row := range first.Rows {
		if r.Row(row.Score) == nil {
			return fmt.Errorf("the report has no score %s, which the first has", row.Score)
		}
	}
	for _, row := range r.Rows {
		if first.Row(row.Score) == nil {
			return fmt.Errorf("the report has a score %s, which the first has not", row.Score)
		}
	}
	return nil
}

func all(reports [][]*Report, is func(*Report) bool) bool {
	for _, splits := range reports {
		for _, r := range splits {
			if !is(r) {
				return false
			}
		}
	}
	return true
}

func spread(reports [][]*Report, value func(*Report) misd.Estimate) Spread {
	var s Spread
	var means []float64
	variance, missing, total := 0.0, 0, 0
	for _, splits := range reports {
		var values []float64
		for _, r := range splits {
			e := value(r)
			values = append(values, e.Value)
			total++
			if math.IsNaN(e.Value) {
				missing++
				s.Reason = e.Reason
			}
		}
		s.Values = append(s.Values, values)
		means = append(means, stat.Mean(values, nil))
		variance += deviation(values) * deviation(values) / float64(len(reports))
	}
	s.Mean, s.Seeds, s.Splits = stat.Mean(means, nil), deviation(means), math.Sqrt(variance)
	if missing > 0 {
		s.Reason = fmt.Sprintf("undefined in %d of %d reports: %s", missing, total, s.Reason)
	}
	return s
}

// deviation is the standard deviation of a sample, NaN for fewer than two values.
func deviation(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	return stat.StdDev(values, nil)
}
