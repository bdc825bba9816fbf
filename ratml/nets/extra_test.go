package nets_test

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/ratml/rat/ratml/backend"
	"github.com/ratml/rat/ratml/internal/backendtest"
	"github.com/ratml/rat/ratml/nets"
)

// TestExtraOutputs compares a network that has 2 outputs more than classes with one of 2 more classes in training, and
// with the original network in all other modes.
func TestExtraOutputs(t *testing.T) {
	const n, extra = 3, 2
	forward := func(classes int) nets.Forward {
		return func(p *nets.Pass, x *graph.Node) *graph.Node {
			x = nets.ReLU(p.ConvBatchNorm("conv", "bn", x, 4, 3, 1, 1))
			x = nets.ReLU(p.Linear("hidden", nets.GlobalMean(x), 6))
			return p.Linear("out", p.Dropout("drop", x, .5), classes)
		}
	}
	build := func(classes int) *nets.Arch {
		a, err := nets.NewArch("net", nets.Input{Height: 5, Width: 5, Channels: 3}, classes, []float32{.5, .4, .3}, []float32{.2, .2, .3}, forward(classes))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	small, large := build(4), build(4+extra)
	a, err := small.WithExtraOutputs(extra)
	if err != nil {
		t.Fatal(err)
	}
	if a.Classes != 4 || a.ExtraOutputs != extra || a.FeatureSize != small.FeatureSize || !a.HasDropout || a.ParamCount() != large.ParamCount() {
		t.Errorf("%d classes, %d extra outputs, %d features, dropout %v, %d parameters", a.Classes, a.ExtraOutputs, a.FeatureSize, a.HasDropout, a.ParamCount())
	}
	w := random(a)
	cut, err := a.DropExtraOutputs(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := small.Check(cut); err != nil {
		t.Fatal(err)
	}
	if err := a.Check(w); err != nil {
		t.Fatalf("dropping changed its argument: %v", err)
	}
	for name, v := range small.Init(7) {
		if !slices.Equal(v.Data, a.Init(7)[name].Data[:len(v.Data)]) {
			t.Errorf("%s starts differently", name)
		}
	}
	x := uniform(a, n)
	backendtest.Each(t, func(t *testing.T, be *backend.Backend) {
		near(t, "training", network(t, be, a, w, nets.Train, false, x, logits)[0], network(t, be, large, w, nets.Train, false, x, logits)[0], 1e-6)
		for name, mode := range modes {
			want := network(t, be, small, cut, mode, false, x, logits)[0]
			if len(want) != n*4 {
				t.Fatalf("%d logits", len(want))
			}
			near(t, name, network(t, be, a, w, mode, false, x, logits)[0], want, 1e-6)
		}
		c, err := nets.NewClassifier(be, a, w)
		if err != nil {
			t.Fatal(err)
		}
		got := program(t, c, func(net nets.Network, x *graph.Node) []*graph.Node { return []*graph.Node{net(x)} })
		out, err := got.RunFloats(a.Images(x.float32s()))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "classifier", widen(out[0]), network(t, be, small, cut, nets.Eval, false, x, logits)[0], 1e-5)
	})
}

func TestExtraOutputsErrors(t *testing.T) {
	if _, err := lookup(t, "smallcnn_mnist").WithExtraOutputs(-1); err == nil {
		t.Error("-1 extra outputs: no error")
	}
	none := layer(t, 2, 2, 1, func(p *nets.Pass, x *graph.Node) *graph.Node { return x })
	inside := layer(t, 2, 2, 1, func(p *nets.Pass, x *graph.Node) *graph.Node {
		return graph.MulScalar(graph.Slice(p.Linear("fc", graph.Reshape(x, -1, 4), 5), graph.AxisRange(), graph.AxisRange(0, 4)), 2)
	})
	for name, a := range map[string]*nets.Arch{"no linear layer": none, "logits that are not a linear layer's": inside} {
		if _, err := a.WithExtraOutputs(1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	a, err := lookup(t, "smallcnn_mnist").WithExtraOutputs(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.DropExtraOutputs(lookup(t, "smallcnn_mnist").Init(1)); err == nil {
		t.Error("dropping outputs that are not there: no error")
	}
	same, err := lookup(t, "smallcnn_mnist").WithExtraOutputs(0)
	if err != nil || same.ParamCount() != lookup(t, "smallcnn_mnist").ParamCount() {
		t.Errorf("no extra outputs: %v", err)
	}
}
