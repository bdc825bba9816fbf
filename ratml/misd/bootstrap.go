package misd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Bootstrap computes metrics with percentile intervals (Efron & Tibshirani 1993, chapter 13): predictions are drawn
// with replacement, as many as there are, and each metric is computed anew. The zero Bootstrap draws 1,000 resamples
// for 95 % intervals.
//
// The interval tells how the value would vary with the test images, for this classifier; it says nothing of training
// seeds. It need not contain the value of metrics that resampling biases, as ECE, whose resamples are further from
// calibrated than the data. Copies of a prediction are neighbours in the resample, in the order of the data, which is
// how intervals of metrics that depend on the order are to be read. The result depends on Seed and the number of
// predictions alone, not on Workers; equal seeds draw the same predictions for every score, so that differences
// between scores are paired.
type Bootstrap struct {
	Resamples int     // number of resamples; 0 means 1000, negative means none: values without intervals
	Level     float64 // probability that an interval covers, in (0,1); 0 means 0.95
	Seed      uint64
	Workers   int // goroutines; 0 means GOMAXPROCS
}

// Evaluate computes every metric of a score. Of curve and calibration one may be nil, if the other metrics do not
// matter or are known; otherwise both must hold the same predictions. It returns an error for bad options, if the
// lengths differ, or if ctx is done.
func (b Bootstrap) Evaluate(ctx context.Context, curve *Curve, calibration *Calibration) (Evaluation, error) {
	if curve == nil && calibration == nil {
		return nil, errors.New("misd: bootstrap: neither a curve nor a calibration")
	}
	j := judged{curve, calibration}
	if curve != nil && calibration != nil && curve.Len() != calibration.Len() {
		return nil, fmt.Errorf("misd: bootstrap: curve of %d predictions, calibration of %d", curve.Len(), calibration.Len())
	}
	ms := applicable(j)
	values := make([]Estimate, len(ms))
	for i, m := range ms {
		values[i] = m.estimate(j)
	}
	return b.intervals(ctx, ms, values, j.len(), func() func([]int32, []float64) {
		var r judged
		return func(counts []int32, out []float64) {
			r = j.resample(r, counts)
			for i, m := range ms {
				out[i] = m.estimate(r).Value
			}
		}
	})
}

// Difference computes, for every metric of a score, the value on x minus the value on y and the interval of that
// difference over resamples that draw the same predictions for both. An interval that excludes 0 is evidence of a
// difference on these images. Both curves must hold the same predictions in the same order of input, which is checked
// for their number only.
func (b Bootstrap) Difference(ctx context.Context, x, y *Curve) (Evaluation, error) {
	if x == nil || y == nil {
		return nil, errors.New("misd: bootstrap: difference of a curve that is nil")
	}
	if x.Len() != y.Len() {
		return nil, fmt.Errorf("misd: bootstrap: difference of curves of %d and %d predictions", x.Len(), y.Len())
	}
	jx, jy := judged{curve: x}, judged{curve: y}
	ms := applicable(jx)
	values := make([]Estimate, len(ms))
	for i, m := range ms {
		values[i] = m.estimate(jx)
		other := m.estimate(jy)
		values[i].Value -= other.Value
		values[i].Reason = cmp.Or(values[i].Reason, other.Reason)
	}
	return b.intervals(ctx, ms, values, x.Len(), func() func([]int32, []float64) {
		var rx, ry judged
		return func(counts []int32, out []float64) {
			rx, ry = jx.resample(rx, counts), jy.resample(ry, counts)
			for i, m := range ms {
				out[i] = m.estimate(rx).Value - m.estimate(ry).Value
			}
		}
	})
}

// intervals adds intervals to the values of ms on n predictions. newWorker returns a function that computes the values
// for a resample in which prediction i occurs counts[i] times; each goroutine has its own.
func (b Bootstrap) intervals(ctx context.Context, ms []Metric, values []Estimate, n int,
	newWorker func() func(counts []int32, out []float64)) (Evaluation, error) {
	b, err := b.withDefaults()
	if err != nil {
		return nil, err
	}
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("misd: bootstrap: %d predictions, at most %d can be resampled", n, math.MaxInt32)
	}
	out := make(Evaluation, len(ms))
	if b.Resamples > 0 && n > 0 {
		table, err := b.sample(ctx, len(ms), n, newWorker)
		if err != nil {
			return nil, err
		}
		for i := range values {
			if !math.IsNaN(values[i].Value) {
				values[i].Lower, values[i].Upper, values[i].Resamples = interval(table, i, b.Level)
			}
		}
	}
	for i, m := range ms {
		out[m.Name] = values[i]
	}
	return out, nil
}

func (b Bootstrap) withDefaults() (Bootstrap, error) {
	b.Level = cmp.Or(b.Level, 0.95)
	if !(b.Level > 0 && b.Level < 1) {
		return b, fmt.Errorf("misd: bootstrap: level %g is outside (0,1)", b.Level)
	}
	b.Resamples = cmp.Or(b.Resamples, 1000)
	return b, nil
}

// sample returns the values of the metrics for each resample.
func (b Bootstrap) sample(ctx context.Context, metrics, n int, newWorker func() func([]int32, []float64)) ([][]float64, error) {
	// Seeds are drawn one after the other, so that resamples do not depend on which goroutine computes them.
	master := rand.NewPCG(b.Seed, 0)
	seeds := make([][2]uint64, b.Resamples)
	table := make([][]float64, b.Resamples)
	for i := range seeds {
		seeds[i] = [2]uint64{master.Uint64(), master.Uint64()}
		table[i] = make([]float64, metrics)
	}
	workers := b.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, b.Resamples) {
		wg.Go(func() {
			counts, work := make([]int32, n), newWorker()
			for i := int(next.Add(1)) - 1; i < b.Resamples && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				draw(counts, seeds[i])
				work(counts, table[i])
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("misd: bootstrap: %w", err)
	}
	return table, nil
}

// draw sets counts[i] to how often prediction i is drawn in len(counts) draws with replacement.
func draw(counts []int32, seed [2]uint64) {
	clear(counts)
	rng, n := rand.NewPCG(seed[0], seed[1]), uint64(len(counts))
	for range counts {
		i, _ := bits.Mul64(rng.Uint64(), n) // uniform on [0,n) but for n/2^64
		counts[i]++
	}
}

// interval returns the percentile interval of column i, over the rows where it is defined.
func interval(table [][]float64, i int, level float64) (lower, upper float64, resamples int) {
	column := make([]float64, len(table))
	for r, row := range table {
		column[r] = row[i]
	}
	return percentiles(column, level)
}

// percentiles returns the central interval of the values that are defined. It sorts values.
func percentiles(values []float64, level float64) (lower, upper float64, n int) {
	values = slices.DeleteFunc(values, math.IsNaN)
	slices.Sort(values)
	return quantile(values, (1-level)/2), quantile(values, (1+level)/2), len(values)
}

// quantile interpolates between order statistics as numpy.quantile does by default (Hyndman & Fan's type 7). NaN if
// sorted is empty.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	i := int(at)
	if at == float64(i) || sorted[i] == sorted[i+1] {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// applicable returns the metrics that can be computed from j.
func applicable(j judged) []Metric {
	return slices.DeleteFunc(Metrics(), func(m Metric) bool {
		return m.NeedsProbabilities && j.calibration == nil || !m.NeedsProbabilities && j.curve == nil
	})
}
