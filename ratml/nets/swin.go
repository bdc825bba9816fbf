package nets

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/dataset"
)

var swins = classifiers(variant{"swin_t", resized(232, dataset.Bicubic), func(classes int) Forward {
	return swin(swinNet{width: 96, depths: []int{2, 2, 6, 2}, heads: []int{3, 6, 12, 24}, window: 7, drop: 0.2}, classes)
}})

type swinNet struct {
	width         int
	depths, heads []int // by stage; each has twice the width of the one before
	window        int
	drop          float64 // the probability with which the last block is left out in training; earlier ones have less
}

const swinEpsilon = 1e-5

// swin is a network of Liu et al., "Swin Transformer: Hierarchical vision transformer using shifted windows", ICCV 2021.
// The buffers relative_position_index of torchvision's state dict hold no weights: they follow from the size of the
// window and are no parameters here.
func swin(s swinNet, classes int) Forward {
	total := 0
	for _, d := range s.depths {
		total += d
	}
	return func(p *Pass, x *Node) *Node {
		for kind, start := range map[Kind]Initialiser{
			ConvWeight: UniformIn, LinearWeight: TruncatedNormal(0.02), LinearBias: Constant(0), Embedding: TruncatedNormal(0.02),
		} {
			p.Initialise(kind, start)
		}
		x = p.Convolve("features.0.0", x, Window{Out: s.width, Kernel: 4, Stride: 4, Bias: true})
		x = p.LayerNorm("features.0.2", x, swinEpsilon)
		n := 0
		for i, depth := range s.depths {
			if i > 0 {
				x = mergePatches(p, fmt.Sprintf("features.%d", 2*i), x)
			}
			for j := range depth {
				shift := j % 2 * (s.window / 2)
				x = swinBlock(p, fmt.Sprintf("features.%d.%d", 2*i+1, j), x, s.heads[i], s.window, shift, s.drop*float64(n)/float64(total-1))
				n++
			}
		}
		return p.Linear("head", GlobalMean(p.LayerNorm("norm", x, swinEpsilon)), classes)
	}
}

// mergePatches puts the channels of 2x2 neighbours together and halves their number.
func mergePatches(p *Pass, name string, x *Node) *Node {
	d := x.Shape().Dimensions
	x = frame(x, [2][2]int{{0, d[1] % 2}, {0, d[2] % 2}}, 0)
	h, w, c := (d[1]+1)/2, (d[2]+1)/2, d[3]
	x = Reshape(x, d[0], h, 2, w, 2, c)
	x = Reshape(TransposeAllAxes(x, 0, 1, 3, 4, 2, 5), d[0], h, w, 4*c) // of a 2x2 block, columns come before rows
	return p.Project(name+".reduction", p.LayerNorm(name+".norm", x, swinEpsilon), 2*c, false)
}

func swinBlock(p *Pass, name string, x *Node, n, window, shift int, drop float64) *Node {
	y := windowAttention(p, name+".attn", p.LayerNorm(name+".norm1", x, swinEpsilon), n, window, shift)
	x = Add(x, p.DropBranch(name+".stochastic_depth.1", y, drop))
	y = mlp(p, name+".mlp.0", name+".mlp.3", p.LayerNorm(name+".norm2", x, swinEpsilon), 4*channels(x))
	return Add(x, p.DropBranch(name+".stochastic_depth.2", y, drop))
}

