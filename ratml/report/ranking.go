package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// ranking identifies the order of images by a score, equal values included.
type ranking [sha256.Size]byte

func rankingOf(values []float64) ranking {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]byte, 4*len(values))
	rank := uint32(0)
	for i, at := range order {
		if i > 0 && values[at] != values[order[i-1]] {
			rank++
		}
		binary.LittleEndian.PutUint32(ranks[4*at:], rank)
	}
	return sha256.Sum256(ranks)
}
