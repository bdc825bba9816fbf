package misd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
)

// Paired holds metrics of several rankings of the same predictions, or of the predictions of several classifiers on
// the same images, over the same resamples: what [Bootstrap.Paired] computes, and differences are read off. It does not
// change and is safe for concurrent use.
type Paired struct {
	metrics []Metric
	values  [][]Estimate // [curve][metric]
	table   [][]float64  // [resample][curve*metrics+metric]
	level   float64
}

// Difference is a metric of one ranking minus the same metric of another.
type Difference struct {
	Estimate
	// P is the two-sided p-value of the hypothesis that the difference is 0; NaN where there is no interval.
	P float64
	// Holm is P corrected for the number of differences that were looked at together, by [Holm]; NaN until then.
	Holm float64
}

// Paired resamples several curves at once, image by image: all of them must hold the same images in the same order of
// input, which is checked for their number only. Only the named metrics are computed. It returns an error for bad
// options, an unknown metric or one of probabilities, a nil curve, or if ctx is done.
func (b Bootstrap) Paired(ctx context.Context, curves []*Curve, metrics ...string) (*Paired, error) {
	if err := sameImages(curves); err != nil {
		return nil, err
	}
	b, err := b.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Paired{level: b.Level}
	for _, name := range metrics {
		m, ok := LookupMetric(name)
		if !ok || m.NeedsProbabilities {
			return nil, fmt.Errorf("misd: bootstrap: %q is no metric of a score", name)
		}
		p.metrics = append(p.metrics, m)
	}
	for _, c := range curves {
		row := make([]Estimate, len(p.metrics))
		for i, m := range p.metrics {
			row[i] = m.estimate(judged{curve: c})
		}
		p.values = append(p.values, row)
	}
	if b.Resamples > 0 && curves[0].Len() > 0 {
		p.table, err = b.sample(ctx, len(curves)*len(p.metrics), curves[0].Len(), func() func([]int32, []float64) { return p.worker(curves) })
	}
	return p, err
}

func sameImages(curves []*Curve) error {
	if len(curves) == 0 {
		return errors.New("misd: bootstrap: no curves")
	}
	for i, c := range curves {
		if c == nil {
			return fmt.Errorf("misd: bootstrap: curve %d is nil", i)
		}
		if c.Len() != curves[0].Len() {
			return fmt.Errorf("misd: bootstrap: curves of %d and %d predictions are not of the same images", curves[0].Len(), c.Len())
		}
	}
	return nil
}

// worker returns a function that computes all metrics of all curves for a resample.
func (p *Paired) worker(curves []*Curve) func(counts []int32, out []float64) {
	var r Curve
	return func(counts []int32, out []float64) {
		for i, c := range curves {
			c.resample(&r, counts)
			for k, m := range p.metrics {
				out[i*len(p.metrics)+k] = m.estimate(judged{curve: &r}).Value
			}
		}
	}
}

// Value returns the metric of curve i, without an interval. NaN with a reason for a metric or curve that is not there.
func (p *Paired) Value(metric string, i int) Estimate {
	if k := p.column(metric); k >= 0 && i >= 0 && i < len(p.values) {
		return p.values[i][k]
	}
	return Estimate{Value: math.NaN(), Reason: "not computed", Lower: math.NaN(), Upper: math.NaN()}
}

// Difference returns the metric of curve i minus that of curve j, its percentile interval, and the two-sided p-value
// that inverts this interval (Efron & Tibshirani 1993, chapter 15): twice the smaller share of resamples on one side of
// 0, those at 0 counted on both and the data itself counted as one more, so that P is at least 2/(resamples+1). It is 1
// for rankings that do not differ. Where the metric is not defined for one of them, all is NaN.
func (p *Paired) Difference(metric string, i, j int) Difference {
	return p.MeanDifference(metric, []int{i}, []int{j})
}

// MeanDifference returns the mean of the metric over the curves with numbers is minus its mean over those with numbers
// js, with interval and p-value as [Paired.Difference] has them. The curves may be those of classifiers that were
// trained from several seeds: the interval is over images, for these classifiers; seeds are not resampled. Without
// curves on one side, and where the metric is not defined for one of them, all is NaN.
func (p *Paired) MeanDifference(metric string, is, js []int) Difference {
	d := Difference{Estimate{Lower: math.NaN(), Upper: math.NaN()}, math.NaN(), math.NaN()}
	mean := func(curves []int) float64 {
		sum := 0.
		for _, i := range curves {
			v := p.Value(metric, i)
			sum, d.Reason = sum+v.Value, cmp.Or(d.Reason, v.Reason)
		}
		return sum / float64(len(curves))
	}
	d.Value = mean(is) - mean(js)
	if math.IsNaN(d.Value) || len(p.table) == 0 {
		return d
	}
	column := make([]float64, len(p.table))
	below, above := 1, 1 // the data itself
	for r := range p.table {
		v := p.resampled(r, metric, is) - p.resampled(r, metric, js)
		column[r] = v
		if v <= 0 {
			below++
		}
		if v >= 0 {
			above++
		}
	}
	d.Lower, d.Upper, d.Resamples = percentiles(column, p.level)
	if d.Resamples > 0 {
		d.P = min(1, 2*ratio(min(below, above), d.Resamples+1))
	}
	return d
}

// resampled is the mean of a metric over curves in resample r.
func (p *Paired) resampled(r int, metric string, curves []int) float64 {
	k, sum := p.column(metric), 0.
	for _, i := range curves {
		sum += p.table[r][i*len(p.metrics)+k]
	}
	return sum / float64(len(curves))
}

func (p *Paired) column(metric string) int {
	for k, m := range p.metrics {
		if m.Name == metric {
			return k
		}
	}
	return -1
}
