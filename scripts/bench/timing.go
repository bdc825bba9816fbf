package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// timing is how fast an operation was.
type timing struct {
	First  float64   `json:"first_seconds"`     // the first call, which compiles
	Rates  []float64 `json:"images_per_second"` // by round
	Median float64   `json:"median"`            // images/s
	Spread float64   `json:"spread"`            // half the range of the rates over the median
}

// newTiming sums up.
func newTiming(first float64, rates []float64) timing {
	m := median(rates)
	return timing{first, rates, m, (slices.Max(rates) - slices.Min(rates)) / 2 / m}
}

// measure times works in rounds: each work once for at least the given time. Before the first round each is called
// twice, the first of which is timed apart.
func measure(ctx context.Context, works []*work, rounds int, least time.Duration) ([]timing, error) {
	first, rates := make([]float64, len(works)), make([][]float64, len(works))
	for i, w := range works {
		begin := time.Now()
		if err := w.call(); err != nil {
			return nil, err
		}
		first[i] = time.Since(begin).Seconds()
		if err := w.call(); err != nil {
			return nil, err
		}
	}
	for range rounds {
		for i, w := range works {
			r, err := imagesPerSecond(ctx, w, least)
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], r)
		}
	}
	list := make([]timing, len(works))
	for i := range list {
		list[i] = newTiming(first[i], rates[i])
	}
	return list, nil
}

func imagesPerSecond(ctx context.Context, w *work, least time.Duration) (float64, error) {
	begin, images := time.Now(), 0
	for images == 0 || time.Since(begin) < least {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("interrupted: %w", err)
		}
		if err := w.call(); err != nil {
			return 0, err
		}
		images += w.images
	}
	return float64(images) / time.Since(begin).Seconds(), nil
}

// median returns the middle one of at least one value, or the mean of the two in the middle.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