// windowAttention is attention within square windows of the image, which is moved by shift before. Pixels that were not
// neighbours before the move do not see each other.
func windowAttention(p *Pass, name string, x *Node, n, window, shift int) *Node {
	d := x.Shape().Dimensions
	h, w, c := (d[1]+window-1)/window, (d[2]+window-1)/window, d[3] // windows
	x = frame(x, [2][2]int{{0, h*window - d[1]}, {0, w*window - d[2]}}, 0)
	shifts := [2]int{shift, shift}
	if h == 1 { // the window is the image
		shifts[0] = 0
	}
	if w == 1 {
		shifts[1] = 0
	}
	x = roll(x, shifts[0], shifts[1])
	x = TransposeAllAxes(Reshape(x, d[0], h, window, w, window, c), 0, 1, 3, 2, 4, 5)
	tokens := window * window
	query, key, value := heads(p.Project(name+".qkv", Reshape(x, d[0]*h*w, tokens, c), 3*c, true), n)
	y := p.attend(query, key, value, windowBias(p, name, x, n, window, shifts))
	y = p.Project(name+".proj", y, c, true)
	y = TransposeAllAxes(Reshape(y, d[0], h, w, window, window, c), 0, 1, 3, 2, 4, 5)
	y = roll(Reshape(y, d[0], h*window, w*window, c), -shifts[0], -shifts[1])
	return Slice(y, AxisRange(), AxisRange(0, d[1]), AxisRange(0, d[2]), AxisRange())
}

// windowBias is what is added to the attention in windows x [batch, rows, columns, window, window, channels]: a
// parameter for each head and relative position, and -100 for pixels that must not see each other.
func windowBias(p *Pass, name string, x *Node, n, window int, shifts [2]int) *Node {
	g, d := x.Graph(), x.Shape().Dimensions
	side, tokens := 2*window-1, window*window
	table := p.Param(name+".relative_position_bias_table", Embedding, side*side, n)
	bias := Gather(table, Const(g, relativePositions(window))) // [tokens*tokens, heads]
	bias = TransposeAllAxes(Reshape(bias, 1, tokens, tokens, n), 0, 3, 1, 2)
	if shifts == [2]int{} {
		return bias
	}
	region := Const(g, regions(d[1], d[2], window, shifts)) // [windows, tokens]
	r := d[1] * d[2]
	same := Equal(Reshape(region, 1, r, 1, tokens, 1), Reshape(region, 1, r, 1, 1, tokens))
	mask := Where(same, ScalarZero(g, x.DType()), Scalar(g, x.DType(), -100))
	bias = Add(Reshape(bias, 1, 1, n, tokens, tokens), mask) // [1, windows, heads, tokens, tokens]
	return Reshape(BroadcastToDims(bias, d[0], r, n, tokens, tokens), d[0]*r, n, tokens, tokens)
}

// relativePositions returns the row of the table for each pair of tokens of a window, [tokens*tokens, 1].
func relativePositions(window int) [][]int32 {
	side, tokens := 2*window-1, window*window
	rows := make([][]int32, 0, tokens*tokens)
	for i := range tokens {
		for j := range tokens {
			dy, dx := i/window-j/window+window-1, i%window-j%window+window-1
			rows = append(rows, []int32{int32(dy*side + dx)})
		}
	}
	return rows
}

// regions numbers the parts of the moved image, by window and token, that hold pixels that were neighbours before.
func regions(rows, columns, window int, shifts [2]int) [][]int32 {
	part := func(i, n, shift int) int32 {
		switch {
		case shift == 0 || i < n-window:
			return 0
		case i < n-shift:
			return 1
		}
		return 2
	}
	r := make([][]int32, 0, rows*columns)
	for i := range rows {
		for j := range columns {
			tokens := make([]int32, 0, window*window)
			for y := range window {
				for x := range window {
					tokens = append(tokens, 3*part(i*window+y, rows*window, shifts[0])+part(j*window+x, columns*window, shifts[1]))
				}
			}
			r = append(r, tokens)
		}
	}
	return r
}

// roll moves images up and left by so many pixels, or down and right by negative numbers, around their edges.
func roll(x *Node, up, left int) *Node {
	for i, by := range []int{up, left} {
		axis := i + 1
		n := x.Shape().Dimensions[axis]
		if by = (by%n + n) % n; by == 0 {
			continue
		}
		part := func(from, to int) *Node {
			ranges := []SliceAxisSpec{AxisRange(), AxisRange(), AxisRange(), AxisRange()}
			ranges[axis] = AxisRange(from, to)
			return Slice(x, ranges...)
		}
		x = Concatenate([]*Node{part(by, n), part(0, by)}, axis)
	}
	return x
}
