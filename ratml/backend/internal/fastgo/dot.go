package fastgo

import (
	"slices"

	"github.com/gomlx/compute"
)

// asDot describes a matrix product without batch axes.
func asDot(n *node) kernel {
	lhs, lb := n.attrs[0].([]int), n.attrs[1].([]int)
	rhs, rb := n.attrs[2].([]int), n.attrs[3].([]int)
	if len(lb) > 0 || len(rb) > 0 || n.attrs[4].(compute.DotGeneralConfig) != (compute.DotGeneralConfig{}) {
		return nil
	}
	l, r := n.in[0].shape.Dimensions, n.in[1].shape.Dimensions
	sl, sr, sy := contiguous(l), contiguous(r), contiguous(n.shape.Dimensions)
	var rows, terms []dim
	at := 0 // axis of the result
	for i, d := range l {
		if !slices.Contains(lhs, i) {
			rows = append(rows, dim{d, sl[i], 0, sy[at]})
			at++
		}
	}
	column := dim{1, 0, 1, 1}
	for i, d := range r {
		switch {
		case slices.Contains(rhs, i):
		case column.extent > 1 && d > 1:
			return nil
		default:
			if d > 1 {
				column = dim{d, 0, sr[i], sy[at]}
			}
			at++
		}
	}
	for i, a := range lhs {
		terms = append(terms, dim{l[a], sl[a], sr[rhs[i]], 0})
	}
	p, ok := newPart(rows, terms, 0, 0, 0, column)
	if !ok {
		return nil
	}
	return conv{parts: []part{p}}
}
