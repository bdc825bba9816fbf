package nets

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// heads cuts projections [batch, tokens, 3 width] of tokens into queries, keys and values [batch, tokens, heads, width/heads].
func heads(x *Node, n int) (query, key, value *Node) {
	d := x.Shape().Dimensions
	width := d[2] / 3
	if width%n != 0 {
		panic(fmt.Errorf("nets: %d heads of attention over %d channels", n, width))
	}
	part := func(i int) *Node {
		return Reshape(Slice(x, AxisRange(), AxisRange(), AxisRange(i*width, (i+1)*width)), d[0], d[1], n, width/n)
	}
	return part(0), part(1), part(2)
}

// attend returns the values [batch, tokens, width] weighted by the softmax of the scaled products of queries and keys,
// to which bias is added, that broadcasts to [batch, heads, tokens, tokens]; nil adds nothing.
func (p *Pass) attend(query, key, value, bias *Node) *Node {
	d := query.Shape().Dimensions
	query = MulScalar(query, 1/math.Sqrt(float64(d[3])))
	scores := p.multiply(query, key, func(q, k *Node) *Node {
		return DotGeneral(q, []int{3}, []int{0, 2}, k, []int{3}, []int{0, 2}) // [batch, heads, tokens, tokens]
	})
	if bias != nil {
		scores = Add(scores, bias)
	}
	y := p.multiply(Softmax(scores, -1), value, func(w, v *Node) *Node {
		return DotGeneral(w, []int{3}, []int{0, 1}, v, []int{1}, []int{0, 2}) // [batch, heads, tokens, width/heads]
	})
	return Reshape(TransposeAllAxes(y, 0, 2, 1, 3), d[0], d[1], d[2]*d[3])
}

// SelfAttention is torch.nn.MultiheadAttention of x [batch, tokens, width] with itself. Its parameters are
// name.in_proj_weight [3 width, width], name.in_proj_bias, name.out_proj.weight and name.out_proj.bias.
func (p *Pass) SelfAttention(name string, x *Node, n int) *Node {
	width := channels(x)
	y := p.product(p.Param(name+".in_proj_weight", LinearWeight, 3*width, width), x)
	y = Add(y, lastAxis(p.Param(name+".in_proj_bias", LinearBias, 3*width), y))
	query, key, value := heads(y, n)
	return p.Project(name+".out_proj", p.attend(query, key, value, nil), width, true)
}
