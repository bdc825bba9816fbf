package onnx

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"
	. "github.com/gomlx/gomlx/core/graph"
)

// Models are often exported for one batch: its size is then a number in the file, also in the dimensions that values
// are reshaped to. The functions here replace it, by what the dimensions were in the batch of the file.

// other tells whether the graph is for another batch than the file.
func (b *builder) other() bool { return b.input.batch > 0 && b.batch != b.input.batch && b.base != nil }

// reshaped returns the dimensions that input 0 of n, of dimensions now, has when reshaped to want.
func (b *builder) reshaped(n *protos.NodeProto, now, want []int) ([]int, error) {
	was, wanted := b.base[n.Input[0]], b.baseConstants[n.Input[1]]
	if !b.other() || was == nil || wanted != nil && !slices.Equal(wanted, want) { // computed from shapes
		return reshaped(now, want)
	}
	full, err := reshaped(was, want)
	if err != nil {
		return nil, err
	}
	axis := -1
	for i, d := range now {
		if d == was[i] {
			continue
		}
		if axis >= 0 || d*b.input.batch != was[i]*b.batch {
			return nil, b.fixed(fmt.Errorf("%v were %v", now, was))
		}
		axis = i
	}
	if axis < 0 {
		return full, nil
	}
	return b.scaled(was, full, axis)
}

// scaled returns the dimensions to where axis of the dimensions from has grown with the batch. In memory the batch stays
// where it was; which of the new dimensions grows can be a matter of choice, most of all for a batch of 1. Preferred is
// one in which the batch comes first, then one in which it is joined with what was before it, and the last dimension,
// which holds features, last. A wrong choice shows in the comparison of batches of [Model.Classifier].
func (b *builder) scaled(from, to []int, axis int) ([]int, error) {
	type choice struct{ ones, joined, last bool }
	for _, c := range []choice{{}, {ones: true, joined: true}, {ones: true, joined: true, last: true}, {joined: true, last: true}} {
		at, outer := b.grow(from, to, axis, c.ones)
		if at < 0 || outer > 1 && !c.joined || at == len(to)-1 && !c.last {
			continue
		}
		out := slices.Clone(to)
		out[at] = out[at] / b.input.batch * b.batch
		if outer > 1 {
			b.merged[to[at]] = outer
		}
		return out, nil
	}
	return nil, b.fixed(fmt.Errorf("from %v to %v", from, to))
}

// grow returns which of the dimensions to holds the batch, -1 if none does, and how many elements are joined with it.
func (b *builder) grow(from, to []int, axis int, ones bool) (at, outer int) {
	i, j := 0, 0
	for i < len(from) && j < len(to) {
		first, target := i, j
		i, j = together(from, to, i, j, ones)
		if axis >= i {
			continue
		}
		lead := max(1, b.merged[from[axis]]) // elements of the group for each of which there is a batch
		for _, d := range from[first:axis] {
			lead *= d
		}
		if at, outer = b.place(to[target:j], lead); at >= 0 {
			at += target
		}
		return at, outer
	}
	return -1, 0
}

// together returns the ends of the next dimensions that are cut or joined together, with ones that follow.
func together(from, to []int, i, j int, ones bool) (int, int) {
	p, q := from[i], to[j]
	i, j = i+1, j+1
	for p != q {
		switch {
		case p < q && i < len(from):
			p *= from[i]
			i++
		case q < p && j < len(to):
			q *= to[j]
			j++
		default:
			return len(from), len(to)
		}
	}
	for ones && i < len(from) && from[i] == 1 {
		i++
	}
	for ones && j < len(to) && to[j] == 1 {
		j++
	}
	return i, j
}

// place returns which of the dimensions holds the batch, of which there is one for each of lead elements, and how many
// of these are joined with it. It prefers a dimension in which the batch comes first.
func (b *builder) place(dims []int, lead int) (at, outer int) {
	at = -1
	before := 1
	for i, d := range dims {
		if before > lead || lead%before != 0 {
			break
		}
		if o := lead / before; d%(o*b.input.batch) == 0 && (at < 0 || o == 1 && outer > 1) {
			at, outer = i, o
		}
		before *= d
	}
	return at, outer
}

func (b *builder) fixed(err error) error {
	return fmt.Errorf("the batch of the file, %d, is part of the reshape %w; export the model with a batch of any size", b.input.batch, err)
}

// expanded returns the dimensions that a value of dimensions now is to be expanded to.
func (b *builder) expanded(now, want []int) []int {
	if n := b.input.batch; b.other() && n > 1 && len(want) > 0 && want[0] == n && (len(now) < len(want) || now[0] == 1) {
		want = append([]int{b.batch}, want[1:]...)
	}
	return append([]int{}, want...)
}

// alike repeats what is there once for each image, or is the same for all images of the file's batch, along axes other
// than a, so that parts can be put together.
func (b *builder) alike(parts []*Node, a int) []*Node {
	if !b.other() {
		return parts
	}
	for i, p := range parts {
		dims := append([]int{}, p.Shape().Dimensions...)
		for k := range dims {
			grown := slices.ContainsFunc(parts, func(q *Node) bool { return k < q.Rank() && q.Shape().Dimensions[k] == b.batch })
			if k == a || dims[k] != b.input.batch || !grown {
				continue
			}
			p = SliceAxis(p, k, AxisRange(0, 1))
			dims[k] = b.batch
		}
		parts[i] = BroadcastToDims(p, dims...)
	}
	return parts
}
