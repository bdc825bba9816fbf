package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/ratml/rat/ratml/misd"
)

// ranked returns rows, best first by a value of the metric, undefined values last; equally good rows keep their order.
func ranked[T any](rows []T, metric string, value func(T) float64) []T {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b T) int { return compareValues(metric, value(a), value(b)) })
	return rows
}

// compareValues is negative where x is better than y; undefined is worst.
func compareValues(metric string, x, y float64) int {
	if math.IsNaN(x) || math.IsNaN(y) {
		return cmp.Compare(btoi(math.IsNaN(x)), btoi(math.IsNaN(y)))
	}
	if m, _ := misd.LookupMetric(metric); m.HigherIsBetter {
		x, y = y, x
	}
	return cmp.Compare(x, y)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
