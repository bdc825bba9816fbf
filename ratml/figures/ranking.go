package figures

import (
	"math/rand/v2"
	"slices"
)

// ranking is the order of images by confidence, most confident first.
type ranking struct {
	order []int
	ends  []int  // rank after the last image of each group of equal confidences
	wrong []bool // by image
}

func newRanking(confidence []float64, correct []bool) ranking {
	k := ranking{order: make([]int, len(confidence)), wrong: make([]bool, len(confidence))}
	for i := range k.order {
		k.order[i], k.wrong[i] = i, !correct[i]
	}
	slices.SortStableFunc(k.order, func(a, b int) int {
		switch {
		case confidence[a] > confidence[b]:
			return -1
		case confidence[a] < confidence[b]:
			return 1
		}
		return 0
	})
	for rank, i := range k.order {
		if rank == len(k.order)-1 || confidence[k.order[rank+1]] != confidence[i] {
			k.ends = append(k.ends, rank+1)
		}
	}
	return k
}

// risk returns the selective risk at ascending coverages, with errors spread evenly inside groups, when image i occurs
// counts[i] times (once, if counts is nil; their sum is the number of images).
func (k ranking) risk(counts []int32, coverages []float64) []float64 {
	out := make([]float64, 0, len(coverages))
	var n, errors float64 // accepted before the group
	rank := 0
	for _, end := range k.ends {
		var size, wrong float64
		for ; rank < end; rank++ {
			i, count := k.order[rank], 1.
			if counts != nil {
				count = float64(counts[i])
			}
			size += count
			if k.wrong[i] {
				wrong += count
			}
		}
		for len(out) < len(coverages) {
			at := coverages[len(out)] * float64(len(k.order))
			if at > n+size+1e-9*at {
				break
			}
			inside := 0.
			if size > 0 {
				inside = wrong * (at - n) / size
			}
			out = append(out, (errors+inside)/at)
		}
		n, errors = n+size, errors+wrong
	}
	return out
}

// band returns the pointwise 95 % percentile interval of the risk over 400 bootstrap resamples of the images.
func (k ranking) band(coverages []float64, seed uint64) (low, high []float64) {
	const resamples = 400
	rng := rand.New(rand.NewPCG(seed, 1))
	counts := make([]int32, len(k.order))
	table := make([][]float64, resamples)
	for b := range table {
		clear(counts)
		for range counts {
			counts[rng.IntN(len(counts))]++
		}
		table[b] = k.risk(counts, coverages)
	}
	column := make([]float64, resamples)
	for g := range coverages {
		for b := range table {
			column[b] = table[b][g]
		}
		slices.Sort(column)
		low, high = append(low, column[resamples/40-1]), append(high, column[resamples-resamples/40])
	}
	return low, high
}
