package radius

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// A gradient is built once for all that ask for it, and anew for another temperature or function.
func TestProbeSharesGradients(t *testing.T) {
	o := loadLinear(t)
	c := linear(t, backendtest.Go(t), o.W, o.B)
	built := 0
	p, err := c.Compile("probe", func(net nets.Network, in []*graph.Node) []*graph.Node {
		built++
		p := NewProbe(net, in[0])
		soft, top := p.SoftMargin(1), p.TopMargin()
		if p.SoftMargin(1) != soft || p.TopMargin() != top {
			t.Error("the same gradient is built twice")
		}
		if p.SoftMargin(2) == soft || top == soft || p.logMaxSoftmax(1) == soft || p.crossEntropy(1) == p.logMaxSoftmax(1) {
			t.Error("different gradients are taken for the same")
		}
		return []*graph.Node{p.Logits}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Free()
	if _, err := p.RunFloats(c.Arch.Images(uniform(1, 4))); err != nil || built == 0 {
		t.Fatalf("built %d times: %v", built, err)
	}
}
